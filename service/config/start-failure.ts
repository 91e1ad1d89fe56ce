/**
 * Why the daemon can't start, where whoever runs it can do something about it: told as sentences, without a stack, and
 * with an exit code that says what kind it is.
 */
import { EXIT } from './command-line.js';
import { type ListenAddress, parseListenAddress } from './listen.js';

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

/** Logs why the daemon can't start; the answer is the code that the process ends with. */
export function tellStartFailure(
  log: { error(event: string, message: string, fields: Readonly<Record<string, unknown>>): void },
  error: unknown,
): number {
  const why = error instanceof Error ? error.message : String(error);
  const known = error instanceof StartFailure ? error : undefined;
  log.error('start-failed', `wfdd can't start: ${why}`, known?.fields ?? { err: error });
  return known?.exitCode ?? EXIT.internal;
}

/** A range of ports, both ends included. */
export type PortRange = readonly [first: number, last: number];

export interface AddressHost {
  readonly platform: NodeJS.Platform;
  /** The ports that Windows gives to nobody who asks for them. */
  readonly excludedPorts: () => Promise<readonly PortRange[]>;
}

/** Why an address of the configuration can't be bound, and what to do. */
export async function addressFailure(address: string, error: unknown, host: AddressHost): Promise<StartFailure> {
  const { code: given, message } = error as NodeJS.ErrnoException;
  const isUnknownName = /name resolution failed|ENOTFOUND|EAI_/i.test(message);
  const code = isUnknownName ? 'ENOTFOUND' : (given ?? /\bE[A-Z]{3,}\b/.exec(message)?.[0] ?? '');
  const [why, remedy] = await explain(code, parseListenAddress(address), host);
  const shown = code === '' ? message : code;
  return new StartFailure(`${address} can't be served: ${why} (${shown}). ${remedy}`, EXIT.address, { address, code });
}

type Explanation = readonly [why: string, remedy: string];

async function explain(code: string, address: ListenAddress, host: AddressHost): Promise<Explanation> {
  if (address.kind === 'tcp') return explainPort(code, address.port, host);
  const what = address.kind === 'unix' ? 'socket' : 'pipe';
  switch (code) {
    case 'EADDRINUSE':
      return [`another program serves this ${what}`, `Stop that program, or name another ${what}.`];
    case 'EACCES':
    case 'EPERM':
      return address.kind === 'pipe'
        ? ['another program has made this pipe', 'Stop that program, or name another pipe.']
        : [
            'its folder is missing, or this account may not write to it',
            'Make the folder, such as /run/wfdd, and give it to the account of the daemon.',
          ];
    case 'ENOENT':
    case 'ENOTDIR':
      return ['its folder is missing', 'Make the folder, and give it to the account of the daemon.'];
    default:
      return ['the system refuses it', `Name another ${what} in listen.`];
  }
}

async function explainPort(code: string, port: number, host: AddressHost): Promise<Explanation> {
  const other = 'choose another port (--listen, or metrics.listen)';
  switch (code) {
    case 'EADDRINUSE': {
      const show = host.platform === 'win32' ? `netstat -ano | findstr :${port}` : `ss -ltnp "sport = :${port}"`;
      return ['another program uses this port', `Stop that program (${show} shows it), or ${other}.`];
    }
    case 'EADDRNOTAVAIL':
      return ['this host has no such address', 'Name an address of this host, or 0.0.0.0 or [::] for all of them.'];
    case 'ENOTFOUND':
      return ['the name of the host is not known here', 'Name an address, such as 127.0.0.1.'];
    case 'EACCES':
    case 'EPERM':
      return host.platform === 'win32' ? explainExcluded(port, host) : explainPrivileged(port, other);
    default:
      return ['the system refuses it', `Name another address, or ${other}.`];
  }
}

function explainPrivileged(port: number, other: string): Explanation {
  return port < 1024
    ? [
        'this account may not serve ports below 1024',
        `C${other.slice(1)}, or give the daemon the capability CAP_NET_BIND_SERVICE (AmbientCapabilities= of systemd).`,
      ]
    : ['the system does not let this account serve it', `Look for a rule of SELinux or the like, or ${other}.`];
}

const SHOW_EXCLUDED = 'netsh interface ipv4 show excludedportrange protocol=tcp';

/** Hyper-V, and what stands on it such as WSL and Docker, set aside ranges of ports at every start of Windows. */
async function explainExcluded(port: number, { excludedPorts }: AddressHost): Promise<Explanation> {
  const range = (await excludedPorts()).find(([first, last]) => first <= port && port <= last);
  const why =
    range === undefined
      ? 'Windows does not give out this port: it is set aside, or another program has it for itself alone'
      : `Windows has set aside the ports ${range[0]} to ${range[1]}`;
  return [why, `Choose a port outside of the ranges that this shows: ${SHOW_EXCLUDED}`];
}

/** What `netsh` shows, whatever language it speaks: lines that begin with two numbers. */
export function parseExcludedPorts(text: string): PortRange[] {
  return [...text.matchAll(/^\s*(\d{1,5})\s+(\d{1,5})\b/gm)].map(([, first, last]) => [Number(first), Number(last)]);
}

/** Asks Windows; nothing where it does not answer. */
export async function readExcludedPorts(environment = process.env): Promise<readonly PortRange[]> {
  const { execFile } = await import('node:child_process');
  const netsh = `${environment['SystemRoot'] ?? 'C:\\Windows'}\\System32\\netsh.exe`;
  const words = SHOW_EXCLUDED.split(' ').slice(1);
  return new Promise((resolve) => {
    execFile(netsh, words, { timeout: 3000, windowsHide: true }, (_, text) => resolve(parseExcludedPorts(text)));
  });
}
