/**
 * Checks the files that a configuration names: certificates, keys, authorities, tokens, roles, key
 * sets. The start and `wfdd config check` both use it, so they report the same (D-9).
 *
 * It reads them with the same functions as the daemon.
 *
 * Invariant: no finding quotes a file.
 */
import type { X509Certificate } from 'node:crypto';
import { accessSync, constants, readFileSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseKeySet } from './access/key-set.js';
import { rolesOf } from './access/permissions.js';
import { parseRoles } from './access/roles-file.js';
import { parseTokens } from './access/tokens-file.js';
import { keys, valueAt } from './config/keys.js';
import { isMissing } from './config/missing.js';
import type { Finding } from './config/policy.js';
import type { RoleBinding } from './config/role-binding.js';
import type { Config, KeyPath } from './config/schema.js';
import { type DescriptorOf, examineProtection } from './files/file-protection.js';
import { textOf } from './files/utf8.js';
import { expiryOf } from './tls/certificate-time.js';
import { parseDenyList } from './tls/client-trust.js';
import { certificatesIn } from './tls/pem.js';
import { reasonOf, ServerIdentityError, serverIdentityIn } from './tls/server-identity.js';

const MIB = 1 << 20;

/**
 * Findings about the named files and about the permissions of the configuration file.
 * `descriptorOf` reads permissions on Windows.
 */
export function* examineFiles(
  config: Config,
  configFile: string | undefined,
  descriptorOf?: DescriptorOf,
): Iterable<Finding> {
  yield* examineServerIdentity(config);
  yield* examineAuthorities(config, 'tls.clientCaFile');
  yield* examineAuthorities(config, 'traces.caFile');
  yield* examineAuthorities(config, 'metrics.caFile');
  const remedy = 'Write one SHA-256 fingerprint or "serial:" number per line. # begins a comment.';
  yield* examineContents(config, 'tls.clientDenyFile', parseDenyList, remedy);
  yield* examineCallers(config);
  yield* examineContents(
    config,
    'access.jwt.jwksFile',
    parseKeySet,
    'The file must contain the public keys of the issuer as a JWKS.',
  );
  yield* examineJournalFolder(config);
  yield* examineWhoMayWrite(config, configFile, descriptorOf);
}

/** Checks the folder, or the folder that it will be created in. */
function* examineJournalFolder({ journal: { folder, bytesMax } }: Config): Iterable<Finding> {
  if (folder === null) return;
  const found = nearestExisting(folder);
  if (!statSync(found).isDirectory()) {
    yield error(['journal.folder'], `${found} is not a folder.`, 'Name a folder that only this wfdd uses.');
    return;
  }
  try {
    accessSync(found, constants.W_OK | constants.X_OK);
  } catch {
    const remedy = 'Give the account that runs wfdd write access, or name another folder.';
    yield error(['journal.folder'], `${found} is not writable.`, remedy);
    return;
  }
  const { bavail, bsize } = statfsSync(found);
  const freeBytes = bavail * bsize;
  if (freeBytes >= bytesMax) return;
  yield warning(
    ['journal.folder', 'journal.bytesMax'],
    `${found} has ${Math.floor(freeBytes / MIB)} MiB free, but the journal can take ${Math.floor(bytesMax / MIB)} MiB.`,
    'Lower journal.bytesMax, or name a folder on a larger disk.',
  );
}

/** The folder, or its nearest existing parent. */
function nearestExisting(folder: string): string {
  try {
    statSync(folder);
    return folder;
  } catch (failure) {
    const above = dirname(folder);
    if (!isMissing(failure) || above === folder) throw failure;
    return nearestExisting(above);
  }
}

function* examineServerIdentity(config: Config): Iterable<Finding> {
  const certPem = yield* contentsOf(config, 'tls.certFile');
  const keyPem = yield* contentsOf(config, 'tls.keyFile');
  if (certPem === undefined || keyPem === undefined) return;
  try {
    const { certificate } = serverIdentityIn(certPem, keyPem, config.tls);
    yield* examineServerCertificate(certificate);
  } catch (failure) {
    if (!(failure instanceof ServerIdentityError)) throw failure;
    yield error(failure.keys, failure.message, failure.remedy);
  }
}

/** Finds what TLS accepts here but clients refuse. */
function* examineServerCertificate(certificate: X509Certificate): Iterable<Finding> {
  yield* examineTime(certificate, 'tls.certFile', 'Renew it. Until then clients refuse the daemon.');
  const { subjectAltName, publicKey } = certificate;
  if (subjectAltName === undefined) {
    const remedy = 'Issue a new one with the names and addresses that clients use (subjectAltName).';
    yield warning(['tls.certFile'], `${nameOf(certificate)} has no alternative name, so clients refuse it.`, remedy);
  }
  const kind = publicKey.asymmetricKeyType;
  if (kind !== 'rsa' && kind !== 'ec') {
    yield warning(
      ['tls.certFile'],
      `${nameOf(certificate)} has a key of type ${kind}, so the Python and Java clients cannot connect.`,
      'Issue a new one with an ECDSA P-256 or RSA key.',
    );
  }
}

function* examineAuthorities(config: Config, path: KeyPath): Iterable<Finding> {
  const pem = yield* contentsOf(config, path);
  if (pem === undefined) return;
  let authorities: readonly X509Certificate[];
  try {
    authorities = certificatesIn(pem.toString('latin1'));
  } catch (failure) {
    const remedy = 'The file must contain PEM certificates, each from its BEGIN to its END line.';
    yield error([path], (failure as Error).message, remedy);
    return;
  }
  for (const authority of authorities) {
    yield* examineTime(authority, path, 'Add its successor, and remove it when no client has a certificate from it.');
    if (!authority.ca) {
      const remedy = 'Use the certificate of the authority. This one belongs to a server or a client.';
      yield warning(
        [path],
        `${nameOf(authority)} is not an authority, so certificates that it signed are not trusted.`,
        remedy,
      );
    }
  }
}

function* examineCallers(config: Config): Iterable<Finding> {
  const rolesRemedy = 'The file must contain a list, such as [{ role: admin, principals: ["token:ops-*"] }].';
  const ofFile = yield* examineContents(config, 'access.rolesFile', parseRoles, rolesRemedy);
  const bindings = [...config.access.roles, ...(ofFile ?? [])];
  const remedy = 'Fix the file. wfdd.example.yaml describes its format at access.tokensFile.';
  const tokens = yield* examineContents(config, 'access.tokensFile', parseTokens, remedy);
  for (const { principal } of tokens?.filter(({ expireTimeMs }) => expireTimeMs <= Date.now()) ?? []) {
    yield warning(['access.tokensFile'], `A token of ${principal} has expired.`, 'Remove it, or issue a new one.');
  }
  if (config.access.rolesFile === null || ofFile !== undefined) {
    yield* examineRoles(new Set(tokens?.map(({ principal }) => principal)), bindings);
  }
}

function* examineRoles(principals: ReadonlySet<string>, bindings: readonly RoleBinding[]): Iterable<Finding> {
  for (const principal of principals) {
    if (rolesOf({ source: 'token', principal }, bindings).size > 0) continue;
    const bind = 'Bind the principal in access.roles, or remove its tokens.';
    yield warning(
      ['access.tokensFile', 'access.roles'],
      `${principal} has a token but no role, so all its calls are refused.`,
      bind,
    );
  }
}

/** Files that others must not be able to read either. */
const SECRET_FILES: ReadonlySet<KeyPath> = new Set(['tls.keyFile']);

function* examineWhoMayWrite(
  config: Config,
  configFile: string | undefined,
  descriptorOf: DescriptorOf | undefined,
): Iterable<Finding> {
  for (const { path, notes } of keys) {
    const file = valueAt(config, path);
    if (notes.file === undefined || typeof file !== 'string') continue;
    for (const { severity, message, remedy } of examineProtection(file, SECRET_FILES.has(path), descriptorOf)) {
      yield { severity, keys: [path], message, remedy };
    }
  }
  if (configFile === undefined) return;
  const hasSecret = keys.some(({ path, notes }) => notes.isSecret && valueAt(config, path) !== null);
  for (const finding of examineProtection(configFile, hasSecret, descriptorOf)) yield { ...finding, keys: [] };
}

/**
 * Parses the file with `parse`, whose errors do not quote it; undefined if the file is not set or
 * invalid.
 */
function* examineContents<T>(
  config: Config,
  path: KeyPath,
  parse: (text: string) => T,
  remedy: string,
): Generator<Finding, T | undefined> {
  const content = yield* contentsOf(config, path);
  if (content === undefined) return undefined;
  try {
    return parse(textOf(content));
  } catch (failure) {
    yield error([path], (failure as Error).message, remedy);
    return undefined;
  }
}

function* contentsOf(config: Config, path: KeyPath): Generator<Finding, Buffer | undefined> {
  const file = valueAt(config, path);
  if (typeof file !== 'string') return undefined;
  try {
    return readFileSync(file);
  } catch (failure) {
    yield error(
      [path],
      `The file cannot be read: ${reasonOf(failure)}.`,
      'Name a file that the account of the daemon can read.',
    );
    return undefined;
  }
}

function* examineTime(certificate: X509Certificate, path: KeyPath, remedy: string): Iterable<Finding> {
  const { state, text } = expiryOf(certificate, Date.now());
  if (state === 'good') return;
  yield warning(
    [path],
    `${nameOf(certificate)} ${text}.`,
    state === 'early' ? 'Check the clock of this host.' : remedy,
  );
}

/** The subject on one line. It is public, so it can be printed. */
function nameOf({ subject }: X509Certificate): string {
  return `The certificate of ${subject?.replaceAll('\n', ', ') || 'nobody'}`;
}

function error(keys: Finding['keys'], message: string, remedy: string): Finding {
  return { severity: 'error', keys, message, remedy };
}

function warning(keys: Finding['keys'], message: string, remedy: string): Finding {
  return { severity: 'warning', keys, message, remedy };
}
