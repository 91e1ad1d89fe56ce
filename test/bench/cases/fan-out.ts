/**
 * One event to many watchers, a burst of events to some, and what a watcher costs that hears
 * nothing.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, type Case, inTurns } from '../bench.js';
import { figure, type Measured, type Round } from '../figure.js';
import * as calls from '../load/calls.js';
import type { Connection } from '../load/connection.js';
import type { PreparedCall } from '../load/frames.js';
import { burst as burstOf, closedLoop } from '../load/loop.js';
import { Watchers } from '../load/watchers.js';
import type { ServerProcess } from '../servers/server-process.js';
import { percentile } from '../statistics.js';

const SETTINGS = ['limits.watchersMax=2000', 'limits.watchersPerPrincipalMax=2000'];
const BURST_IN_FLIGHT = 100;
const SETTLE_MS = 1000;
const KILOBYTE = 1e3;

/** A server with watchers, and a connection beside theirs on which events are caused. */
class Subject {
  readonly #connection: Connection;
  readonly #renew: PreparedCall;
  readonly #watchers: Watchers;
  readonly #count: number;

  private constructor(connection: Connection, watchers: Watchers, count: number) {
    this.#connection = connection;
    this.#watchers = watchers;
    this.#count = count;
    this.#renew = calls.renewSession('held-0');
  }

  static async create(server: ServerProcess, count: number): Promise<Subject> {
    const connection = await server.connect();
    await calls.hold(server, 1);
    return new Subject(connection, await Watchers.open(await server.connect(), count), count);
  }

  /** One event after another, each when every watcher has the one before. */
  async oneByOne(roundMs: number): Promise<Round> {
    const latenciesMs: number[] = [];
    const operation = async () => {
      const sentMs = performance.now();
      const delivery = this.#watchers.delivery(this.#count, () => latenciesMs.push(performance.now() - sentMs));
      await this.#connection.answer(this.#renew);
      await delivery;
    };
    const { perSecond } = await closedLoop(operation, 1, roundMs);
    return {
      perSecond: perSecond * this.#count,
      p50Ms: percentile(latenciesMs, 50),
      p99Ms: percentile(latenciesMs, 99),
    };
  }

  /** So many events as fast as they can be caused, until every watcher has the last. */
  async burst(events: number): Promise<Round> {
    const startMs = performance.now();
    const before = this.#watchers.messages;
    const delivery = this.#watchers.delivery(events * this.#count);
    await burstOf(() => this.#connection.answer(this.#renew), BURST_IN_FLIGHT, events);
    await delivery;
    const deliveries = events * this.#count;
    const perSecond = (deliveries / (performance.now() - startMs)) * 1000;
    return { perSecond, eventsPerMessage: deliveries / (this.#watchers.messages - before) };
  }
}

async function* compare(
  bench: Bench,
  name: string,
  count: number,
  rounds: number,
  measured: readonly Measured[],
  measure: (subject: Subject, round: number) => Promise<Round>,
) {
  await using gateway = await bench.gateway({ settings: SETTINGS });
  await using bare = await bench.bare();
  const subjects = { gateway: await Subject.create(gateway, count), bare: await Subject.create(bare, count) };
  const results = await inTurns(subjects, rounds, measure);
  for (const each of measured) yield figure(name, each, results.gateway, results.bare);
}

export const fanOut: Case = {
  name: 'fan-out',
  title: 'one event to 1, 100 and 1,000 watchers',
  async *figures(bench: Bench) {
    for (const count of bench.extent.isQuick ? [1, 10] : [1, 100, 1000]) {
      const to = `to ${count.toLocaleString('en-US')}`;
      const measured: Measured[] = [
        { name: `deliveries, ${to}`, unit: '/s', key: 'perSecond', aim: { of: 'ratio', atLeast: 0.85 } },
        { name: `event to receipt p50, ${to}`, unit: 'ms', key: 'p50Ms', aim: { of: 'ratio', atMost: 1.3 } },
        { name: `event to receipt p99, ${to}`, unit: 'ms', key: 'p99Ms', aim: { of: 'ratio', atMost: 1.3 } },
      ];
      yield* compare(bench, 'fan-out', count, bench.size(3, 1), measured, (subject) =>
        subject.oneByOne(bench.extent.roundMs),
      );
    }
  },
};

export const burst: Case = {
  name: 'burst',
  title: 'a burst of 10,000 events to 100 watchers',
  async *figures(bench: Bench) {
    const measured: Measured[] = [
      { name: 'deliveries', unit: '/s', key: 'perSecond', aim: { of: 'ratio', atLeast: 2 } },
      { name: 'events of a message', unit: '', key: 'eventsPerMessage' },
    ];
    const events = bench.size(10_000, 200);
    // It takes long, and needs no long warming up.
    const eventsOf = (round: number) => (round < 0 ? events / 10 : events);
    yield* compare(bench, 'burst', bench.size(100, 10), bench.size(2, 1), measured, (subject, round) =>
      subject.burst(eventsOf(round)),
    );
  },
};

export const idleWatchers: Case = {
  name: 'idle-watchers',
  title: 'memory of a watcher that hears nothing',
  async *figures(bench: Bench) {
    const count = bench.size(1000, 50);
    const rounds: { gateway: Round[]; bare: Round[] } = { gateway: [], bare: [] };
    for (let round = 0; round < bench.size(3, 1); round += 1) {
      await using gateway = await bench.gateway({ settings: SETTINGS });
      await using bare = await bench.bare();
      rounds.gateway.push(await memoryOf(gateway, count, bench.size(SETTLE_MS, 0)));
      rounds.bare.push(await memoryOf(bare, count, bench.size(SETTLE_MS, 0)));
    }
    const name = `memory of one of ${count.toLocaleString('en-US')}`;
    yield figure(
      'idle-watchers',
      { name, unit: 'KB', key: 'kilobytes', aim: { of: 'gateway', atMost: 30 } },
      rounds.gateway,
      rounds.bare,
    );
  },
};

async function memoryOf(server: ServerProcess, count: number, settleMs: number): Promise<Round> {
  // What the first watchers load and compile is not theirs.
  await Watchers.open(await server.connect(), 10);
  await sleep(settleMs);
  const before = server.residentBytes();
  await Watchers.open(await server.connect(), count);
  await sleep(settleMs);
  return { kilobytes: (server.residentBytes() - before) / count / KILOBYTE };
}
