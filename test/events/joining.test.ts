/**
 * The promise of the stream under random interleavings: whoever joins, resumes or is cut misses
 * nothing and gets nothing twice.
 */
import test from 'ava';
import fc from 'fast-check';
import type { LogReader } from '../../service/events/stream.js';
import { effort, randomly } from '../session/seed.js';
import { EPOCH, type Note, Notes, range, sequencesOf, turn } from './noted.js';

/** A watcher of one topic, or of all, with what it has read. */
class Watcher {
  readonly #notes: Notes;
  readonly #topic: string | undefined;
  readonly #from: number;
  readonly #read: number[] = [];
  #reader: LogReader<Note>;
  isCut = false;

  constructor(notes: Notes, topic: string | undefined) {
    this.#notes = notes;
    this.#topic = topic;
    this.#from = notes.log.newest;
    this.#reader = this.#readFrom(this.#from);
  }

  read(max: number): void {
    this.isCut ||= this.#reader.isTrimmed;
    if (!this.isCut) this.#read.push(...sequencesOf(this.#reader.next(max)));
  }

  /** Goes away and comes back with the cursor of its place. */
  resume(): void {
    const position = this.#notes.stream.positionOf(`${EPOCH}.${this.#reader.position}`);
    if (position.ok) this.#reader = this.#readFrom(position.value);
    else this.isCut = true;
  }

  /**
   * Whether it has read what it should: all of its topic after it joined, up to the last, or up to
   * where it was cut.
   */
  hasItRight(told: readonly string[]): boolean {
    const due = range(this.#from + 1, this.isCut ? this.#reader.position : told.length);
    const wanted = due.filter((sequence) => this.#topic === undefined || told[sequence - 1] === this.#topic);
    return this.#read.join() === wanted.join();
  }

  #readFrom(position: number): LogReader<Note> {
    return this.#notes.stream.read(position, ({ topic }) => this.#topic === undefined || topic === this.#topic);
  }
}

type Action = (notes: Notes, watchers: Watcher[], told: string[]) => unknown;

/** An action that a counterexample can show. */
function named(name: string, action: Action): Action {
  return Object.assign(action, { [fc.toStringMethod]: () => name });
}

const topic = fc.constantFrom('a', 'b', 'c');
const append = fc.tuple(topic, fc.integer({ min: 1, max: 8 })).map(([about, count]) =>
  named(`append ${count} of ${about}`, (notes, _, told) => {
    notes.append(about, count);
    told.push(...Array<string>(count).fill(about));
  }),
);
const join = fc
  .option(topic, { nil: undefined })
  .map((about) => named(`join ${about}`, (notes, watchers) => watchers.push(new Watcher(notes, about))));
const read = fc
  .tuple(fc.nat(9), fc.integer({ min: 1, max: 5 }))
  .map(([who, max]) => named(`${who} reads ${max}`, (_, watchers) => watchers[who % watchers.length]?.read(max)));
const resume = fc
  .nat(9)
  .map((who) => named(`${who} resumes`, (_, watchers) => watchers[who % watchers.length]?.resume()));
const wait = fc.nat(400).map((ms) =>
  named(`wait ${ms}`, (notes) => {
    notes.nowMs += ms;
  }),
);
const aTurn = fc.constant(named('turn', turn));
const actions = fc.array(fc.oneof(append, append, join, read, read, read, resume, wait, aTurn), {
  maxLength: 60,
  size: 'max',
});

test('whenever a watcher joins, resumes or is cut, it misses nothing and gets nothing twice', async (t) => {
  let watched = 0;
  let cut = 0;
  const property = fc.asyncProperty(actions, fc.integer({ min: 3, max: 40 }), async (run, eventsMax) => {
    const notes = new Notes({ eventsMax, ageMaxMs: 1000 });
    const watchers: Watcher[] = [];
    const told: string[] = [];
    for (const action of run) await action(notes, watchers, told);
    for (const watcher of watchers) watcher.read(Number.POSITIVE_INFINITY);
    watched += watchers.length;
    cut += watchers.filter(({ isCut }) => isCut).length;
    return watchers.every((watcher) => watcher.hasItRight(told));
  });
  await fc.assert(property, randomly(t, effort(5000)));
  t.log(`${watched} watchers, ${cut} of them cut`);
  t.true(cut > 0 && cut < watched / 2);
});
