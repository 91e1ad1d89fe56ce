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
import { invalidField, ok, type Result, refuse } from '../fault.js';
import { formatCursor, parseCursor } from './cursor.js';
import type { EventLog, Logged, LogTraits } from './log.js';

/** What a kind of event is to the stream and its log. */
export interface EventKind<D, E, R> extends LogTraits<R> {
  readonly stamp: (draft: D, sequence: number, epoch: string) => E;
  /** What the log keeps of an event. */
  readonly record: (event: E) => R;
}

export class EventStream<D, E, R extends Logged> {
  readonly log: EventLog<R>;
  readonly #kind: EventKind<D, E, R>;
  readonly #ready = new Subject<void>();
  readonly #events = new Subject<E>();
  readonly #topics = new Map<string, Subject<E>>();
  /** The sequence of the last event that followers have been told. */
  #told: number;
  /** Appended in this turn, each with those who follow its topic. */
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

  /** Where the log stands: an answer given with this cursor was true at it. */
  get cursor(): string {
    return formatCursor(this.log.epoch, this.log.newest);
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
    return refuse({
      reason: 'CURSOR_EXPIRED',
      message: `The cursor can't be resumed from: ${why}. Watch anew, without a cursor.`,
      metadata: { oldest_cursor: this.oldestCursor },
    });
  }

  append(draft: D): E {
    const { stamp, record, topicOf } = this.#kind;
    const event = stamp(draft, this.log.newest + 1, this.log.epoch);
    const logged = record(event);
    this.log.append(logged);
    const { sequence } = logged;
    const followers = this.#topics.get(topicOf(logged));
    if (this.#fresh.push({ event, sequence, followers }) === 1) queueMicrotask(() => this.#publish());
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
    const fresh = this.#fresh;
    this.#fresh = [];
    for (const { event, sequence, followers } of fresh) {
      followers?.next(event);
      this.#events.next(event);
      this.#told = sequence;
    }
    this.#ready.next();
    this.log.published();
  }
}

export class LogReader<E extends Logged> {
  readonly #log: EventLog<E>;
  readonly #accepts: (event: E) => boolean;
  readonly #labels: ReadonlySet<string> | undefined;
  #position: number;

  constructor(log: EventLog<E>, after: number, accepts: (event: E) => boolean, labels?: ReadonlySet<string>) {
    this.#log = log;
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
    return this.#log.newest - this.#position;
  }

  /** Events that it should have read have been trimmed away. */
  get isTrimmed(): boolean {
    return this.#position < this.#log.oldest;
  }

  /** What is ready, in order, at most `max`. None with a lag left: it has looked at enough for one turn, and goes on in the next. */
  next(max: number): E[] {
    if (this.isTrimmed) return [];
    const { events, position } = this.#log.read(this.#position, max, this.#accepts, this.#labels);
    this.#position = position;
    return events;
  }
}
