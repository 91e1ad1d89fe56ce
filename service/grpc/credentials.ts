/**
 * TLS from files, renewed without a restart: a new connection sees the new certificate, those that
 * stand live on for as long as their clients are trusted.
 *
 * grpc-js can do it by itself with its `FileWatcherCertificateProvider`, but that serves nobody
 * while a renewal is half written, takes no passphrase and no oldest version; so this fills the
 * same class, `ServerCredentials`, whose door for subclasses it is.
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

/** Whoever connects and then says nothing holds a socket for as long. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

interface TlsListener {
  /** Clients that were trusted may be so no more. */
  changed(): void;
  reloadFailed(what: string): void;
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

  /** Throws where the files can't be used. */
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
        onFailed: () => listener.reloadFailed('TLS files'),
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
        onFailed: () => listener.reloadFailed('denied certificates'),
      },
      log,
    );
  }

  /** Of client certificates. */
  get authorities(): Authorities {
    return this.#files.current.authorities;
  }

  /** Client certificates that are refused all the same. */
  get denied(): DenyList {
    return this.#denyList?.current ?? NO_DENY_LIST;
  }

  /** Of the certificate in force. */
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
 * Throws where the parts don't fit: so a renewal of which one file is still missing is not used.
 */
function identityFrom(cert: Buffer, key: Buffer, settings: Config['tls'], log: Log): SecureContextOptions {
  const { certificate } = serverIdentityIn(cert, key, settings);
  const { validTo, fingerprint256 } = certificate;
  // With its colons the log would take its parts for addresses of devices.
  const fingerprint = fingerprint256.replaceAll(':', '');
  const expired = Date.parse(validTo) <= Date.now();
  const message = `The certificate of this daemon ${expired ? 'expired' : 'is valid until'} ${validTo}.`;
  log[expired ? 'warn' : 'info']('certificate', message, { validTo, fingerprint });
  return serverContext(cert, key, settings);
}

/** Those of before where they are the same: then nobody has to be judged anew. */
function authoritiesFrom(ca: Buffer | undefined, before: Authorities | undefined): Authorities {
  const certificates = ca === undefined ? [] : certificatesIn(ca.toString('latin1'));
  const prints = (list: Authorities['certificates']) => list.map(({ fingerprint256 }) => fingerprint256).join();
  if (before !== undefined && prints(before.certificates) === prints(certificates)) return before;
  // The first were there before anybody connected.
  return { certificates, sinceMs: before === undefined ? Number.NEGATIVE_INFINITY : performance.now() };
}
