/**
 * Publishes the events of a log to its readers.
 *
 * A reader is a position in the log and has no queue of its own. What it has not read is in the
 * log, once, however many readers there are. A reader takes its snapshot and its position in one
 * turn, so no event is lost between snapshot, replay and live events.
 *
 * Invariant: nobody is called while an event is being appended. `ready` emits in a microtask after
 * the turn, once for everything that was appended in it, so a burst becomes one batch. A reader who
 * then reads everything misses no refresh, because superseded refreshes are dropped only
 * afterwards.
 */
import { type Observable, Subject } from 'rxjs';
import { type Fault, invalidField, ok, type Result, refuse } from '../fault.js';
import { formatCursor, parseCursor } from './cursor.js';
import type { EventLog, Logged, LogTraits, Restoring } from './log.js';

/** What the stream and its log need to know about a kind of event. */
export interface EventKind<D, E, R> extends LogTraits<R> {
  readonly stamp: (draft: D, sequence: number, epoch: string) => E;
  /** The form in which the log keeps an event. */
  readonly record: (event: E) => R;
}

/** Keeps events, for example on disk, before they are published. */
interface EventKeeper<E> {
  /** An event was appended. When it has been kept, the keeper calls `EventStream.onKept`. */
  keep(event: E): void;
}

export class EventStream<D, E, R extends Logged> {
  readonly log: EventLog<R>;
  readonly #kind: EventKind<D, E, R>;
  readonly #ready = new Subject<void>();
  readonly #events = new Subject<E>();
  readonly #topics = new Map<string, Subject<E>>();
  /** The sequence of the last event that was published. */
  #published: number;
  #keeper: EventKeeper<E> | undefined;
  /** Callers that wait until an event has been kept. */
  #waiting: { readonly sequence: number; readonly resolve: () => void }[] = [];
  /** Events that are appended and not published, each with the followers of its topic. */
  #fresh: { readonly event: E; readonly sequence: number; readonly followers: Subject<E> | undefined }[] = [];

  constructor(log: EventLog<R>, kind: EventKind<D, E, R>) {
    this.log = log;
    this.#kind = kind;
    this.#published = log.newest;
  }

  /** Emits when there is more to read than before. */
  get ready(): Observable<void> {
    return this.#ready;
  }

  /** Emits each event as it is published. A subscriber that was late can't get it any more. */
  get events(): Observable<E> {
    return this.#events;
  }

  /** Every event up to this sequence has been published to the followers of its topic. */
  get publishedUpTo(): number {
    return this.#published;
  }

  /** How many topics were followed and have not been forgotten. */
  get topics(): number {
    return this.#topics.size;
  }

  /** How many topics have a follower now. */
  get followed(): number {
    let count = 0;
    for (const subject of this.#topics.values()) if (subject.observed) count += 1;
    return count;
  }

  /**
   * The cursor of the newest event. An answer that is read now is true at this cursor. Send it only
   * after `untilKept` has resolved.
   */
  get cursor(): string {
    return formatCursor(this.log.epoch, this.log.newest);
  }

  /** The cursor of the newest event that readers can read. */
  get visibleCursor(): string {
    return formatCursor(this.log.epoch, this.log.visible);
  }

  /** Restores events of an earlier process in this epoch. They count as published. */
  restore<T>(events: readonly T[], restoring: Restoring<T, R>, newest: number): void {
    this.log.restore(events, restoring, newest);
    this.#published = newest;
  }

  /** From now on no event is published before this keeper has kept it. */
  attachKeeper(keeper: EventKeeper<E>): void {
    this.#keeper = keeper;
    this.log.hold();
  }

  /**
   * The keeper has kept every event up to this sequence. Must not be called while events are
   * appended.
   */
  onKept(sequence: number): void {
    this.log.release(sequence);
    this.#publish();
    const isKept = (each: { readonly sequence: number }) => each.sequence <= sequence;
    const done = this.#waiting.filter(isKept);
    this.#waiting = this.#waiting.filter((each) => !isKept(each));
    for (const { resolve } of done) resolve();
  }

  /**
   * Resolves when everything that was appended so far has been kept; undefined if it already is.
   */
  untilKept(): Promise<void> | undefined {
    const { newest, visible } = this.log;
    if (visible >= newest) return undefined;
    return new Promise((resolve) => this.#waiting.push({ sequence: newest, resolve }));
  }

  /**
   * Continues without a keeper, under a new epoch: a later process could not continue the old one.
   * The events that were not published yet are appended again; `onRenumbered` gets each with its
   * new number.
   */
  restart(epoch: string, onRenumbered: (event: E) => void): void {
    const fresh = this.#fresh;
    const waiting = this.#waiting;
    this.#keeper = undefined;
    this.#fresh = [];
    this.#waiting = [];
    this.#published = 0;
    this.log.restart(epoch);
    for (const { event } of fresh) onRenumbered(this.append(event as E & D));
    for (const { resolve } of waiting) resolve();
    // Readers of the old epoch have to notice the new one.
    this.#ready.next();
  }

  /** The oldest cursor from which a reader can resume. */
  get oldestCursor(): string {
    return formatCursor(this.log.epoch, this.log.oldest);
  }

  /** The position of a client's cursor, if the log still has every event after it. */
  positionOf(text: string): Result<number> {
    const cursor = parseCursor(text);
    const { epoch, oldest, newest } = this.log;
    if (cursor === undefined || (cursor.epoch === epoch && cursor.sequence > newest)) {
      const shown = JSON.stringify(text.slice(0, 100));
      return refuse(
        invalidField(
          'cursor',
          `is ${shown}, which no host gave; use a cursor from an event of this host, or leave it empty.`,
        ),
      );
    }
    if (cursor.epoch === epoch && cursor.sequence >= oldest) return ok(cursor.sequence);
    const why = cursor.epoch === epoch ? 'events after it were trimmed' : 'the host has started a new event log since';
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

  /** Emits the events of one topic from now on. */
  follow(topic: string): Subject<E> {
    let subject = this.#topics.get(topic);
    if (subject === undefined) {
      subject = new Subject<E>();
      this.#topics.set(topic, subject);
    }
    return subject;
  }

  /**
   * Forgets a topic that has ended. Its followers still get what was appended. Its name can be
   * reused.
   */
  forget(topic: string): void {
    this.#topics.delete(topic);
  }

  /**
   * Reads the log after a position. With `labels`, only events that have one of them are looked at.
   */
  read(after: number, accepts: (event: R) => boolean, labels?: ReadonlySet<string>): LogReader<R> {
    return new LogReader(this.log, after, accepts, labels);
  }

  #publish(): void {
    const { visible } = this.log;
    const held = this.#fresh.findIndex(({ sequence }) => sequence > visible);
    const fresh = this.#fresh.splice(0, held === -1 ? this.#fresh.length : held);
    for (const { event, sequence, followers } of fresh) {
      this.#published = sequence;
      followers?.next(event);
      this.#events.next(event);
    }
    this.#ready.next();
    this.log.onPublished();
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

  /** The last sequence that was read or skipped. Resuming after it misses nothing. */
  get position(): number {
    return this.#position;
  }

  /** How many sequences are still before the reader. */
  get lag(): number {
    return Math.max(this.#log.visible - this.#position, 0);
  }

  /** Whether the reader is after the last event that can be read, because events are held back. */
  get isHeld(): boolean {
    return this.#position > this.#log.visible;
  }

  /** Whether events were trimmed that it has not read. */
  get isTrimmed(): boolean {
    return this.#position < this.#log.oldest;
  }

  /** Whether the log has started a new epoch, so that this reader gets nothing more. */
  get isOfThePast(): boolean {
    return this.epoch !== this.#log.epoch;
  }

  /**
   * At most `max` events that are ready, in order. If there are none and `lag` is not 0, it has
   * looked at enough events for one turn; call it again in the next.
   */
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
    message: `The cursor has expired: ${why}. Watch again without a cursor.`,
    metadata: { oldest_cursor: oldestCursor },
  };
}
