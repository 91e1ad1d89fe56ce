/** The options of `connect`, and their checks. */
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { ChannelCredentials, type ChannelOptions, status } from '@grpc/grpc-js';
import { GatewayError } from './error.js';

/** PEM data: a text, bytes, or a file, which `connect` reads once. */
export type Pem = string | Buffer | { readonly file: string };

export interface TlsOptions {
  /**
   * CA certificates to verify the host with, or the certificate of the host itself. Default: the
   * CAs that Node trusts.
   */
  readonly ca?: Pem | undefined;
  /** The client certificate, with its chain, for mutual TLS. Needs `key`. */
  readonly cert?: Pem | undefined;
  /** The private key of `cert`. */
  readonly key?: Pem | undefined;
  /** The name that the certificate of the host must have. Default: the name in the address. */
  readonly serverName?: string | undefined;
}

export interface ConnectOptions {
  /**
   * `true` or TlsOptions: TLS. `false`: clear text. Default: clear text to this machine
   * (`localhost`, `127.x.x.x`, `[::1]`, `unix:`), and TLS to every other machine.
   */
  readonly tls?: boolean | TlsOptions | undefined;
  /**
   * Bearer token, or a function that returns the current one. The function is called for each call;
   * if it throws, the call fails with UNAVAILABLE. A token without TLS to another machine is an
   * error.
   */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  /**
   * Returns metadata to send with a call, such as `traceparent`. It is called once for each call,
   * in the context of the caller. If it throws, the call fails with UNAVAILABLE.
   */
  readonly metadata?: (() => Readonly<Record<string, string>>) | undefined;
  /**
   * Timeout of unary calls without their own `timeoutMs`: above 0 and below 24 days, or Infinity
   * for none. Default 10,000 ms.
   */
  readonly timeoutMs?: number | undefined;
  /**
   * Timeout of one attempt to connect: TCP, TLS and HTTP/2 together, until the host sends its first
   * bytes. Above 0 and below 24 days. Default 10,000 ms.
   */
  readonly connectTimeoutMs?: number | undefined;
  /** Options for grpc-js. They override the options that this library sets. */
  readonly channelOptions?: ChannelOptions | undefined;
}

/** The longest timer: 24.8 days. */
export const TIMER_MS_MAX = 2 ** 31 - 1;

/** The schemes of gRPC, which an address may have. */
const SCHEMES = ['dns', 'unix', 'ipv4', 'ipv6'];

export function invalid(option: string, description: string, cause?: unknown): GatewayError {
  return new GatewayError(status.INVALID_ARGUMENT, `${option}: ${description}`, {}, cause);
}

/** Throws INVALID_ARGUMENT if the address is neither `host:port` nor a gRPC target. */
export function checkAddress(address: string): void {
  const quoted = JSON.stringify(address);
  if (address.trim() === '') throw invalid('address', 'it is empty; give host:port.');
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(address) ?? [];
  if (scheme !== undefined && !SCHEMES.includes(scheme.toLowerCase()))
    throw invalid('address', `${quoted} has a scheme; give host:port, and use the option \`tls\` for TLS.`);
  if (new RegExp(`^(${SCHEMES.join('|')}):`).test(address)) return;
  if (!/^[^\s/]+$/.test(address)) throw invalid('address', `${quoted} has a path or a space; give host:port.`);
  const [, port] = /^(?:[^:]*|\[.*\]):([^:]*)$/.exec(address) ?? [];
  if (port !== undefined && !(/^\d+$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535))
    throw invalid('address', `${quoted} has an invalid port; give a port from 1 to 65535.`);
}

/** Throws INVALID_ARGUMENT if a timer can't measure this time, or if it is NaN. */
export function checkTimeout(option: string, ms: number, { isForever = false } = {}): void {
  const isTime = ms > 0 && (ms <= TIMER_MS_MAX || (isForever && ms === Number.POSITIVE_INFINITY));
  if (!isTime)
    throw invalid(
      option,
      `${ms} is not a valid time; give milliseconds above 0 and below 24 days${isForever ? ', or Infinity' : ''}.`,
    );
}

export function isThisMachine(address: string): boolean {
  return /^(unix:|((dns|ipv4|ipv6):(\/\/\/)?)?((localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?|::1)$)/.test(address);
}

export function secure({ ca, cert, key }: TlsOptions): ChannelCredentials {
  const [caPem, keyPem, certPem] = [read('tls.ca', ca), read('tls.key', key), read('tls.cert', cert)];
  try {
    // Uses the CAs that Node trusts. Reports a key without its certificate.
    if (caPem === null || (keyPem === null) !== (certPem === null))
      return ChannelCredentials.createSsl(caPem, keyPem, certPem);
    const own = keyPem && certPem && { key: keyPem, cert: certPem };
    // Without allowPartialTrustChain, OpenSSL would not accept the host's own certificate as `ca`.
    const context = createSecureContext({ ca: caPem, ...own, allowPartialTrustChain: true, ...ciphers() });
    return ChannelCredentials.createFromSecureContext(context);
  } catch (error) {
    throw invalid('tls', messageOf(error), error);
  }
}

/** The cipher suites from the environment, as in grpc-js. */
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
 * Returns why the token can't be sent, if so. grpc-js would throw for such a token where nobody can
 * catch it, with the token in the message.
 */
export function faultOfToken(token: string): string | undefined {
  if (token === '') return 'it is empty.';
  return /^[ -~]+$/.test(token) ? undefined : "it contains a character that a header can't have, such as a line break.";
}
