/** Parses the addresses that the daemon listens on. */
import { isIP, isIPv4 } from 'node:net';

export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'pipe'; readonly name: string };

/** The shortest limit among kernels (macOS: 104 with the final zero; Linux: 108). */
const SOCKET_PATH_BYTES_MAX = 103;

/**
 * Reads `host:port`, `[ipv6]:port`, `unix:/path` or `pipe:name`. Throws an Error whose message says
 * what is wrong.
 */
export function parseListenAddress(text: string): ListenAddress {
  if (text.startsWith('unix:')) return { kind: 'unix', path: socketPath(text.slice('unix:'.length)) };
  if (text.startsWith('pipe:')) return { kind: 'pipe', name: pipeName(text.slice('pipe:'.length)) };

  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || digits === undefined) {
    throw new Error(
      isIP(text) === 6 || text.split(':').length > 2
        ? 'Put an IPv6 address in brackets, like "[::1]:50051".'
        : 'Expected "host:port".',
    );
  }
  if (bracketed !== undefined && isIP(bracketed) !== 6) throw new Error('The text in brackets is not an IPv6 address.');
  if (!/^[\w.:%-]+$/.test(host)) throw new Error('The host is neither a name nor an IP address.');
  const port = Number(digits);
  if (port > 65_535) throw new Error('The port is above 65535.');
  return { kind: 'tcp', host, port };
}

export function isNetworkAddress(text: string): boolean {
  return !/^(unix|pipe):/.test(text);
}

/**
 * Whether only this host can reach the address. Any name except `localhost` counts as reachable
 * from other machines.
 */
export function isLocal(address: ListenAddress): boolean {
  if (address.kind !== 'tcp') return true;
  const host = address.host.toLowerCase();
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** The address in the form that grpc-js binds. */
export function bindTarget(address: ListenAddress): string {
  switch (address.kind) {
    case 'tcp':
      return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
    case 'unix':
      return `unix:${address.path}`;
    case 'pipe':
      return `unix:\\\\.\\pipe\\${address.name}`;
  }
}

function socketPath(path: string): string {
  if (!path.startsWith('/')) throw new Error('The path of a socket must be absolute, like "unix:/run/wfdd.sock".');
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
    throw new Error(`The path of a socket can have at most ${SOCKET_PATH_BYTES_MAX} bytes.`);
  }
  return path;
}

function pipeName(name: string): string {
  if (!/^[\w.-]{1,200}$/.test(name)) {
    throw new Error('A pipe name has 1 to 200 letters, digits, ".", "_" or "-", like "pipe:wfdd".');
  }
  return name;
}
