/**
 * The certificate of the daemon and its private key. The start, a renewal and `wfdd config check`
 * all verify them here.
 */
import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Config, KeyPath } from '../config/schema.js';
import { certificatesIn } from './pem.js';

type Settings = Pick<Config['tls'], 'keyPassphrase' | 'minVersion' | 'ciphers'>;

interface ServerIdentity {
  /** The first certificate in the file. The others are intermediate certificates. */
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/** The problem and its remedy, as sentences that do not quote a file. */
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

/**
 * Throws a ServerIdentityError if a part is unreadable, if the two do not match, or if TLS rejects
 * them.
 */
export function serverIdentityIn(certPem: Buffer, keyPem: Buffer, settings: Settings): ServerIdentity {
  const certificate = firstCertificateIn(certPem);
  const key = privateKeyIn(keyPem, settings.keyPassphrase);
  // OpenSSL accepts a pair of different key types without an error, and then nobody can connect.
  if (!certificate.checkPrivateKey(key)) {
    const remedy = 'Use the key of the first certificate in tls.certFile. Intermediate certificates come after it.';
    throw new ServerIdentityError(['tls.keyFile', 'tls.certFile'], 'The key does not match the certificate.', remedy);
  }
  checkCiphers(settings);
  try {
    createSecureContext(serverContext(certPem, keyPem, settings));
  } catch (failure) {
    throw new ServerIdentityError(
      ['tls.certFile', 'tls.keyFile'],
      `TLS rejects the certificate and its key: ${reasonOf(failure)}.`,
      'Issue new ones, with an RSA key of 2048 bits or more, or with ECDSA P-256.',
    );
  }
  return { certificate, key };
}

export function serverContext(cert: Buffer, key: Buffer, settings: Settings): SecureContextOptions {
  const { keyPassphrase, minVersion, ciphers } = settings;
  return { cert, key, minVersion, ciphers, ...(keyPassphrase !== null && { passphrase: keyPassphrase }) };
}

/** OpenSSL's reason, or the error code. Neither contains text of a file. */
export function reasonOf(failure: unknown): string {
  const { code, reason } = failure as { code?: string; reason?: string };
  return reason ?? code ?? 'unknown reason';
}

function firstCertificateIn(pem: Buffer): X509Certificate {
  try {
    const [certificate] = certificatesIn(pem.toString('latin1'));
    return certificate as X509Certificate;
  } catch (failure) {
    const remedy = 'The file must contain PEM certificates, each from its BEGIN to its END line.';
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
      'The file contains no private key.',
      'The file must contain the private key as PEM.',
    );
  }
  if (!/ENCRYPTED/.test(pem)) {
    const remedy = 'Copy the key again: it is truncated or not PEM.';
    return new ServerIdentityError(['tls.keyFile'], 'The private key in the file is damaged.', remedy);
  }
  return hasPassphrase
    ? new ServerIdentityError(
        ['tls.keyPassphrase', 'tls.keyFile'],
        'This passphrase does not decrypt the private key.',
        'Set tls.keyPassphrase to the passphrase of this key.',
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
      'Use names that "openssl ciphers" lists, or remove tls.ciphers.',
    );
  }
}
