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
  /** How many events may wait to be read. */
  readonly queueMax: number;
  /** The interval of heartbeats; undefined for none. */
  readonly heartbeatMs: number | undefined;
}

/** How far readers can read a log, and up to which event its followers have been sent. */
interface Published {
  readonly publishedUpTo: number;
  readonly ready: Observable<void>;
  readonly log: { readonly epoch: string; readonly visible: number };
}

/** The events of one session, from the current one to the last, with heartbeats in between. */
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
  /** False while the first event has just been appended and may not be published yet. */
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
      // The first event is sent with the number that it has now.
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
    // Every event of this session up to the last published one has been sent before a heartbeat.
    return { event, cursor: this.#show(formatCursor(epoch, event?.sequence ?? this.#stream.publishedUpTo)) };
  }

  /** Events of an earlier epoch have been published. */
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

/** How `OpenSession` ends: OK after what was requested, otherwise with the fault. */
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

/** The part of an event stream that a watch uses. */
export interface Watched<E extends Logged> {
  readonly log: EventLog<E>;
  readonly ready: Observable<void>;
}

/**
 * A snapshot, unless the watch resumes; then every later event, in batches of all that are ready;
 * and a bookmark after each quiet interval.
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
  /** The newest event at the start. */
  readonly #joined: number;
  #later: NodeJS.Immediate | undefined;
  #snapshot: readonly S[] | undefined;
  #isBookmarkDue = false;

  /**
   * `snapshot` is undefined for a watch that resumes; `show` converts a cursor for the caller. The
   * snapshot and the position of the reader must be from the same turn.
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
      // The reader has examined enough events for one turn, so that others get theirs.
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
    // Events from before the watch are in the log anyway. Only later ones count.
    return this.#stream.log.visible - Math.max(this.#reader.position, this.#joined);
  }

  eventsIn({ events }: WatchMessage<E, S>): readonly Logged[] {
    return events;
  }

  overflow(): Fault | undefined {
    return this.waiting > this.#settings.queueEventsMax ? tooSlow(this.resumePoint()) : undefined;
  }

  /** Without a complete snapshot the client has nothing to resume from. */
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
