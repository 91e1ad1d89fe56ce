/**
 * A server under measurement: a process of its own, started, looked at from outside, and killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetSessionRequest } from '../../../proto/gen/wifidirect/v1/session_service.js';
import { Connection, type Reach } from '../load/connection.js';
import { PreparedCall } from '../load/frames.js';
import { outputFolder } from '../output.js';

const LOOK_MS = 2;
const START_TIMEOUT_MS = 20_000;
/** Of /proc/PID/stat, on every Linux that Node runs on. */
const CLOCK_TICK_MS = 10;
/** Fails with NOT_FOUND. */
const firstCall = new PreparedCall(
  '/wifidirect.v1.SessionService/GetSession',
  GetSessionRequest.encode({ sessionId: 'none' }).finish(),
);

let started = 0;
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class ServerProcess implements AsyncDisposable {
  readonly address: string;
  /** From the start of the process until it has said that it serves. */
  readonly startMs: number;
  readonly #child: ChildProcess;
  readonly #output: string;
  readonly #reach: Reach;
  readonly #connections: Connection[] = [];

  private constructor(child: ChildProcess, output: string, address: string, startMs: number, reach: Reach) {
    this.#child = child;
    this.#output = output;
    this.#reach = reach;
    this.address = address;
    this.startMs = startMs;
  }

  /**
   * Runs `node ...args`; what it prints goes to a file, as a pipe would make its log a matter of
   * who reads it.
   */
  static async start(
    name: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
    reach: Reach = {},
  ): Promise<ServerProcess> {
    started += 1;
    const output = join(outputFolder, `${name}-${started}.log`);
    const file = openSync(output, 'w');
    const startMs = performance.now();
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', file, 'inherit'],
      env: { ...process.env, ...env },
    });
    closeSync(file);
    running.add(child);
    child.once('exit', () => running.delete(child));
    while (performance.now() - startMs < START_TIMEOUT_MS && child.exitCode === null) {
      const address = servedAddress(readFileSync(output, 'utf8'));
      if (address !== undefined) return new ServerProcess(child, output, address, performance.now() - startMs, reach);
      await sleep(LOOK_MS);
    }
    child.kill('SIGKILL');
    throw new Error(`the ${name} server did not start:\n${readFileSync(output, 'utf8')}`);
  }

  /** A connection whose first call has been admitted: until then it would have few streams. */
  async connect(): Promise<Connection> {
    const connection = await Connection.open(this.address, this.#reach);
    this.#connections.push(connection);
    await connection.answer(firstCall).catch(() => {});
    return connection;
  }

  /** What it holds of the machine's memory; NaN where there is no /proc. */
  residentBytes(): number {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(this.#proc('status')) ?? [];
    return Number(kilobytes ?? Number.NaN) * 1024;
  }

  /**
   * What it has used of the processors so far, with all its threads; NaN where there is no /proc.
   */
  cpuMs(): number {
    const stat = this.#proc('stat');
    // utime and stime, the 14th and 15th, after the name in brackets, which may have spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11] ?? Number.NaN) + Number(fields[12] ?? Number.NaN)) * CLOCK_TICK_MS;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()));
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL');
      await once(this.#child, 'exit');
    }
    rmSync(this.#output);
  }

  #proc(file: string): string {
    return process.platform === 'linux' ? readFileSync(`/proc/${this.#child.pid}/${file}`, 'utf8') : '';
  }
}

function servedAddress(output: string): string | undefined {
  const line = output.split('\n').find((text) => text.includes('"event":"serving"') && text.endsWith('}'));
  return line && (JSON.parse(line) as { addresses: string[] }).addresses[0];
}
