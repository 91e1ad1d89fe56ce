/**
 * What operations cost while 10, 1,000 and 10,000 sessions are open: it should not grow with them.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Case } from '../bench.js';
import { type Figure, figure, type Round } from '../figure.js';
import * as calls from '../load/calls.js';
import { closedLoop, type Operation } from '../load/loop.js';
import type { ServerProcess } from '../servers/server-process.js';

const SETTINGS = ['limits.sessionsMax=20000', 'limits.sessionsPerPrincipalMax=20000'];
const CALLS_IN_FLIGHT = 10;
const PAGE = 50;
const KILOBYTE = 1e3;

/** More than this is no longer flat. */
const FLAT = 1.3;

const operations = [
  { name: 'GetSession', key: 'get' },
  { name: 'RenewSession', key: 'renew' },
  { name: `ListSessions, a page of ${PAGE}`, key: 'list' },
  { name: 'open, OPEN, close, CLOSED', key: 'cycle' },
] as const;

export const held: Case = {
  name: 'held',
  title: 'cost of an operation while sessions are held',
  async *figures(bench: Bench) {
    const counts = bench.extent.isQuick ? [10, 20] : [10, 1000, 10_000];
    let few: readonly Round[] = [];
    for (const count of counts) {
      const rounds = await measure(bench, count);
      yield* show(count, rounds, few, counts[0] ?? 0);
      if (few.length === 0) few = rounds;
    }
  },
};

function* show(count: number, rounds: readonly Round[], few: readonly Round[], fewCount: number): Iterable<Figure> {
  const held = `${count.toLocaleString('en-US')} held`;
  for (const { name, key } of operations) {
    const measured = { name: `${name}, ${held}`, unit: 'µs', key };
    const aim = few.length === 0 ? {} : { aim: { of: 'ratio' as const, atMost: FLAT } };
    yield figure('held', { ...measured, ...aim }, rounds, few, `${fewCount} held`);
  }
  yield figure('held', { name: `processor use when idle, ${held}`, unit: '%', key: 'idlePercent' }, rounds);
  yield figure('held', { name: `memory of a session, ${held}`, unit: 'KB', key: 'kilobytes' }, rounds);
}

async function measure(bench: Bench, count: number): Promise<Round[]> {
  const { rounds, roundMs } = bench.extent;
  await using gateway = await bench.gateway({ settings: SETTINGS, devices: count + 1 });
  const connection = await gateway.connect();
  const before = gateway.residentBytes();
  await calls.hold(gateway, count);
  const kilobytes = (gateway.residentBytes() - before) / count / KILOBYTE;
  const get = calls.getSession('held-0');
  const renew = calls.renewSession('held-0');
  const list = calls.listSessions(PAGE);
  let cycles = 0;
  const cycle = () => {
    cycles += 1;
    return calls.cycle(connection, `cycle-${cycles}`, count);
  };
  const cost = async (operation: Operation, inFlight: number) =>
    1e6 / (await closedLoop(operation, inFlight, roundMs / 2)).perSecond;
  const results: Round[] = [];
  for (let round = -1; round < rounds; round += 1) {
    const result = {
      get: await cost(() => connection.answer(get), CALLS_IN_FLIGHT),
      renew: await cost(() => connection.answer(renew), CALLS_IN_FLIGHT),
      list: await cost(() => connection.answer(list), CALLS_IN_FLIGHT),
      cycle: await cost(cycle, 1),
      idlePercent: await idlePercent(gateway, roundMs),
      kilobytes,
    };
    if (round >= 0) results.push(result);
  }
  return results;
}

async function idlePercent(gateway: ServerProcess, forMs: number): Promise<number> {
  const cpuMs = gateway.cpuMs();
  const startMs = performance.now();
  await sleep(forMs);
  return ((gateway.cpuMs() - cpuMs) / (performance.now() - startMs)) * 100;
}
