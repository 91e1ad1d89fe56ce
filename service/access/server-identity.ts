/**
 * The certificate of the daemon and its private key. Whatever uses them judges them here: the start, a renewal and
 * `wfdd config check`.
 */
import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Config, KeyPath } from '../config/schema.js';
import { certificatesIn } from './pem.js';

type Settings = Pick<Config['tls'], 'keyPassphrase' | 'minVersion' | 'ciphers'>;

export interface ServerIdentity {
  /** The first in the file; those after it are its authorities. */
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/** What is wrong, as sentences; neither quotes a file. */
export class ServerIdentityError extends Error {
  readonly keys: readonly [KeyPath, ...KeyPath[]];
  readonly remedy: string;

  constructor(keys: ServerIdentityError['keys'], message: string, remedy: string) {
    super(message);
    this.name = 'ServerIdentityError';
    this.keys = keys;
    this.remedy = remedy;
  }
}

/** Throws a ServerIdentityError where a part can't be read, the two don't fit, or TLS does not take them. */
export function serverIdentityIn(certPem: Buffer, keyPem: Buffer, settings: Settings): ServerIdentity {
  const certificate = firstCertificateIn(certPem);
  const key = privateKeyIn(keyPem, settings.keyPassphrase);
  // OpenSSL takes a pair of two key types without a word, and then nobody can connect.
  if (!certificate.checkPrivateKey(key)) {
    const remedy =
      'Name the key that the first certificate of tls.certFile was made for; intermediate ones come after it.';
    throw new ServerIdentityError(['tls.keyFile', 'tls.certFile'], 'The key is not that of the certificate.', remedy);
  }
  checkCiphers(settings);
  try {
    createSecureContext(serverContext(certPem, keyPem, settings));
  } catch (failure) {
    throw new ServerIdentityError(
      ['tls.certFile', 'tls.keyFile'],
      `TLS does not take the certificate and its key: ${reasonOf(failure)}.`,
      'Issue them anew, with an RSA key of 2048 bits or more, or ECDSA P-256.',
    );
  }
  return { certificate, key };
}

export function serverContext(cert: Buffer, key: Buffer, settings: Settings): SecureContextOptions {
  const { keyPassphrase, minVersion, ciphers } = settings;
  return { cert, key, minVersion, ciphers, ...(keyPassphrase !== null && { passphrase: keyPassphrase }) };
}

/** The code, or what OpenSSL calls its reason: neither has anything of a file in it. */
export function reasonOf(failure: unknown): string {
  const { code, reason } = failure as { code?: string; reason?: string };
  return reason ?? code ?? 'for no reason that is told';
}

function firstCertificateIn(pem: Buffer): X509Certificate {
  try {
    const [certificate] = certificatesIn(pem.toString('latin1'));
    return certificate as X509Certificate;
  } catch (failure) {
    const remedy = 'Put certificates there as PEM, each from its BEGIN to its END line.';
    throw new ServerIdentityError(['tls.certFile'], (failure as Error).message, remedy);
  }
}

function privateKeyIn(pem: Buffer, passphrase: string | null): KeyObject {
  try {
    return createPrivateKey({ key: pem, ...(passphrase !== null && { passphrase }) });
  } catch {
    throw keyError(pem.toString('latin1'), passphrase !== null);
  }
}

function keyError(pem: string, hasPassphrase: boolean): ServerIdentityError {
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    return new ServerIdentityError(
      ['tls.keyFile'],
      'There is no private key in the file.',
      'Put the private key there as PEM.',
    );
  }
  if (!/ENCRYPTED/.test(pem)) {
    const remedy = 'Put it there anew; it was cut, or is not PEM.';
    return new ServerIdentityError(['tls.keyFile'], 'The private key in the file cannot be read.', remedy);
  }
  return hasPassphrase
    ? new ServerIdentityError(
        ['tls.keyPassphrase', 'tls.keyFile'],
        'This does not open the private key.',
        'Give the passphrase of this key.',
      )
    : new ServerIdentityError(
        ['tls.keyFile', 'tls.keyPassphrase'],
        'The private key is encrypted.',
        'Set tls.keyPassphrase to its passphrase.',
      );
}

function checkCiphers({ ciphers, minVersion }: Settings): void {
  try {
    createSecureContext({ ciphers, minVersion });
  } catch (failure) {
    throw new ServerIdentityError(
      ['tls.ciphers'],
      `OpenSSL does not know these ciphers: ${reasonOf(failure)}.`,
      'Name cipher suites as "openssl ciphers" lists them, or take tls.ciphers out.',
    );
  }
}
