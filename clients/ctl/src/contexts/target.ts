/**
 * The address of a host and how to connect to it. Completes and checks these, and makes the options
 * of the client.
 */
import { resolve } from 'node:path';
import type { ConnectOptions } from '../../../typescript/src/client.js';
import { CliError } from '../cli-error.js';

export interface Target {
  /** `host:port`, or `unix:/path`. */
  readonly address: string;
  /** Unset: TLS, except to this machine. */
  readonly tls?: boolean | undefined;
  /** PEM files. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** The name that the certificate of the host must have. */
  readonly serverName?: string | undefined;
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
}

/** The same from flags, where nothing is required. */
export type TargetFlags = { readonly [Field in keyof Target]?: Target[Field] | undefined };

export const ADDRESS_DEFAULT = '127.0.0.1:50051';
const PORT_DEFAULT = 50051;

/** Resolves relative paths of files against `folder`. */
export function withFullPaths<Some extends TargetFlags>(target: Some, folder: string): Some {
  const { ca, cert, key, tokenFile } = target;
  const named = Object.entries({ ca, cert, key, tokenFile }).filter((entry): entry is [string, string] => !!entry[1]);
  return { ...target, ...Object.fromEntries(named.map(([name, file]) => [name, resolve(folder, file)])) };
}

/** Flags replace values of the context. Either form of a token replaces both of them. */
export function withFlags(base: Target, flags: TargetFlags): Target {
  const given = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
  const hasToken = flags.token !== undefined || flags.tokenFile !== undefined;
  const { token, tokenFile, ...rest } = base;
  return { ...rest, ...(hasToken ? {} : { token, tokenFile }), ...given };
}

/** Adds the default port of wfdd if there is no port. */
export function withPort(address: string): string {
  if (/^[^:[\]]+$/.test(address) || /^\[[^\]]*\]$/.test(address)) return `${address}:${PORT_DEFAULT}`;
  const isBareIpv6 = /^[0-9a-f]*:[0-9a-f:.]*:[0-9a-f.]*$/i.test(address);
  return isBareIpv6 ? `[${address}]:${PORT_DEFAULT}` : address;
}

/** Throws a CliError if there is no port, or if options contradict each other. */
export function checkTarget(target: Target): void {
  const { address, tls, cert, key, token, tokenFile } = target;
  if (!hasPort(address))
    throw new CliError('usage', `Invalid address ${address}; give HOST, or HOST:PORT with a port up to 65535.`);
  if (tls === false && hasTlsOptions(target))
    throw new CliError(
      'usage',
      '--no-tls uses no certificates; remove either --no-tls, or --ca, --cert, --key and --server-name.',
    );
  if ((cert === undefined) !== (key === undefined))
    throw new CliError('usage', '--cert and --key belong together; give both or neither.');
  if (token !== undefined && tokenFile !== undefined)
    throw new CliError('usage', 'There are two tokens; give either --token or --token-file.');
}

/** True for a socket path too, which needs no port. */
function hasPort(address: string): boolean {
  const [, port] = /.:(\d{1,5})$/.exec(address) ?? [];
  return /^unix|\//.test(address) || (port !== undefined && Number(port) <= 65_535);
}

/** `readToken` runs for each call, because the token may be replaced while a watch runs. */
export function connectOptions(target: Target, readToken: (file: string) => Promise<string>): ConnectOptions {
  checkTarget(target);
  const { tls, ca, cert, key, serverName, token, tokenFile } = target;
  return {
    tls: hasTlsOptions(target) ? { ca: pem(ca), cert: pem(cert), key: pem(key), serverName } : tls,
    token: tokenFile === undefined ? token : () => readToken(tokenFile),
  };
}

function hasTlsOptions({ ca, cert, key, serverName }: Target): boolean {
  return [ca, cert, key, serverName].some((option) => option !== undefined);
}

function pem(file: string | undefined): { file: string } | undefined {
  return file === undefined ? undefined : { file };
}
