/**
 * Where a host is and what it wants to see: from a context, from flags, or both.
 *
 * The rule that must not be broken: what a context holds, its token above all, goes to the host of that context alone. So
 * `--address` leaves the contexts aside, unless `--context` names one as well.
 */
import { dirname, resolve } from 'node:path';
import type { ConnectOptions } from '../../../typescript/src/client.js';
import { Failure } from '../failure.js';
import type { ContextFile } from './context-file.js';

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

export interface Choice {
  readonly target: Target;
  /** The name of the context, where one is used. */
  readonly context?: string | undefined;
}

/** What was asked for: by the flags, by `WFDCTL_CONTEXT`, or by the file. */
export interface Wishes {
  readonly flags: TargetFlags & { readonly context?: string | undefined };
  readonly context: string | undefined;
}

/** `contexts` is asked only where it matters: with an address alone, not even a file that is wrong does. */
export async function chooseTarget(
  { flags: { context: named, ...flags }, context: wished }: Wishes,
  contexts: () => Promise<ContextFile>,
): Promise<Choice> {
  if (named === undefined && flags.address !== undefined) return { target: complete(flags.address, flags) };
  const file = await contexts();
  const context = named ?? (wished || file.current);
  if (context === undefined) return { target: complete(ADDRESS_DEFAULT, flags) };
  const target = withFlags(withFullPaths(contextOf(context, file), dirname(file.file)), flags);
  return { target: complete(target.address, target), context };
}

function complete(address: string, target: TargetFlags): Target {
  return { ...target, address: withPort(address) };
}

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

function contextOf(name: string, { contexts, file }: ContextFile): Target {
  const target = contexts.get(name);
  if (target !== undefined) return target;
  throw new Failure('config', `There is no context ${name} in ${file}; wfdctl context list shows those there are.`);
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
