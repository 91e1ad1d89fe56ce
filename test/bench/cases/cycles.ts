/**
 * Whole lives of sessions: open, OPEN, close, CLOSED. And how long an open takes from the native
 * callback to the client.
 */
import { type Bench, type Case, inTurns } from '../bench.js';
import { figure, type Measured } from '../figure.js';
import * as calls from '../load/calls.js';
import type { Connection } from '../load/connection.js';
import { closedLoop } from '../load/loop.js';
import type { ServerProcess } from '../servers/server-process.js';
import { readCallbackTimes } from '../servers/simulator-library.js';
import { percentile } from '../statistics.js';

const IN_FLIGHT = [1, 16];
/** So long that the server has done with the request when the callback comes. */
const OPEN_MS = 5;

export const cycles: Case = {
  name: 'cycles',
  title: 'open, OPEN, close, CLOSED, with no simulated delay',
  async *figures(bench: Bench) {
    const { rounds, roundMs } = bench.extent;
    await using gateway = await bench.gateway();
    await using bare = await bench.bare();
    const subjects = {
      gateway: new SessionCycles(gateway, await gateway.connect()),
      bare: new SessionCycles(bare, await bare.connect()),
    };
    for (const inFlight of IN_FLIGHT) {
      const results = await inTurns(subjects, rounds, (subject) => subject.measure(inFlight, roundMs));
      const show = (measured: Measured) =>
        figure(
          'cycles',
          { ...measured, name: `${measured.name}, ${inFlight} in flight` },
          results.gateway,
          results.bare,
        );
      yield show({ name: 'cycles', unit: '/s', key: 'perSecond', aim: { of: 'ratio', atLeast: 0.85 } });
      yield show({ name: 'cycle p50', unit: 'ms', key: 'p50Ms', aim: { of: 'ratio', atMost: 1.3 } });
      yield show({ name: 'cycle p99', unit: 'ms', key: 'p99Ms', aim: { of: 'ratio', atMost: 1.3 } });
      yield show({ name: 'processor time of a cycle', unit: 'µs', key: 'cpuUs' });
    }
  },
};

export const callback: Case = {
  name: 'callback',
  title: 'from the native callback (bare server: from the write) to the receipt of OPEN',
  async *figures(bench: Bench) {
    const { rounds, roundMs } = bench.extent;
    await using gateway = await bench.gateway({ openMs: OPEN_MS });
    await using bare = await bench.bare({ openMs: OPEN_MS });
    const ours = new SessionCycles(gateway, await gateway.connect());
    const theirs = new SessionCycles(bare, await bare.connect());
    let seen = 0;
    const results = await inTurns({ gateway: ours, bare: theirs }, rounds, async (subject) => {
      subject.openings.length = 0;
      await subject.measure(1, roundMs);
      const { openings } = subject;
      // One session after another, so the callbacks are in the order of the receipts.
      const begins =
        subject === ours ? readCallbackTimes().slice(seen) : openings.map(({ epoch }) => BigInt(`0x${epoch}`));
      if (subject === ours) seen += begins.length;
      if (begins.length !== openings.length) throw new Error(`${begins.length} callbacks, ${openings.length} OPEN`);
      const delaysMs = openings.map(({ timeNs }, index) => Number(timeNs - (begins[index] ?? 0n)) / 1e6);
      return { p50Ms: percentile(delaysMs, 50), p99Ms: percentile(delaysMs, 99) };
    });
    for (const percent of [50, 99]) {
      const measured = { name: `callback to receipt p${percent}`, unit: 'ms', key: `p${percent}Ms` };
      yield figure('callback', { ...measured, aim: { of: 'ratio', atMost: 1.3 } }, results.gateway, results.bare);
    }
  },
};

/** Cycles on one server, one after another or some at a time. */
export class SessionCycles {
  /** Each OPEN that was received, and the epoch that it named. */
  readonly openings: { readonly timeNs: bigint; readonly epoch: string }[] = [];
  readonly #server: ServerProcess;
  readonly #connection: Connection;
  /** Devices without a session: a device has one at a time. */
  readonly #devices = Array.from({ length: Math.max(...IN_FLIGHT) }, (_, device) => device);
  #sessions = 0;

  constructor(server: ServerProcess, connection: Connection) {
    this.#server = server;
    this.#connection = connection;
  }

  async measure(inFlight: number, roundMs: number) {
    const cpuMs = this.#server.cpuMs();
    const { perSecond, p50Ms, p99Ms, count } = await closedLoop(() => this.#cycle(), inFlight, roundMs);
    return { perSecond, p50Ms, p99Ms, cpuUs: ((this.#server.cpuMs() - cpuMs) * 1000) / count };
  }

  async #cycle(): Promise<void> {
    this.#sessions += 1;
    const device = this.#devices.shift() ?? 0;
    await calls.cycle(this.#connection, `cycle-${this.#sessions}`, device, (timeNs, { event }) =>
      this.openings.push({ timeNs, epoch: event?.epoch ?? '' }),
    );
    this.#devices.push(device);
  }
}
