/**
 * The pipe from an event log to those who read it.
 *
 * A reader is a position in the log and owns no queue: what it has not read yet is in the log, once, however many read. It joins
 * in one synchronous turn (snapshot and position are taken together), so nothing can come between snapshot, replay and live.
 * The rule that must not be broken: nobody is called while an event is being appended. `ready` comes in a microtask afterwards,
 * once for all that was appended in that turn, which is also what makes a burst one batch.
 */
import { type Observable, Subject } from 'rxjs';
import { invalidField, ok, type Result, refuse } from '../fault.js';
import { formatCursor, parseCursor } from './cursor.js';
import type { EventLog, Logged } from './log.js';

/** What a kind of event is to the stream. */
export interface EventKind<D, E> {
  readonly stamp: (draft: D, sequence: number, epoch: string) => E;
  /** What an event is about, for those who follow one thing only. */
  readonly topicOf: (event: E) => string;
}

export class EventStream<D, E extends Logged> {
  readonly log: EventLog<E>;
  readonly #kind: EventKind<D, E>;
  readonly #ready = new Subject<void>();
  readonly #events = new Subject<E>();
  readonly #topics = new Map<string, Subject<E>>();
  /** The sequence of the last event that followers have been told. */
  #told: number;
  /** Appended in this turn, each with those who follow its topic. */
  #fresh: { readonly event: E; readonly followers: Subject<E> | undefined }[] = [];

  constructor(log: EventLog<E>, kind: EventKind<D, E>) {
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
    const event = this.log.append((sequence, epoch) => this.#kind.stamp(draft, sequence, epoch));
    const followers = this.#topics.get(this.#kind.topicOf(event));
    if (this.#fresh.push({ event, followers }) === 1) queueMicrotask(() => this.#publish());
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

  read(after: number, accepts: (event: E) => boolean): LogReader<E> {
    return new LogReader(this.log, after, accepts);
  }

  #publish(): void {
    const fresh = this.#fresh;
    this.#fresh = [];
    for (const { event, followers } of fresh) {
      followers?.next(event);
      this.#events.next(event);
      this.#told = event.sequence;
    }
    this.#ready.next();
  }
}

export class LogReader<E extends Logged> {
  readonly #log: EventLog<E>;
  readonly #accepts: (event: E) => boolean;
  #position: number;

  constructor(log: EventLog<E>, after: number, accepts: (event: E) => boolean) {
    this.#log = log;
    this.#position = after;
    this.#accepts = accepts;
  }

  /** The last sequence read or passed over: resuming after it misses nothing. */
  get position(): number {
    return this.#position;
  }

  /** How many events it has yet to read. */
  get lag(): number {
    return this.#log.newest - this.#position;
  }

  /** Events that it should have read have been trimmed away. */
  get isTrimmed(): boolean {
    return this.#position < this.#log.oldest;
  }

  /** All that is ready, at most `max`, in order. */
  next(max: number): E[] {
    const batch: E[] = [];
    while (batch.length < max && this.#position < this.#log.newest) {
      const event = this.#log.at(this.#position + 1);
      if (event === undefined) break;
      this.#position += 1;
      if (this.#accepts(event)) batch.push(event);
    }
    return batch;
  }
}
