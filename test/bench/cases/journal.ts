/**
 * What a journal costs: calls, cycles and starts of a gateway that keeps one beside one that keeps
 * none.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Bench, type Case, inTurns } from '../bench.js';
import { type Figure, figure, type Measured, type Round } from '../figure.js';
import * as calls from '../load/calls.js';
import { GetSession } from '../load/get-session.js';
import { outputFolder } from '../output.js';
import { SessionCycles } from './cycles.js';

/** As many as a host with much to do keeps. */
const EVENTS = 100_000;
const WITHOUT = 'no journal';

export const journal: Case = {
  name: 'journal',
  title: 'with a journal, in turns with a gateway that keeps none',
  async *figures(bench: Bench) {
    using folders = new Folders();
    for (const durability of ['process', 'disk'] as const) yield* costOf(durability, bench, folders);
    yield* starts(bench, folders);
  },
};

/**
 * What is kept at this level, beside nothing. Only what `process` costs has an aim: `disk` is a
 * matter of the disk.
 */
async function* costOf(durability: 'process' | 'disk', bench: Bench, folders: Folders): AsyncGenerator<Figure> {
  const { rounds, roundMs } = bench.extent;
  await using kept = await bench.gateway({
    settings: [`journal.folder=${folders.make()}`, `journal.durability=${durability}`],
  });
  await using none = await bench.gateway();
  const atLeast = (ratio: number) =>
    durability === 'process' ? { aim: { of: 'ratio', atLeast: ratio } as const } : {};
  const show = (results: Record<'kept' | 'none', Round[]>, measured: Measured) =>
    figure('journal', { ...measured, name: `${durability}: ${measured.name}` }, results.kept, results.none, WITHOUT);

  const cycling = {
    kept: new SessionCycles(kept, await kept.connect()),
    none: new SessionCycles(none, await none.connect()),
  };
  for (const inFlight of [1, 16]) {
    const results = await inTurns(cycling, rounds, (subject) => subject.measure(inFlight, roundMs));
    const named = (name: string) => `${name}, ${inFlight} in flight`;
    yield show(results, { name: named('cycles'), unit: '/s', key: 'perSecond', ...atLeast(0.85) });
    yield show(results, { name: named('cycle p50'), unit: 'ms', key: 'p50Ms' });
    yield show(results, { name: named('processor time of a cycle'), unit: 'µs', key: 'cpuUs' });
  }
  const calling = { kept: await GetSession.on(kept), none: await GetSession.on(none) };
  const results = await inTurns(calling, rounds, (subject) => subject.measure(100, roundMs));
  yield show(results, { name: 'calls, 100 in flight', unit: '/s', key: 'perSecond', ...atLeast(0.95) });
  yield show(results, { name: 'processor time of a call', unit: 'µs', key: 'cpuUs' });
}

/**
 * A start with a journal of many events, that a gateway which was killed has left, beside one with
 * an empty one.
 */
async function* starts(bench: Bench, folders: Folders): AsyncGenerator<Figure> {
  const left = folders.make();
  const events = bench.size(EVENTS, 1000);
  {
    await using gateway = await bench.gateway({ settings: [`journal.folder=${left}`] });
    await calls.makeEvents(gateway, events);
  }
  const full: Round[] = [];
  const empty: Round[] = [];
  for (let round = 0; round < bench.extent.rounds; round += 1) {
    const copy = folders.make();
    cpSync(left, copy, { recursive: true });
    await using restored = await bench.gateway({ settings: [`journal.folder=${copy}`] });
    await using fresh = await bench.gateway({ settings: [`journal.folder=${folders.make()}`] });
    full.push({ startMs: restored.startMs });
    empty.push({ startMs: fresh.startMs });
  }
  const later = full.map(({ startMs = 0 }, round) => ({ laterMs: startMs - (empty[round]?.['startMs'] ?? 0) }));
  const start = { name: `start with ${events} events`, unit: 'ms', key: 'startMs' };
  yield figure('journal', start, full, empty, 'an empty journal');
  const aim = { of: 'gateway', atMost: 300 } as const;
  yield figure('journal', { name: 'which is later by', unit: 'ms', key: 'laterMs', aim }, later);
}

/** Folders for journals, on the disk of the reports. */
class Folders implements Disposable {
  readonly #all: string[] = [];

  make(): string {
    const folder = mkdtempSync(join(outputFolder, 'journal-'));
    this.#all.push(folder);
    return folder;
  }

  [Symbol.dispose](): void {
    for (const folder of this.#all) rmSync(folder, { recursive: true, force: true });
  }
}
