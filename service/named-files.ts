/**
 * What stands in the files that a configuration names: certificates, keys, authorities, tokens, roles, key sets. The start asks and
 * `wfdd config check` does, so that both say the same.
 *
 * It reads them with the same functions as the daemon does. The rule that must not be broken: no finding quotes a file.
 */
import type { X509Certificate } from 'node:crypto';
import { accessSync, constants, readFileSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { expiryOf } from './access/certificate-time.js';
import { parseDenyList } from './access/client-trust.js';
import { type DescriptorOf, examineProtection } from './access/file-protection.js';
import { parseKeySet } from './access/key-set.js';
import { certificatesIn } from './access/pem.js';
import { rolesOf } from './access/permissions.js';
import { parseRoles } from './access/roles-file.js';
import { reasonOf, ServerIdentityError, serverIdentityIn } from './access/server-identity.js';
import { parseTokens } from './access/tokens-file.js';
import { textOf } from './access/utf8.js';
import { keys, valueAt } from './config/keys.js';
import { isMissing } from './config/missing.js';
import type { Finding } from './config/policy.js';
import type { RoleBinding } from './config/role-binding.js';
import type { Config, KeyPath } from './config/schema.js';

const MIB = 1 << 20;

/** Everything that is wrong with the files that are named, and (on Windows by `descriptorOf`) with the file of the configuration itself. */
export function* examineFiles(
  config: Config,
  configFile: string | undefined,
  descriptorOf?: DescriptorOf,
): Iterable<Finding> {
  yield* examineServerIdentity(config);
  yield* examineAuthorities(config, 'tls.clientCaFile');
  yield* examineAuthorities(config, 'traces.caFile');
  yield* examineAuthorities(config, 'metrics.caFile');
  const remedy = 'Put one SHA-256 fingerprint or "serial:" number on each line; # begins a comment.';
  yield* examineContents(config, 'tls.clientDenyFile', parseDenyList, remedy);
  yield* examineCallers(config);
  yield* examineContents(
    config,
    'access.jwt.jwksFile',
    parseKeySet,
    'Put the public keys of the issuer there as a JWKS.',
  );
  yield* examineJournalFolder(config);
  yield* examineWhoMayWrite(config, configFile, descriptorOf);
}

/** The folder itself, or where it isn't there yet the one that it is to be made in. */
function* examineJournalFolder({ journal: { folder, bytesMax } }: Config): Iterable<Finding> {
  if (folder === null) return;
  const found = nearestExisting(folder);
  if (!statSync(found).isDirectory()) {
    yield error(['journal.folder'], `${found} is not a folder.`, 'Name a folder that this wfdd alone may use.');
    return;
  }
  try {
    accessSync(found, constants.W_OK | constants.X_OK);
  } catch {
    const remedy = 'Let the account that wfdd runs as write to it, or name another folder.';
    yield error(['journal.folder'], `${found} can't be written to.`, remedy);
    return;
  }
  const { bavail, bsize } = statfsSync(found);
  const freeBytes = bavail * bsize;
  if (freeBytes >= bytesMax) return;
  yield warning(
    ['journal.folder', 'journal.bytesMax'],
    `${found} has ${Math.floor(freeBytes / MIB)} MiB free, and the journal may take ${Math.floor(bytesMax / MIB)} MiB.`,
    'Lower journal.bytesMax, or name a folder on a larger disk.',
  );
}

/** The folder, or the nearest above it that is there. */
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

/** What works here and still not for clients. */
function* examineServerCertificate(certificate: X509Certificate): Iterable<Finding> {
  yield* examineTime(certificate, 'tls.certFile', 'Renew it; clients refuse the daemon until then.');
  const { subjectAltName, publicKey } = certificate;
  if (subjectAltName === undefined) {
    const remedy = 'Issue it anew with the names and addresses that clients call it by (subjectAltName).';
    yield warning(['tls.certFile'], `${nameOf(certificate)} has no alternative name, so clients refuse it.`, remedy);
  }
  const kind = publicKey.asymmetricKeyType;
  if (kind !== 'rsa' && kind !== 'ec') {
    yield warning(
      ['tls.certFile'],
      `${nameOf(certificate)} has a key of type ${kind}, so the Python and Java clients can't connect.`,
      'Issue it anew with an ECDSA P-256 or RSA key.',
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
    const remedy = 'Put certificates there as PEM, each from its BEGIN to its END line.';
    yield error([path], (failure as Error).message, remedy);
    return;
  }
  for (const authority of authorities) {
    yield* examineTime(
      authority,
      path,
      'Put its successor there, and take it out when nobody has a certificate of it.',
    );
    if (!authority.ca) {
      const remedy = 'Put the certificate of the authority there; this one is of a server or a client.';
      yield warning([path], `${nameOf(authority)} is no authority, so nothing that it signed is trusted.`, remedy);
    }
  }
}

function* examineCallers(config: Config): Iterable<Finding> {
  const rolesRemedy = 'Put a list there, such as [{ role: admin, principals: ["token:ops-*"] }].';
  const ofFile = yield* examineContents(config, 'access.rolesFile', parseRoles, rolesRemedy);
  const bindings = [...config.access.roles, ...(ofFile ?? [])];
  const remedy = 'Put it right; the form is told in wfdd.example.yaml at access.tokensFile.';
  const tokens = yield* examineContents(config, 'access.tokensFile', parseTokens, remedy);
  for (const { principal } of tokens?.filter(({ expireTimeMs }) => expireTimeMs <= Date.now()) ?? []) {
    yield warning(['access.tokensFile'], `A token of ${principal} has expired.`, 'Take it out, or hand out another.');
  }
  if (config.access.rolesFile === null || ofFile !== undefined) {
    yield* examineRoles(new Set(tokens?.map(({ principal }) => principal)), bindings);
  }
}

function* examineRoles(principals: ReadonlySet<string>, bindings: readonly RoleBinding[]): Iterable<Finding> {
  for (const principal of principals) {
    if (rolesOf({ source: 'token', principal }, bindings).size > 0) continue;
    const bind = 'Bind the principal in access.roles, or take its tokens out.';
    yield warning(
      ['access.tokensFile', 'access.roles'],
      `${principal} has a token but no role: all its calls are refused.`,
      bind,
    );
  }
}

/** Secrets besides, for who may read. */
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

/** What a parser makes of the file, whose errors quote nothing; undefined where there is none, or it is wrong. */
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
      'Name a file that the account of the daemon may read.',
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
    state === 'early' ? 'Look at the clock of this host.' : remedy,
  );
}

/** On one line, as a certificate's subject is public. */
function nameOf({ subject }: X509Certificate): string {
  return `The certificate of ${subject?.replaceAll('\n', ', ') || 'nobody'}`;
}

function error(keys: Finding['keys'], message: string, remedy: string): Finding {
  return { severity: 'error', keys, message, remedy };
}

function warning(keys: Finding['keys'], message: string, remedy: string): Finding {
  return { severity: 'warning', keys, message, remedy };
}
