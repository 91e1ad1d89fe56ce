/**
 * What stands in the files that a configuration names: certificates, keys, authorities, tokens, key sets. `wfdd config check` asks before
 * the daemon would.
 *
 * It reads them with the same functions as the daemon does. The rule that must not be broken: no finding quotes a file.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { parseKeySet } from './access/jwt.js';
import { rolesOf } from './access/permissions.js';
import { parseTokens } from './access/tokens-file.js';
import { textOf } from './access/utf8.js';
import { valueAt } from './config/keys.js';
import type { Finding } from './config/policy.js';
import type { Config, KeyPath } from './config/schema.js';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs;
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

/** Everything that is wrong with the files that are named. */
export function* examineFiles(config: Config): Iterable<Finding> {
  yield* examineServerCertificate(config);
  yield* examineAuthorities(config, 'tls.clientCaFile');
  yield* examineAuthorities(config, 'traces.caFile');
  yield* examineTokens(config);
  yield* examineContents(
    config,
    'access.jwt.jwksFile',
    parseKeySet,
    'Put the public keys of the issuer there as a JWKS.',
  );
}

function* examineServerCertificate(config: Config): Iterable<Finding> {
  const { keyPassphrase, minVersion } = config.tls;
  const pem = yield* contentsOf(config, 'tls.certFile');
  const keyPem = yield* contentsOf(config, 'tls.keyFile');
  const [certificate] = pem === undefined ? [] : yield* certificatesIn(pem, 'tls.certFile');
  const key = keyPem === undefined ? undefined : yield* privateKeyIn(keyPem, keyPassphrase);
  if (pem === undefined || certificate === undefined || keyPem === undefined || key === undefined) return;
  if (!certificate.checkPrivateKey(key)) {
    const remedy =
      'Name the key that the first certificate of tls.certFile was made for; intermediate ones come after it.';
    yield error(['tls.keyFile', 'tls.certFile'], 'The key is not that of the certificate.', remedy);
    return;
  }
  yield* examineTime(certificate, 'tls.certFile', 'Renew it; clients refuse the daemon until then.');
  if (certificate.subjectAltName === undefined) {
    const remedy = 'Issue it anew with the names and addresses that clients call it by (subjectAltName).';
    yield warning(['tls.certFile'], `${nameOf(certificate)} has no alternative name, so clients refuse it.`, remedy);
  }
  try {
    createSecureContext({
      cert: pem,
      key: keyPem,
      minVersion,
      ...(keyPassphrase !== null && { passphrase: keyPassphrase }),
    });
  } catch (failure) {
    const message = `TLS does not take the certificate and its key: ${reasonOf(failure)}.`;
    yield error(
      ['tls.certFile', 'tls.keyFile'],
      message,
      'Issue them anew, with an RSA key of 2048 bits or more, or ECDSA P-256.',
    );
  }
}

function* examineAuthorities(config: Config, path: KeyPath): Iterable<Finding> {
  const pem = yield* contentsOf(config, path);
  if (pem === undefined) return;
  for (const authority of yield* certificatesIn(pem, path)) {
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

function* examineTokens(config: Config): Iterable<Finding> {
  const { roles, tokensFile } = config.access;
  const remedy = 'Put it right; the form is told in wfdd.example.yaml at access.tokensFile.';
  const tokens = yield* examineContents(config, 'access.tokensFile', parseTokens, remedy);
  if (tokensFile === null || tokens === undefined) return;
  const expired = tokens.filter(({ expireTimeMs }) => expireTimeMs <= Date.now());
  for (const { principal } of expired) {
    yield warning(['access.tokensFile'], `A token of ${principal} has expired.`, 'Take it out, or hand out another.');
  }
  for (const principal of new Set(tokens.map((token) => token.principal))) {
    if (rolesOf(principal, roles).size > 0) continue;
    const bind = 'Bind the principal in access.roles, or take its tokens out.';
    yield warning(
      ['access.tokensFile', 'access.roles'],
      `${principal} has a token but no role: all its calls are refused.`,
      bind,
    );
  }
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

function* certificatesIn(pem: Buffer, path: KeyPath): Generator<Finding, X509Certificate[]> {
  const blocks = String(pem).match(CERTIFICATE) ?? [];
  const remedy = 'Put certificates there as PEM, each from its BEGIN to its END line.';
  if (blocks.length === 0) yield error([path], 'There is no certificate in the file.', remedy);
  const certificates: X509Certificate[] = [];
  for (const [index, block] of blocks.entries()) {
    try {
      certificates.push(new X509Certificate(block));
    } catch {
      yield error([path], `Certificate ${index + 1} of ${blocks.length} in the file cannot be read.`, remedy);
      return [];
    }
  }
  return certificates;
}

function* privateKeyIn(pem: Buffer, passphrase: string | null): Generator<Finding, KeyObject | undefined> {
  try {
    return createPrivateKey({ key: pem, ...(passphrase !== null && { passphrase }) });
  } catch {
    if (!PRIVATE_KEY.test(String(pem))) {
      yield error(['tls.keyFile'], 'There is no private key in the file.', 'Put the private key there as PEM.');
    } else if (!/ENCRYPTED/.test(String(pem))) {
      yield error(
        ['tls.keyFile'],
        'The private key in the file cannot be read.',
        'Put it there anew; it was cut, or is not PEM.',
      );
    } else if (passphrase === null) {
      yield error(
        ['tls.keyFile', 'tls.keyPassphrase'],
        'The private key is encrypted.',
        'Set tls.keyPassphrase to its passphrase.',
      );
    } else {
      yield error(
        ['tls.keyPassphrase', 'tls.keyFile'],
        'This does not open the private key.',
        'Give the passphrase of this key.',
      );
    }
    return undefined;
  }
}

function* examineTime(certificate: X509Certificate, path: KeyPath, remedy: string): Iterable<Finding> {
  const { validFrom, validTo } = certificate;
  if (Date.parse(validTo) <= Date.now()) yield warning([path], `${nameOf(certificate)} expired ${validTo}.`, remedy);
  else if (Date.parse(validFrom) > Date.now()) {
    yield warning([path], `${nameOf(certificate)} is valid only from ${validFrom}.`, 'Look at the clock of this host.');
  }
}

/** On one line, as a certificate's subject is public. */
function nameOf({ subject }: X509Certificate): string {
  return `The certificate of ${subject?.replaceAll('\n', ', ') || 'nobody'}`;
}

/** The code, or what OpenSSL calls its reason: neither has anything of a file in it. */
function reasonOf(failure: unknown): string {
  const { code, reason } = failure as { code?: string; reason?: string };
  return reason ?? code ?? 'for no reason that is told';
}

function error(keys: Finding['keys'], message: string, remedy: string): Finding {
  return { severity: 'error', keys, message, remedy };
}

function warning(keys: Finding['keys'], message: string, remedy: string): Finding {
  return { severity: 'warning', keys, message, remedy };
}
