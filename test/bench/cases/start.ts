/**
 * From the start of the process to SERVING, and what it holds of memory when it has done nothing
 * since.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Case } from '../bench.js';
import { figure } from '../figure.js';
import type { ServerProcess } from '../servers/server-process.js';

const MEGABYTE = 1e6;

export const start: Case = {
  name: 'start',
  title: 'start to SERVING, and memory when idle',
  async *figures(bench: Bench) {
    await using started = new Started();
    for (let round = 0; round < bench.extent.rounds; round += 1) {
      started.gateways.push(await bench.gateway());
      started.bares.push(await bench.bare());
    }
    const starts = ({ startMs }: ServerProcess) => ({ startMs });
    yield figure(
      'start',
      { name: 'start to SERVING', unit: 'ms', key: 'startMs', aim: { of: 'gateway', atMost: 500 } },
      started.gateways.map(starts),
      started.bares.map(starts),
    );
    const idleSeconds = bench.size(5, 0.2);
    await sleep(idleSeconds * 1000);
    const memory = (server: ServerProcess) => ({ megabytes: server.residentBytes() / MEGABYTE });
    yield figure(
      'start',
      {
        name: `resident after ${idleSeconds} s idle`,
        unit: 'MB',
        key: 'megabytes',
        aim: { of: 'gateway', atMost: 90 },
      },
      started.gateways.map(memory),
      started.bares.map(memory),
    );
  },
};

/** Servers that have been started in turns and left alone. */
class Started implements AsyncDisposable {
  readonly gateways: ServerProcess[] = [];
  readonly bares: ServerProcess[] = [];

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [...this.gateways, ...this.bares]) await server[Symbol.asyncDispose]();
  }
}
