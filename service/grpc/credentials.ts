/**
 * TLS from files, renewed without a restart. A new connection gets the new certificate. Existing
 * connections stay while their clients are trusted.
 *
 * The `FileWatcherCertificateProvider` of grpc-js fails while a renewal is half written, and
 * accepts neither a passphrase nor a minimum version. So this class extends `ServerCredentials`, as
 * that class intends.
 */
import { X509Certificate } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';
import type { Config } from '../config/schema.js';
import { textOf } from '../files/utf8.js';
import { WatchedFiles } from '../files/watched-files.js';
import type { Log } from '../telemetry/log.js';
import { type Authorities, type DenyList, parseDenyList } from '../tls/client-trust.js';
import { certificatesIn } from '../tls/pem.js';
import { serverContext, serverIdentityIn } from '../tls/server-identity.js';

/** How long a silent client can hold a socket. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

interface TlsListener {
  /** Clients that were trusted may no longer be. */
  changed(): void;
  onReloadFailed(what: string): void;
}

interface Loaded {
  readonly context: SecureContextOptions;
  readonly authorities: Authorities;
}

const NO_DENY_LIST: DenyList = new Set();

export class TlsCredentials extends ServerCredentials {
  readonly isCertificateRequired: boolean;
  readonly #files: WatchedFiles<Loaded>;
  readonly #denyList: WatchedFiles<DenyList> | undefined;

  /** Throws if the files can't be used. */
  constructor(settings: Config['tls'], log: Log, listener: TlsListener) {
    const { certFile, keyFile, clientCaFile, clientDenyFile, requireClientCertificate } = settings;
    const { reloadIntervalMs: intervalMs } = settings;
    let authorities: Authorities | undefined;
    const files = new WatchedFiles<Loaded>(
      {
        what: 'TLS files',
        files: [certFile, keyFile, clientCaFile].filter((file) => file !== null),
        intervalMs,
        load: ([cert = Buffer.of(), key = Buffer.of(), ca]) => {
          const context = { ...identityFrom(cert, key, settings, log), ...(ca !== undefined && { ca }) };
          authorities = authoritiesFrom(ca, authorities);
          return { context, authorities };
        },
        onChanged: ({ context }) => {
          this.updateSecureContextOptions(context);
          listener.changed();
        },
        onFailed: () => listener.onReloadFailed('TLS files'),
      },
      log,
    );
    super(
      {
        requestCert: clientCaFile !== null,
        rejectUnauthorized: requireClientCertificate,
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      },
      files.current.context,
    );
    this.isCertificateRequired = requireClientCertificate;
    this.#files = files;
    if (clientDenyFile === null) return;
    this.#denyList = new WatchedFiles(
      {
        what: 'denied certificates',
        files: [clientDenyFile],
        intervalMs,
        load: ([content]) => parseDenyList(textOf(content)),
        onChanged: () => listener.changed(),
        onFailed: () => listener.onReloadFailed('denied certificates'),
      },
      log,
    );
  }

  /** The authorities of client certificates. */
  get authorities(): Authorities {
    return this.#files.current.authorities;
  }

  /** Client certificates that are refused although an authority has signed them. */
  get denied(): DenyList {
    return this.#denyList?.current ?? NO_DENY_LIST;
  }

  /** The expiry of the current certificate. */
  get expireTimeMs(): number {
    return Date.parse(new X509Certificate(String(this.#files.current.context.cert)).validTo);
  }

  _equals(other: ServerCredentials): boolean {
    return this === other;
  }

  close(): void {
    this.#files.close();
    this.#denyList?.close();
  }
}

/**
 * Throws if certificate and key do not belong together. So a renewal that has replaced only one of
 * the files is not used.
 */
function identityFrom(cert: Buffer, key: Buffer, settings: Config['tls'], log: Log): SecureContextOptions {
  const { certificate } = serverIdentityIn(cert, key, settings);
  const { validTo, fingerprint256 } = certificate;
  // With colons, the log would take parts of it for device addresses.
  const fingerprint = fingerprint256.replaceAll(':', '');
  const expired = Date.parse(validTo) <= Date.now();
  const message = `The certificate of this daemon ${expired ? 'expired' : 'is valid until'} ${validTo}.`;
  log[expired ? 'warn' : 'info']('certificate', message, { validTo, fingerprint });
  return serverContext(cert, key, settings);
}

/**
 * Returns the previous authorities if they are the same, so that no client has to be checked again.
 */
function authoritiesFrom(ca: Buffer | undefined, before: Authorities | undefined): Authorities {
  const certificates = ca === undefined ? [] : certificatesIn(ca.toString('latin1'));
  const prints = (list: Authorities['certificates']) => list.map(({ fingerprint256 }) => fingerprint256).join();
  if (before !== undefined && prints(before.certificates) === prints(certificates)) return before;
  // The first authorities were loaded before any client connected.
  return { certificates, sinceMs: before === undefined ? Number.NEGATIVE_INFINITY : performance.now() };
}
