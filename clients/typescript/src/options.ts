/** What `connect` takes, and the refusal of what can't be right. Pure but for the files of certificates. */
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { ChannelCredentials, type ChannelOptions, status } from '@grpc/grpc-js';
import { GatewayError } from './error.js';

/** PEM: its text or bytes, or the file that holds it (read once, by `connect`). */
export type Pem = string | Buffer | { readonly file: string };

export interface TlsOptions {
  /**
   * Certificates of the authorities that may have signed the host's, or the host's own. Default: the authorities that Node
   * trusts.
   */
  readonly ca?: Pem | undefined;
  /** The client's own certificate, with its chain, for mTLS; needs `key`. */
  readonly cert?: Pem | undefined;
  /** The private key of `cert`. */
  readonly key?: Pem | undefined;
  /** The name to look for in the host's certificate, where it is not the one in the address. */
  readonly serverName?: string | undefined;
}

export interface ConnectOptions {
  /**
   * true or the options: TLS. false: clear text. Default: clear text to this machine (`localhost`, `127.x.x.x`, `[::1]`,
   * `unix:`), TLS to any other.
   */
  readonly tls?: boolean | TlsOptions | undefined;
  /**
   * Bearer token, or what gives the current one; asked at each call. Refused in clear text to another machine. If the
   * source throws, the call fails with UNAVAILABLE.
   */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  /**
   * Gives metadata to send with a call, such as `traceparent`; called once for each call, in the context of the caller. If
   * it throws, the call fails with UNAVAILABLE.
   */
  readonly metadata?: (() => Readonly<Record<string, string>>) | undefined;
  /** Deadline of unary calls without `timeoutMs`: above 0 and below 24 days, or Infinity for none. Default 10,000 ms. */
  readonly timeoutMs?: number | undefined;
  /**
   * How long one attempt to connect may take, up to the first word of the host: TCP, TLS and HTTP/2 in all. Above 0 and
   * below 24 days. Default 10,000 ms.
   */
  readonly connectTimeoutMs?: number | undefined;
  /** Passed to grpc-js as they are; they win over what this library sets. */
  readonly channelOptions?: ChannelOptions | undefined;
}

/** What a timer can measure: 24.8 days. */
export const TIMER_MS_MAX = 2 ** 31 - 1;

/** Schemes of gRPC's own, which an address may have. */
const SCHEMES = ['dns', 'unix', 'ipv4', 'ipv6'];

export function invalid(option: string, description: string, cause?: unknown): GatewayError {
  return new GatewayError(status.INVALID_ARGUMENT, `${option}: ${description}`, {}, cause);
}

/** Throws where it is no `host:port`, nor a target of gRPC. */
export function checkAddress(address: string): void {
  const shown = JSON.stringify(address);
  if (address.trim() === '') throw invalid('address', 'it is empty; write host:port.');
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(address) ?? [];
  if (scheme !== undefined && !SCHEMES.includes(scheme.toLowerCase()))
    throw invalid('address', `${shown} has a scheme; write host:port, and choose TLS by the option \`tls\`.`);
  if (new RegExp(`^(${SCHEMES.join('|')}):`).test(address)) return;
  if (!/^[^\s/]+$/.test(address)) throw invalid('address', `${shown} has a path or a space; write host:port.`);
  const [, port] = /^(?:[^:]*|\[.*\]):([^:]*)$/.exec(address) ?? [];
  if (port !== undefined && !(/^\d+$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535))
    throw invalid('address', `${shown} has no port from 1 to 65535.`);
}

/** Throws where it is no time that a timer can measure; NaN is none. */
export function checkTimeout(option: string, ms: number, { isForever = false } = {}): void {
  const isTime = ms > 0 && (ms <= TIMER_MS_MAX || (isForever && ms === Number.POSITIVE_INFINITY));
  if (!isTime)
    throw invalid(
      option,
      `${ms} is no time; write milliseconds above 0 and below 24 days${isForever ? ', or Infinity' : ''}.`,
    );
}

export function isThisMachine(address: string): boolean {
  return /^(unix:|((dns|ipv4|ipv6):(\/\/\/)?)?((localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?|::1)$)/.test(address);
}

export function secure({ ca, cert, key }: TlsOptions): ChannelCredentials {
  const [caPem, keyPem, certPem] = [read('tls.ca', ca), read('tls.key', key), read('tls.cert', cert)];
  try {
    // For who Node trusts, and for the mistake of a key without its certificate.
    if (caPem === null || (keyPem === null) !== (certPem === null))
      return ChannelCredentials.createSsl(caPem, keyPem, certPem);
    const own = keyPem && certPem && { key: keyPem, cert: certPem };
    // Else OpenSSL would not take the certificate of a host itself, which people trust where there is no authority.
    const context = createSecureContext({ ca: caPem, ...own, allowPartialTrustChain: true, ...ciphers() });
    return ChannelCredentials.createFromSecureContext(context);
  } catch (error) {
    throw invalid('tls', messageOf(error), error);
  }
}

/** As grpc-js takes them. */
function ciphers(): { ciphers?: string } {
  const named = process.env['GRPC_SSL_CIPHER_SUITES'];
  return named ? { ciphers: named } : {};
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function read(option: string, pem: Pem | undefined): Buffer | null {
  if (pem === undefined) return null;
  if (typeof pem === 'string') return Buffer.from(pem);
  if (!('file' in pem)) return pem;
  try {
    return readFileSync(pem.file);
  } catch (error) {
    throw invalid(option, `can't read ${pem.file}`, error);
  }
}

/**
 * Why it can't be sent, if so. Of such a one grpc-js throws where nobody can catch it, with the token in its message.
 */
export function faultOfToken(token: string): string | undefined {
  if (token === '') return 'it is empty.';
  return /^[ -~]+$/.test(token) ? undefined : 'it has a character that no header can hold, such as the end of a line.';
}
