/**
 * A watch that goes on: it attaches again after every error that may heal, from where it was.
 *
 *   attach --batches--> items            attach again, after a pause, from the last cursor
 *      |                                    ^
 *      +--error that may heal--> disconnected
 *
 * The rule that must not be broken: the cursor moves with the batch that carries it, in one turn with its items; so nothing
 * is skipped and nothing comes twice, however often the stream breaks.
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

/** One thing that happened. */
export interface Change<Event> {
  readonly kind: 'event';
  readonly event: Event;
  /**
   * Keep it to resume a later watch: nothing will be missed. Events that came together share a cursor, so those handled
   * already may then come again; pass over them by `epoch` and `sequence`.
   */
  readonly cursor: string;
}

/** Nothing happened, up to this cursor. */
export interface Bookmark {
  readonly kind: 'bookmark';
  readonly cursor: string;
}

/** The stream broke, and will be attached again by itself: nothing to do. */
export interface Disconnected {
  readonly kind: 'disconnected';
  /** With the reason CURSOR_EXPIRED, events are lost for good: a snapshot follows. */
  readonly error: GatewayError;
  readonly retryInMs: number;
}

/**
 * The pauses between attempts: at random from 0 to a bound, which doubles with each failure in a row ("full jitter"). The
 * bound starts over after a stream that stood for a while, and when the host answers, if only to refuse, after failures
 * of which it knows nothing.
 */
export interface Backoff {
  /** The bound after the first failure. Default 250 ms. */
  readonly initialMs?: number | undefined;
  /** The largest bound. Default 30,000 ms. */
  readonly maxMs?: number | undefined;
  /** How long a stream has to stand, from its first message, until what was before no longer counts. Default 10,000 ms. */
  readonly resetAfterMs?: number | undefined;
  /** Default Math.random. */
  readonly random?: (() => number) | undefined;
  /** Default: the real clock. */
  readonly scheduler?: SchedulerLike | undefined;
}

/** A message of WatchSessions or WatchDevices. */
export interface Batch<Thing, Event> {
  readonly events: readonly Event[];
  readonly cursor: string;
  readonly snapshot: readonly Thing[];
  readonly snapshotComplete: boolean;
}

interface Watched<Thing, Event, Snapshot> {
  /** Attaches once; an empty cursor asks for a snapshot. */
  readonly attach: (cursor: string) => Observable<Batch<Thing, Event>>;
  readonly toSnapshot: (things: readonly Thing[], cursor: string) => Snapshot;
  readonly cursor: string | undefined;
  readonly backoff: Backoff | undefined;
}

/** What trying again can't help against. */
const FATAL: ReadonlySet<status> = new Set([
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.INVALID_ARGUMENT,
  status.UNIMPLEMENTED,
]);

/** Longer than this no host makes a watch wait, whatever it asks for. */
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
      const batches = attach(cursor).pipe(standing());
      return concat(batches, ended).pipe(concatMap((batch) => itemsOf(batch, things)));
    });

    /** A stream that has stood for a while: what was before no longer counts. */
    const standing = (): MonoTypeOperatorFunction<Batch<Thing, Event>> => {
      let standing = Subscription.EMPTY;
      const begin = (): void => {
        if (standing === Subscription.EMPTY)
          standing = timer(resetAfterMs, scheduler).subscribe(() => {
            failures = 0;
          });
      };
      return tap({ next: begin, finalize: () => standing.unsubscribe() });
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

/** A watch has no end of its own. */
const ended = throwError(() => new GatewayError(status.UNAVAILABLE, 'The host ended the watch.'));
