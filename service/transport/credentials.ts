/**
 * TLS from files, renewed without a restart: a new connection sees the new certificate, those that stand live on.
 *
 * grpc-js can do it by itself with its `FileWatcherCertificateProvider`, but that serves nobody while a renewal is half written, takes no
 * passphrase and no oldest version; so this fills the same class, `ServerCredentials`, whose door for subclasses it is.
 */
import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';
import { WatchedFiles } from '../access/watched-files.js';
import type { Config } from '../config/schema.js';
import type { Log } from '../telemetry/log.js';

/** Whoever connects and then says nothing holds a socket for as long. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

export class TlsCredentials extends ServerCredentials {
  readonly #files: WatchedFiles<SecureContextOptions>;

  /** Throws where the files can't be used. */
  constructor(settings: Config['tls'], log: Log) {
    const { certFile, keyFile, clientCaFile, requireClientCertificate, reloadIntervalMs: intervalMs } = settings;
    const files = new WatchedFiles(
      {
        what: 'TLS files',
        files: [certFile, keyFile, clientCaFile].filter((file) => file !== null),
        intervalMs,
        load: (contents) => secureContext(contents, settings, log),
        changed: (context) => this.updateSecureContextOptions(context),
      },
      log,
    );
    super(
      {
        requestCert: clientCaFile !== null,
        rejectUnauthorized: requireClientCertificate,
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      },
      files.current,
    );
    this.#files = files;
  }

  _equals(other: ServerCredentials): boolean {
    return this === other;
  }

  close(): void {
    this.#files.close();
  }
}

/** Throws where the parts don't fit, or can't be read: so a renewal of which one file is still missing is not used. */
function secureContext(
  [cert, key, ca]: readonly Buffer[],
  { keyPassphrase, minVersion }: Config['tls'],
  log: Log,
): SecureContextOptions {
  const options: SecureContextOptions = {
    cert,
    key,
    minVersion,
    ...(ca !== undefined && { ca }),
    ...(keyPassphrase !== null && { passphrase: keyPassphrase }),
  };
  createSecureContext(options);
  // Which takes authorities that hold none, and then trusts nobody.
  if (ca !== undefined) new X509Certificate(ca);
  const { validTo, fingerprint256 } = new X509Certificate(cert ?? '');
  // With its colons the log would take its parts for addresses of devices.
  const fingerprint = fingerprint256.replaceAll(':', '');
  const expired = Date.parse(validTo) <= Date.now();
  const message = `The certificate of this daemon ${expired ? 'expired' : 'is valid until'} ${validTo}.`;
  log[expired ? 'warn' : 'info']('certificate', message, { validTo, fingerprint });
  return options;
}
