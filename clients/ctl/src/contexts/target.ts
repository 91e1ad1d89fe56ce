/** Where a host is and what it wants to see: read, completed, checked, and turned into the options of the client. */
import { resolve } from 'node:path';
import type { ConnectOptions } from '../../../typescript/src/client.js';
import { Failure } from '../failure.js';

export interface Target {
  /** `host:port`, or `unix:/path`. */
  readonly address: string;
  /** Unset: TLS, but to this machine. */
  readonly tls?: boolean | undefined;
  /** Files in PEM. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** The name to look for in the host's certificate. */
  readonly serverName?: string | undefined;
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
}

/** The same as flags, none of which has to be given. */
export type TargetFlags = { readonly [Field in keyof Target]?: Target[Field] | undefined };

export const ADDRESS_DEFAULT = '127.0.0.1:50051';
const PORT_DEFAULT = 50051;

/** Files that are named by a part of their path lie below `folder`. */
export function withFullPaths<Some extends TargetFlags>(target: Some, folder: string): Some {
  const { ca, cert, key, tokenFile } = target;
  const named = Object.entries({ ca, cert, key, tokenFile }).filter((entry): entry is [string, string] => !!entry[1]);
  return { ...target, ...Object.fromEntries(named.map(([name, file]) => [name, resolve(folder, file)])) };
}

/** A credential on the command line replaces the one of the context, whichever way either is given. */
export function withFlags(base: Target, flags: TargetFlags): Target {
  const given = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
  const hasToken = flags.token !== undefined || flags.tokenFile !== undefined;
  const { token, tokenFile, ...rest } = base;
  return { ...rest, ...(hasToken ? {} : { token, tokenFile }), ...given };
}

/** With the port of wfdd where none is given. */
export function withPort(address: string): string {
  if (/^[^:[\]]+$/.test(address) || /^\[[^\]]*\]$/.test(address)) return `${address}:${PORT_DEFAULT}`;
  const isBareIpv6 = /^[0-9a-f]*:[0-9a-f:.]*:[0-9a-f.]*$/i.test(address);
  return isBareIpv6 ? `[${address}]:${PORT_DEFAULT}` : address;
}

/** Throws where it contradicts itself, or names no port. */
export function checkTarget(target: Target): void {
  const { address, tls, cert, key, token, tokenFile } = target;
  if (!hasPort(address))
    throw new Failure('usage', `The address ${address} has no port; give HOST, or HOST:PORT with a port up to 65535.`);
  if (tls === false && hasTlsOptions(target))
    throw new Failure(
      'usage',
      'Clear text has no certificates; leave out --no-tls, or --ca, --cert, --key and --server-name.',
    );
  if ((cert === undefined) !== (key === undefined))
    throw new Failure('usage', 'A certificate needs its key, and a key its certificate; give both, --cert and --key.');
  if (token !== undefined && tokenFile !== undefined)
    throw new Failure('usage', 'There are two tokens; give either --token or --token-file.');
}

/** A path needs none. */
function hasPort(address: string): boolean {
  const [, port] = /.:(\d{1,5})$/.exec(address) ?? [];
  return /^unix|\//.test(address) || (port !== undefined && Number(port) <= 65_535);
}

/** `readToken` is asked at each call: a token may be renewed while a watch runs. */
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
