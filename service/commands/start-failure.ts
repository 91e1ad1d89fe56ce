/**
 * Reasons why the daemon cannot start that an operator can fix. They are logged as sentences
 * without a stack, and each kind has an exit code.
 */

import { type ListenAddress, parseListenAddress } from '../config/listen.js';
import { EXIT } from './command-line.js';

export class StartFailure extends Error {
  readonly exitCode: number;
  readonly fields: Readonly<Record<string, string>>;

  constructor(message: string, exitCode: number, fields: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'StartFailure';
    this.exitCode = exitCode;
    this.fields = fields;
  }
}

/** Logs why the daemon cannot start. Returns the exit code of the process. */
export function logStartFailure(
  log: { error(event: string, message: string, fields: Readonly<Record<string, unknown>>): void },
  error: unknown,
): number {
  const why = error instanceof Error ? error.message : String(error);
  const known = error instanceof StartFailure ? error : undefined;
  log.error('start-failed', `wfdd cannot start: ${why}`, known?.fields ?? { err: error });
  return known?.exitCode ?? EXIT.internal;
}

/** A range of ports, both ends included. */
type PortRange = readonly [first: number, last: number];

interface AddressHost {
  readonly platform: NodeJS.Platform;
  /** The port ranges that Windows has reserved. */
  readonly excludedPorts: () => Promise<readonly PortRange[]>;
}

/** Explains why an address cannot be bound, and what to do. */
export async function addressFailure(address: string, error: unknown, host: AddressHost): Promise<StartFailure> {
  const { code: given, message } = error as NodeJS.ErrnoException;
  const isUnknownName = /name resolution failed|ENOTFOUND|EAI_/i.test(message);
  const code = isUnknownName ? 'ENOTFOUND' : (given ?? /\bE[A-Z]{3,}\b/.exec(message)?.[0] ?? '');
  const [why, remedy] = await explain(code, parseListenAddress(address), host);
  const shown = code === '' ? message : code;
  return new StartFailure(`Cannot listen on ${address}: ${why} (${shown}). ${remedy}`, EXIT.address, { address, code });
}

type Explanation = readonly [why: string, remedy: string];

async function explain(code: string, address: ListenAddress, host: AddressHost): Promise<Explanation> {
  if (address.kind === 'tcp') return explainPort(code, address.port, host);
  const what = address.kind === 'unix' ? 'socket' : 'pipe';
  switch (code) {
    case 'EADDRINUSE':
      return [`another program uses this ${what}`, `Stop that program, or configure another ${what}.`];
    case 'EACCES':
    case 'EPERM':
      return address.kind === 'pipe'
        ? ['another program owns this pipe', 'Stop that program, or configure another pipe.']
        : [
            'its folder does not exist, or this account cannot write to it',
            'Create the folder, for example /run/wfdd, and make the account of the daemon its owner.',
          ];
    case 'ENOENT':
    case 'ENOTDIR':
      return ['its folder does not exist', 'Create the folder and make the account of the daemon its owner.'];
    default:
      return ['the system refuses it', `Configure another ${what} in listen.`];
  }
}

async function explainPort(code: string, port: number, host: AddressHost): Promise<Explanation> {
  const other = 'choose another port (--listen, or metrics.listen)';
  switch (code) {
    case 'EADDRINUSE': {
      const show = host.platform === 'win32' ? `netstat -ano | findstr :${port}` : `ss -ltnp "sport = :${port}"`;
      return ['another program uses this port', `Stop that program (find it with: ${show}), or ${other}.`];
    }
    case 'EADDRNOTAVAIL':
      return [
        'this host does not have this address',
        'Use an address of this host, or 0.0.0.0 or [::] for all addresses.',
      ];
    case 'ENOTFOUND':
      return ['the host name cannot be resolved', 'Use an IP address, such as 127.0.0.1.'];
    case 'EACCES':
    case 'EPERM':
      return host.platform === 'win32' ? explainExcluded(port, host) : explainPrivileged(port, other);
    default:
      return ['the system refuses it', `Use another address, or ${other}.`];
  }
}

function explainPrivileged(port: number, other: string): Explanation {
  return port < 1024
    ? [
        'this account cannot use ports below 1024',
        `C${other.slice(1)}, or give the daemon the capability CAP_NET_BIND_SERVICE (in systemd: AmbientCapabilities=).`,
      ]
    : ['the system does not allow this account to use it', `Check the rules of SELinux or similar, or ${other}.`];
}

const SHOW_EXCLUDED = 'netsh interface ipv4 show excludedportrange protocol=tcp';

/** Hyper-V, WSL and Docker reserve ranges of ports at every start of Windows (D-89). */
async function explainExcluded(port: number, { excludedPorts }: AddressHost): Promise<Explanation> {
  const range = (await excludedPorts()).find(([first, last]) => first <= port && port <= last);
  const why =
    range === undefined
      ? 'Windows has reserved this port, or another program uses it exclusively'
      : `Windows has reserved the ports ${range[0]} to ${range[1]}`;
  return [why, `Choose a port outside the ranges that this command lists: ${SHOW_EXCLUDED}`];
}

/** Parses the output of `netsh` in any language: lines that begin with two numbers. */
export function parseExcludedPorts(text: string): PortRange[] {
  return [...text.matchAll(/^\s*(\d{1,5})\s+(\d{1,5})\b/gm)].map(([, first, last]) => [Number(first), Number(last)]);
}

/** Asks Windows. Returns an empty list if netsh fails or does not answer. */
export async function readExcludedPorts(environment = process.env): Promise<readonly PortRange[]> {
  const { execFile } = await import('node:child_process');
  const netsh = `${environment['SystemRoot'] ?? 'C:\\Windows'}\\System32\\netsh.exe`;
  const words = SHOW_EXCLUDED.split(' ').slice(1);
  return new Promise((resolve) => {
    execFile(netsh, words, { timeout: 3000, windowsHide: true }, (_, text) => resolve(parseExcludedPorts(text)));
  });
}
