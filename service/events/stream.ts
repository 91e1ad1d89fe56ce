/**
 * The pipe from an event log to those who read it.
 *
 * A reader is a position in the log and owns no queue: what it has not read yet is in the log, once, however many read. It joins
 * in one synchronous turn (snapshot and position are taken together), so nothing can come between snapshot, replay and live.
 * The rule that must not be broken: nobody is called while an event is being appended. `ready` comes in a microtask afterwards,
 * once for all that was appended in that turn, which is also what makes a burst one batch. Who reads all that is ready then misses no
 * refresh: only afterwards are those dropped that a later one has superseded.
 */
import { type Observable, Subject } from 'rxjs';
import { type Fault, invalidField, ok, type Result, refuse } from '../fault.js';
import { formatCursor, parseCursor } from './cursor.js';
import type { EventLog, Logged, LogTraits } from './log.js';

/** What a kind of event is to the stream and its log. */
export interface EventKind<D, E, R> extends LogTraits<R> {
  readonly stamp: (draft: D, sequence: number, epoch: string) => E;
  /** What the log keeps of an event. */
  readonly record: (event: E) => R;
}

/** Keeps events, on disk say, before anybody is told of them. */
export interface EventKeeper<E> {
  /** Takes note of an event that was appended; `EventStream.kept` says when it has been kept. */
  keep(event: E): void;
}

export class EventStream<D, E, R extends Logged> {
  readonly log: EventLog<R>;
  readonly #kind: EventKind<D, E, R>;
  readonly #ready = new Subject<void>();
  readonly #events = new Subject<E>();
  readonly #topics = new Map<string, Subject<E>>();
  /** The sequence of the last event that followers have been told. */
  #told: number;
  #keeper: EventKeeper<E> | undefined;
  /** Who waits until an event has been kept. */
  #waiting: { readonly sequence: number; readonly resolve: () => void }[] = [];
  /** Appended and not told yet, each with those who follow its topic. */
  #fresh: { readonly event: E; readonly sequence: number; readonly followers: Subject<E> | undefined }[] = [];

  constructor(log: EventLog<R>, kind: EventKind<D, E, R>) {
    this.log = log;
    this.#kind = kind;
    this.#told = log.newest;
  }

  /** There is more to read than before. */
  get ready(): Observable<void> {
    return this.#ready;
  }

  /** Every event, for those who only count them: it is gone if it was missed. */
  get events(): Observable<E> {
    return this.#events;
  }

  /** Every event up to this sequence has been told to those who follow its topic. */
  get told(): number {
    return this.#told;
  }

  /** How many topics are followed, or were and have not been forgotten. */
  get topics(): number {
    return this.#topics.size;
  }

  /** How many topics somebody follows. */
  get followed(): number {
    let count = 0;
    for (const subject of this.#topics.values()) if (subject.observed) count += 1;
    return count;
  }

  /** Where the log stands: an answer given with this cursor was true at it. Tell it only when `untilKept` has passed. */
  get cursor(): string {
    return formatCursor(this.log.epoch, this.log.newest);
  }

  /** The cursor of the newest event that anybody may be told of. */
  get visibleCursor(): string {
    return formatCursor(this.log.epoch, this.log.visible);
  }

  /** Takes over the events of an earlier life of this epoch, each with its age; everybody has been told of them. */
  restore(events: readonly { readonly event: R; readonly ageMs: number }[], newest: number): void {
    this.log.restore(events, newest);
    this.#told = newest;
  }

  /** From now on nobody is told of an event before it has been kept. */
  keepBy(keeper: EventKeeper<E>): void {
    this.#keeper = keeper;
    this.log.hold();
  }

  /** Every event up to this sequence has been kept. Not to be called within a turn of the writer. */
  kept(sequence: number): void {
    this.log.release(sequence);
    this.#publish();
    const isKept = (each: { readonly sequence: number }) => each.sequence <= sequence;
    const done = this.#waiting.filter(isKept);
    this.#waiting = this.#waiting.filter((each) => !isKept(each));
    for (const { resolve } of done) resolve();
  }

  /** Resolves when all that has been appended so far has been kept; undefined where it is so already. */
  untilKept(): Promise<void> | undefined {
    const { newest, visible } = this.log;
    if (visible >= newest) return undefined;
    return new Promise((resolve) => this.#waiting.push({ sequence: newest, resolve }));
  }

  /**
   * Nothing is kept any more: goes on in memory, under a new epoch, since the old one can't be continued by a later life.
   * What was not told yet is told in it; `renumbered` is given each such event anew.
   */
  restart(epoch: string, renumbered: (event: E) => void): void {
    const fresh = this.#fresh;
    const waiting = this.#waiting;
    this.#keeper = undefined;
    this.#fresh = [];
    this.#waiting = [];
    this.#told = 0;
    this.log.restart(epoch);
    for (const { event } of fresh) renumbered(this.append(event as E & D));
    for (const { resolve } of waiting) resolve();
    // Those who read the old epoch are to find out.
    this.#ready.next();
  }

  /** The first cursor that can still be resumed from. */
  get oldestCursor(): string {
    return formatCursor(this.log.epoch, this.log.oldest);
  }

  /** The position that a client's cursor names, if every event after it is still here. */
  positionOf(text: string): Result<number> {
    const cursor = parseCursor(text);
    const { epoch, oldest, newest } = this.log;
    if (cursor === undefined || (cursor.epoch === epoch && cursor.sequence > newest)) {
      const shown = JSON.stringify(text.slice(0, 100));
      return refuse(invalidField('cursor', `is ${shown} but must be one that this host has given, or empty.`));
    }
    if (cursor.epoch === epoch && cursor.sequence >= oldest) return ok(cursor.sequence);
    const why = cursor.epoch === epoch ? 'events after it have been trimmed' : 'it is of another life of this host';
    return refuse(cursorExpired(why, this.oldestCursor));
  }

  append(draft: D): E {
    const { stamp, record, topicOf } = this.#kind;
    const event = stamp(draft, this.log.newest + 1, this.log.epoch);
    const logged = record(event);
    this.log.append(logged);
    const { sequence } = logged;
    const followers = this.#topics.get(topicOf(logged));
    const isFirst = this.#fresh.push({ event, sequence, followers }) === 1;
    if (this.#keeper !== undefined) this.#keeper.keep(event);
    else if (isFirst) queueMicrotask(() => this.#publish());
    return event;
  }

  /** The events of one topic from now on. */
  follow(topic: string): Subject<E> {
    let subject = this.#topics.get(topic);
    if (subject === undefined) {
      subject = new Subject<E>();
      this.#topics.set(topic, subject);
    }
    return subject;
  }

  /** The topic has ended. Those who follow it still hear what was appended; the name may be used again for another. */
  forget(topic: string): void {
    this.#topics.delete(topic);
  }

  /** Reads the log after a position. With `labels`, only events that have one of them are looked at. */
  read(after: number, accepts: (event: R) => boolean, labels?: ReadonlySet<string>): LogReader<R> {
    return new LogReader(this.log, after, accepts, labels);
  }

  #publish(): void {
    const { visible } = this.log;
    const held = this.#fresh.findIndex(({ sequence }) => sequence > visible);
    const fresh = this.#fresh.splice(0, held === -1 ? this.#fresh.length : held);
    for (const { event, sequence, followers } of fresh) {
      this.#told = sequence;
      followers?.next(event);
      this.#events.next(event);
    }
    this.#ready.next();
    this.log.published();
  }
}

export class LogReader<E extends Logged> {
  readonly #log: EventLog<E>;
  readonly #accepts: (event: E) => boolean;
  readonly #labels: ReadonlySet<string> | undefined;
  readonly epoch: string;
  #position: number;

  constructor(log: EventLog<E>, after: number, accepts: (event: E) => boolean, labels?: ReadonlySet<string>) {
    this.#log = log;
    this.epoch = log.epoch;
    this.#position = after;
    this.#accepts = accepts;
    this.#labels = labels;
  }

  /** The last sequence read or passed over: resuming after it misses nothing. */
  get position(): number {
    return this.#position;
  }

  /** How many numbers it has yet to come to. */
  get lag(): number {
    return Math.max(this.#log.visible - this.#position, 0);
  }

  /** It stands at an event that nobody may be told of yet. */
  get isHeld(): boolean {
    return this.#position > this.#log.visible;
  }

  /** Events that it should have read have been trimmed away. */
  get isTrimmed(): boolean {
    return this.#position < this.#log.oldest;
  }

  /** The log has begun a new epoch, so there is nothing more to read for it. */
  get isOfThePast(): boolean {
    return this.epoch !== this.#log.epoch;
  }

  /** What is ready, in order, at most `max`. None with a lag left: it has looked at enough for one turn, and goes on in the next. */
  next(max: number): E[] {
    if (this.isTrimmed || this.isHeld || this.isOfThePast) return [];
    const { events, position } = this.#log.read(this.#position, max, this.#accepts, this.#labels);
    this.#position = position;
    return events;
  }
}

export function cursorExpired(why: string, oldestCursor: string): Fault {
  return {
    reason: 'CURSOR_EXPIRED',
    message: `The cursor can't be resumed from: ${why}. Watch anew, without a cursor.`,
    metadata: { oldest_cursor: oldestCursor },
  };
}
