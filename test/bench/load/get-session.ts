/** `GetSession` again and again, and what it costs the server. */
import { performance } from 'node:perf_hooks';
import type { Round } from '../figure.js';
import type { ServerProcess } from '../servers/server-process.js';
import * as calls from './calls.js';
import { closedLoop, type Operation } from './loop.js';

export class GetSession {
  readonly #server: ServerProcess;
  readonly #get: Operation;

  private constructor(server: ServerProcess, get: Operation) {
    this.#server = server;
    this.#get = get;
  }

  static async on(server: ServerProcess): Promise<GetSession> {
    await calls.hold(server, 1);
    const connection = await server.connect();
    const call = calls.getSession('held-0');
    return new GetSession(server, () => connection.answer(call));
  }

  async measure(inFlight: number, durationMs: number): Promise<Round> {
    const cpuMs = this.#server.cpuMs();
    const client = performance.eventLoopUtilization();
    const { perSecond, p50Ms, p99Ms, count } = await closedLoop(this.#get, inFlight, durationMs);
    const clientPercent = performance.eventLoopUtilization(client).utilization * 100;
    return { perSecond, p50Ms, p99Ms, cpuUs: ((this.#server.cpuMs() - cpuMs) * 1000) / count, clientPercent };
  }
}
