/**
 * The sources of streams that follow a log: the events of one session, and a watch of sessions or
 * devices.
 */
import { Observable, Subject, type Subscription } from 'rxjs';
import type { OpenMessage, WatchMessage } from '../codec/encode-once.js';
import { formatCursor } from '../events/cursor.js';
import type { EventLog, Logged } from '../events/log.js';
import { cursorExpired, type LogReader } from '../events/stream.js';
import { type Fault, hostStopping } from '../fault.js';
import type { Attachment } from '../session/lifecycle.js';
import { isFinal, type Session, type SessionEvent } from '../session/session.js';
import type { Backlog, Source } from './source.js';

interface SessionStreamSettings {
  /** Events that may wait to be read. */
  readonly queueMax: number;
  /** A heartbeat after so long without a message; undefined: none. */
  readonly heartbeatMs: number | undefined;
}

/** How far readers can read a log, and up to which event its followers have been sent. */
interface Published {
  readonly publishedUpTo: number;
  readonly ready: Observable<void>;
  readonly log: { readonly epoch: string; readonly visible: number };
}

/**
 * The life of one session: its event as it is now, then each that follows, until it has ended; and
 * signs of life in between.
 */
export class SessionSource implements Source<OpenMessage>, Backlog<OpenMessage> {
  readonly backlog = this;
  readonly #stream: Published;
  readonly #attachment: Attachment;
  readonly #queueMax: number;
  readonly #release: () => void;
  readonly #show: (cursor: string) => string;
  readonly #ready = new Subject<void>();
  readonly #subscription: Subscription;
  readonly #queue: SessionEvent[];
  readonly #timer: NodeJS.Timeout | undefined;
  #last: SessionEvent;
  #isHeartbeatDue = false;
  /**
   * False: the event that it began with was appended a moment ago, and nobody may be told of it
   * yet.
   */
  #isTold: boolean;

  constructor(
    stream: Published,
    attachment: Attachment,
    { queueMax, heartbeatMs }: SessionStreamSettings,
    release: () => void,
    show: (cursor: string) => string = (cursor) => cursor,
  ) {
    this.#show = show;
    this.#stream = stream;
    this.#attachment = attachment;
    this.#queueMax = queueMax;
    this.#release = release;
    this.#last = attachment.current;
    this.#isTold = this.#mayTell(attachment.current);
    this.#queue = [attachment.current];
    this.#subscription = attachment.events.subscribe((event) => {
      const isRenumbered = event.epoch !== this.#last.epoch;
      // The event that it began with is told under the number that it has got now.
      if (isRenumbered && !this.#isTold) this.#queue.shift();
      if (isRenumbered || event.sequence > this.#last.sequence) {
        this.#last = event;
        this.#queue.push(event);
      }
      this.#isTold = true;
      this.#ready.next();
    });
    if (!this.#isTold) {
      this.#subscription.add(
        stream.ready.subscribe(() => {
          if (this.#isTold || !this.#mayTell(attachment.current)) return;
          this.#isTold = true;
          this.#ready.next();
        }),
      );
    }
    if (heartbeatMs !== undefined) this.#timer = setInterval(() => this.#tick(), heartbeatMs).unref();
  }

  get ready(): Observable<unknown> {
    return this.#ready;
  }

  next(): OpenMessage | undefined {
    const event = this.#isTold ? this.#queue.shift() : undefined;
    const isHeartbeat =
      event === undefined && this.#queue.length === 0 && this.#isHeartbeatDue && !isFinal(this.#last.session);
    if (event === undefined && !isHeartbeat) return undefined;
    this.#isHeartbeatDue = false;
    this.#timer?.refresh();
    const { epoch } = this.#last;
    // All of this session's events up to the last one told to followers have been sent before a
    // heartbeat.
    return { event, cursor: this.#show(formatCursor(epoch, event?.sequence ?? this.#stream.publishedUpTo)) };
  }

  /** One of an earlier epoch was told in its time. */
  #mayTell({ epoch, sequence }: SessionEvent): boolean {
    const { log } = this.#stream;
    return epoch !== log.epoch || sequence <= log.visible;
  }

  outcome() {
    const { session } = this.#last;
    if (this.#queue.length > 0) return undefined;
    return isFinal(session) ? { fault: faultOfEnd(session) } : undefined;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  eventsIn({ event }: OpenMessage): readonly Logged[] {
    return event === undefined ? [] : [event];
  }

  overflow(): Fault | undefined {
    return this.waiting > this.#queueMax ? tooSlow({ session_id: this.#last.session.id }) : undefined;
  }

  resumePoint() {
    return { session_id: this.#last.session.id };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#subscription.unsubscribe();
    this.#attachment.detach();
    this.#release();
  }

  #tick(): void {
    this.#isHeartbeatDue = true;
    this.#ready.next();
  }
}

/** How `OpenSession` ends: well after what was asked for, else with what went wrong. */
function faultOfEnd(session: Session): Fault | undefined {
  const { state, end } = session;
  if (end?.reason === 'HOST_STOPPING') return hostStopping();
  if (state === 'FAILED' || state === 'LOST' || end?.reason === 'OPEN_TIMED_OUT') return end?.fault;
  return undefined;
}

export interface WatchSettings {
  readonly batchEventsMax: number;
  readonly queueEventsMax: number;
  readonly bookmarkIntervalMs: number;
}

/** What a watch needs of a stream of events. */
export interface Watched<E extends Logged> {
  readonly log: EventLog<E>;
  readonly ready: Observable<void>;
}

/**
 * A snapshot, where there is one, then every event after it, in batches of all that is ready; a
 * bookmark after each quiet interval.
 */
export class WatchSource<E extends Logged, S> implements Source<WatchMessage<E, S>>, Backlog<WatchMessage<E, S>> {
  readonly backlog = this;
  readonly #stream: Watched<E>;
  readonly #reader: LogReader<E>;
  readonly #settings: WatchSettings;
  readonly #release: () => void;
  readonly #show: (cursor: string) => string;
  /** The log has more, or a bookmark is due. */
  readonly ready: Observable<unknown>;
  #wake = () => {};
  readonly #timer: NodeJS.Timeout;
  /** Where the log stood at the start. */
  readonly #joined: number;
  #later: NodeJS.Immediate | undefined;
  #snapshot: readonly S[] | undefined;
  #isBookmarkDue = false;

  /**
   * `snapshot` is undefined for a watch that resumes; `show` makes of a cursor what the caller
   * gets. It and the reader's position must be of the same turn.
   */
  constructor(
    stream: Watched<E>,
    reader: LogReader<E>,
    snapshot: readonly S[] | undefined,
    settings: WatchSettings,
    release: () => void,
    show: (cursor: string) => string = (cursor) => cursor,
  ) {
    this.#show = show;
    this.#stream = stream;
    this.ready = new Observable((reader) => {
      this.#wake = () => reader.next(undefined);
      return stream.ready.subscribe(reader);
    });
    this.#joined = stream.log.newest;
    this.#reader = reader;
    this.#snapshot = snapshot;
    this.#settings = settings;
    this.#release = release;
    this.#timer = setInterval(() => this.#tick(), settings.bookmarkIntervalMs);
    this.#timer.unref();
  }

  next(): WatchMessage<E, S> | undefined {
    const { batchEventsMax } = this.#settings;
    if (this.#reader.isHeld || this.#reader.isOfThePast) return undefined;
    if (this.#snapshot !== undefined) return this.#nextOfSnapshot(this.#snapshot, batchEventsMax);
    const events = this.#reader.next(batchEventsMax);
    if (events.length === 0 && this.#reader.lag > 0 && !this.#reader.isTrimmed) {
      // It has looked at enough for one turn, and others have theirs first.
      this.#later ??= setImmediate(() => {
        this.#later = undefined;
        this.#wake();
      });
      return undefined;
    }
    if (events.length === 0 && !this.#isBookmarkDue) return undefined;
    return this.#message({ events, cursor: this.#cursor });
  }

  outcome() {
    if (this.#reader.isOfThePast)
      return { fault: cursorExpired('the host has begun another epoch', this.#oldestCursor) };
    return this.#reader.isTrimmed ? { fault: tooSlow(this.resumePoint()) } : undefined;
  }

  get waiting(): number {
    // What was there when it joined is in the log anyway; what counts is what has come since.
    return this.#stream.log.visible - Math.max(this.#reader.position, this.#joined);
  }

  eventsIn({ events }: WatchMessage<E, S>): readonly Logged[] {
    return events;
  }

  overflow(): Fault | undefined {
    return this.waiting > this.#settings.queueEventsMax ? tooSlow(this.resumePoint()) : undefined;
  }

  /** Without a whole snapshot there is nothing to resume from. */
  resumePoint() {
    return { cursor: this.#snapshot === undefined ? this.#cursor : '' };
  }

  close(): void {
    clearInterval(this.#timer);
    clearImmediate(this.#later);
    this.#release();
  }

  get #cursor(): string {
    return this.#show(formatCursor(this.#reader.epoch, this.#reader.position));
  }

  get #oldestCursor(): string {
    const { epoch, oldest } = this.#stream.log;
    return this.#show(formatCursor(epoch, oldest));
  }

  #nextOfSnapshot(snapshot: readonly S[], max: number): WatchMessage<E, S> {
    if (snapshot.length > max) {
      this.#snapshot = snapshot.slice(max);
      return this.#message({ snapshot: snapshot.slice(0, max) });
    }
    this.#snapshot = undefined;
    return this.#message({ snapshot, snapshotComplete: true, cursor: this.#cursor });
  }

  #message(parts: Partial<WatchMessage<E, S>>): WatchMessage<E, S> {
    this.#isBookmarkDue = false;
    this.#timer.refresh();
    return { events: [], cursor: '', snapshot: [], snapshotComplete: false, ...parts };
  }

  #tick(): void {
    this.#isBookmarkDue = true;
    this.#wake();
  }
}

function tooSlow(position: Readonly<Record<string, string>>): Fault {
  return {
    reason: 'WATCHER_TOO_SLOW',
    message: 'This stream was read too slowly; resume from its last cursor, nothing is lost.',
    metadata: position,
  };
}
