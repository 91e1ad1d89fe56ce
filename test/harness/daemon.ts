/**
 * A daemon as the tests start it: `wfdd` as a process of its own, on this machine or as the Windows
 * bundle under Wine (`WFD_TEST_TARGET=wine`). It serves on a free port; its log is read as it is
 * written.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface DaemonProcess {
  readonly address: string;
  readonly log: readonly LogLine[];
  /** What came past the log. */
  readonly standardError: string;
  /** The first line, past or to come, with this event. */
  line(event: string): Promise<LogLine>;
  /** As an operator would: SIGTERM, or Ctrl+C on Windows. Resolves to the exit code. */
  stop(): Promise<number>;
  readonly exited: Promise<number>;
  /** At once, and without its knowledge. */
  kill(): Promise<void>;
  readonly pid: number | undefined;
}

export const isWine = process.env['WFD_TEST_TARGET'] === 'wine';
/** Times in tests are for Linux; under Wine everything takes longer. */
export const patience = isWine ? 10 : 1;

export const launcher = fileURLToPath(new URL('../../../service/wfdd.cjs', import.meta.url));

const always = ['--listen', '127.0.0.1:0', '--log-format', 'json', '--set', 'log.addresses=true'];

/** The daemon on the simulator, with the service that scripts it. */
export function startSimulated(...flags: string[]): Promise<DaemonProcess> {
  return startDaemon('--driver', 'simulator', '--simulator-service', ...flags);
}

export async function startDaemon(...flags: string[]): Promise<DaemonProcess> {
  const daemon = isWine ? await startWindows([...always, ...flags]) : startLocal([...always, ...flags]);
  const ended = daemon.exited.then((code) => {
    throw new Error(`wfdd ended with ${code} instead of serving:\n${daemon.log.map((line) => line.msg).join('\n')}`);
  });
  ended.catch(() => {});
  const { addresses } = await Promise.race([daemon.line('serving'), ended]);
  return {
    ...daemon,
    address: (addresses as string[])[0] ?? '',
    // Spread, they would be what has been written so far.
    get log() {
      return daemon.log;
    },
    get standardError() {
      return daemon.standardError;
    },
  };
}

/** What daemons are started under, as a command line: `valgrind ...`. */
const under = (process.env['WFD_DAEMON_UNDER'] ?? '').split(' ').filter(Boolean);

function startLocal(args: readonly string[]): Omit<DaemonProcess, 'address'> {
  const [program = process.execPath, ...before] = [...under, process.execPath, launcher];
  const child = spawn(program, [...before, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let standardError = '';
  child.stderr.on('data', (chunk: Buffer) => {
    standardError += chunk;
    process.stderr.write(chunk);
  });
  // A test process that dies takes its daemons with it.
  const killed = () => child.kill('SIGKILL');
  process.once('exit', killed);
  child.once('exit', () => process.removeListener('exit', killed));
  const lines = new Lines();
  let isKilled = false;
  const exited = once(child, 'exit').then(([code, signal]) => {
    if (signal !== null && !isKilled) {
      const last = lines.all.slice(-5).map((line) => JSON.stringify(line));
      process.stderr.write(`wfdd was ended by ${signal}; its last lines:\n${last.join('\n')}\n`);
    }
    return Number(code ?? 137);
  });
  createInterface({ input: child.stdout }).on('line', (text) => lines.add(text));
  return {
    log: lines.all,
    get standardError() {
      return standardError;
    },
    line: (event) => lines.first(event),
    exited,
    pid: child.pid,
    stop: () => {
      child.kill('SIGTERM');
      return exited;
    },
    kill: async () => {
      isKilled = true;
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function startWindows(args: readonly string[]): Promise<Omit<DaemonProcess, 'address'>> {
  const { startDaemon: startBundle } = await import('../windows/bundle.js');
  const child = startBundle(...args);
  const read = () => child.output().split(/\r?\n/).filter(isJson).map(parse);
  return {
    get log() {
      return read();
    },
    // Its console has one screen for both.
    standardError: '',
    line: async (event) =>
      read().find((line) => line.event === event) ??
      parse(await child.line((text) => isJson(text) && parse(text).event === event)),
    exited: child.exited,
    pid: undefined,
    stop: async () => {
      child.pressCtrlC();
      const code = await child.exited;
      await child.close();
      return code;
    },
    kill: () => child.close(),
  };
}

class Lines {
  readonly all: LogLine[] = [];
  readonly #waiting = new Set<(line: LogLine) => void>();

  add(text: string): void {
    if (!isJson(text)) return;
    const line = parse(text);
    this.all.push(line);
    for (const see of this.#waiting) see(line);
  }

  first(event: string): Promise<LogLine> {
    const past = this.all.find((line) => line.event === event);
    if (past !== undefined) return Promise.resolve(past);
    return new Promise((resolve) => {
      const see = (line: LogLine) => {
        if (line.event !== event) return;
        this.#waiting.delete(see);
        resolve(line);
      };
      this.#waiting.add(see);
    });
  }
}

function isJson(text: string): boolean {
  return text.startsWith('{') && text.endsWith('}');
}

function parse(text: string): LogLine {
  return JSON.parse(text) as LogLine;
}
