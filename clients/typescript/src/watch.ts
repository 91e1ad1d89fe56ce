/**
 * A watch that reconnects: after every error that a retry can cure, it resumes from its last
 * cursor.
 *
 *   attach --batches--> items            attach again, after a pause, from the last cursor
 *      |                                    ^
 *      +--error, not fatal--> disconnected -+
 *
 * Invariant: the cursor advances together with the batch that carries it, in the same turn as its
 * items are emitted. So no event is lost or repeated, however often the stream breaks.
 */
import { status } from '@grpc/grpc-js';
import {
  asyncScheduler,
  concat,
  concatMap,
  defer,
  type MonoTypeOperatorFunction,
  merge,
  type Observable,
  retry,
  type SchedulerLike,
  Subject,
  Subscription,
  tap,
  throwError,
  timer,
} from 'rxjs';
import { GatewayError } from './error.js';

/** One event. */
export interface Change<Event> {
  readonly kind: 'event';
  readonly event: Event;
  /**
   * Save it to resume a later watch without missing an event. Events of one batch share a cursor,
   * so a resumed watch can repeat events that were already handled. Skip them by `epoch` and
   * `sequence`.
   */
  readonly cursor: string;
}

/** Nothing happened until this cursor. */
export interface Bookmark {
  readonly kind: 'bookmark';
  readonly cursor: string;
}

/** The stream broke. The watch reconnects by itself. */
export interface Disconnected {
  readonly kind: 'disconnected';
  /** If the reason is CURSOR_EXPIRED, events are lost, and a snapshot follows. */
  readonly error: GatewayError;
  readonly retryInMs: number;
}

/**
 * The pauses between attempts. Each is random between 0 and a bound, which doubles with each
 * consecutive failure ("full jitter"). The bound is reset after a stream has lasted for
 * `resetAfterMs`, and when the host answers again, even with an error, after failures to reach it.
 */
export interface Backoff {
  /** The bound after the first failure. Default 250 ms. */
  readonly initialMs?: number | undefined;
  /** The largest bound. Default 30,000 ms. */
  readonly maxMs?: number | undefined;
  /**
   * How long a stream must last after its first message to reset the bound. Default 10,000 ms.
   */
  readonly resetAfterMs?: number | undefined;
  /** Default Math.random. */
  readonly random?: (() => number) | undefined;
  /** Default: the real clock. */
  readonly scheduler?: SchedulerLike | undefined;
}

/** A response of WatchSessions or WatchDevices. */
export interface Batch<Thing, Event> {
  readonly events: readonly Event[];
  readonly cursor: string;
  readonly snapshot: readonly Thing[];
  readonly snapshotComplete: boolean;
}

interface Watched<Thing, Event, Snapshot> {
  /** Starts one call. An empty cursor requests a snapshot. */
  readonly attach: (cursor: string) => Observable<Batch<Thing, Event>>;
  readonly toSnapshot: (things: readonly Thing[], cursor: string) => Snapshot;
  readonly cursor: string | undefined;
  readonly backoff: Backoff | undefined;
}

/** A retry can't succeed after these. */
const FATAL: ReadonlySet<status> = new Set([
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.INVALID_ARGUMENT,
  status.UNIMPLEMENTED,
]);

/** The longest pause that a host can request. */
const RETRY_DELAY_MS_MAX = 300_000;

export function watch<Thing, Event, Snapshot>({
  attach,
  toSnapshot,
  cursor: from = '',
  backoff: {
    initialMs = 250,
    maxMs = 30_000,
    resetAfterMs = 10_000,
    random = Math.random,
    scheduler = asyncScheduler,
  } = {},
}: Watched<Thing, Event, Snapshot>): Observable<Snapshot | Change<Event> | Bookmark | Disconnected> {
  return defer(() => {
    let cursor = from;
    let failures = 0;
    let wasAnswered = false;
    const disconnects = new Subject<Disconnected>();

    const items = defer(() => {
      const things: Thing[] = [];
      const batches = attach(cursor).pipe(resetWhenStable());
      return concat(batches, ended).pipe(concatMap((batch) => itemsOf(batch, things)));
    });

    /** Resets the count of failures when a stream has lasted long enough. */
    const resetWhenStable = (): MonoTypeOperatorFunction<Batch<Thing, Event>> => {
      let stable = Subscription.EMPTY;
      const onMessage = (): void => {
        if (stable === Subscription.EMPTY)
          stable = timer(resetAfterMs, scheduler).subscribe(() => {
            failures = 0;
          });
      };
      return tap({ next: onMessage, finalize: () => stable.unsubscribe() });
    };

    const itemsOf = (batch: Batch<Thing, Event>, things: Thing[]): (Snapshot | Change<Event> | Bookmark)[] => {
      things.push(...batch.snapshot);
      const before = cursor;
      cursor = batch.cursor || cursor;
      const last = batch.events.length - 1;
      const changes = batch.events.map(
        (event, i): Change<Event> => ({ kind: 'event', event, cursor: i < last ? before : cursor }),
      );
      if (batch.snapshotComplete) return [toSnapshot(things.splice(0), cursor), ...changes];
      const isBookmark = changes.length === 0 && batch.snapshot.length === 0 && batch.cursor !== '';
      return isBookmark ? [{ kind: 'bookmark', cursor }] : changes;
    };

    const pause = (thrown: unknown): Observable<unknown> => {
      const error = GatewayError.from(thrown);
      if (FATAL.has(error.code)) throw error;
      if (error.reason === 'CURSOR_EXPIRED') cursor = '';
      const isAnswer = error.reason !== undefined;
      if (isAnswer && !wasAnswered) failures = 0;
      wasAnswered = isAnswer;
      const jitterMs = random() * Math.min(maxMs, initialMs * 2 ** failures++);
      const retryInMs = Math.round(Math.min(error.retryDelayMs ?? 0, RETRY_DELAY_MS_MAX) + jitterMs);
      disconnects.next({ kind: 'disconnected', error, retryInMs });
      return timer(retryInMs, scheduler);
    };

    return merge(disconnects, items.pipe(retry({ delay: pause })));
  });
}

/** The end of a watch is an error, because a watch has no end. */
const ended = throwError(() => new GatewayError(status.UNAVAILABLE, 'The host ended the watch.'));
