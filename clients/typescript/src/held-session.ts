/**
 * A session with promises for its opening and its end, for programs that prefer `await` to an
 * Observable.
 */
import { status } from '@grpc/grpc-js';
import {
  filter,
  firstValueFrom,
  map,
  type Observable,
  ReplaySubject,
  type Subscription,
  tap,
  throwIfEmpty,
} from 'rxjs';
import { type Session, type SessionEvent, SessionState } from '../../../proto/gen/wifidirect/v1/session.js';
import type { CallOptions } from './connection.js';
import { GatewayError } from './error.js';

type Close = (options: CallOptions | undefined) => Promise<{ readonly session: Session }>;

const FINAL: ReadonlySet<SessionState> = new Set([
  SessionState.CLOSED,
  SessionState.FAILED,
  SessionState.CANCELLED,
  SessionState.LOST,
]);

/** A session that stays open as long as its stream, or its lease. Made by `Sessions.hold`. */
export class HeldSession {
  readonly sessionId: string;

  /** Resolves to the session when it is OPEN. Rejects if the session ends before. */
  readonly opened: Promise<Session>;

  /**
   * Resolves to the session when it has ended, for whatever reason. Rejects if the stream breaks
   * before.
   */
  readonly ended: Promise<Session>;

  /**
   * Emits the latest event, then all later ones, and completes or fails as the stream does.
   * Subscribing and unsubscribing do not affect the session.
   */
  readonly events: Observable<SessionEvent>;

  readonly #latest = new ReplaySubject<SessionEvent>(1);
  readonly #stream: Subscription;
  readonly #close: Close;
  #hasEvents = false;

  constructor(sessionId: string, events: Observable<SessionEvent>, close: Close) {
    const latest = this.#latest;
    this.sessionId = sessionId;
    this.events = latest.asObservable();
    this.opened = reached(latest, ({ state }) => state === SessionState.OPEN, 'The session ended before it was open.');
    this.ended = reached(latest, ({ state }) => FINAL.has(state), 'The stream ended before the session did.');
    this.#close = close;
    const onEvent = (): void => {
      this.#hasEvents = true;
    };
    this.#stream = events.pipe(tap(onEvent)).subscribe(latest);
  }

  /**
   * Closes the session, or cancels it while it is opening. Resolves to the session when it has
   * ended.
   */
  async close(options?: CallOptions): Promise<Session> {
    // If the host rejected the open, there is no session to close.
    if (this.#stream.closed && !this.#hasEvents) return this.ended;
    const { session } = await this.#close(options);
    return session;
  }

  /**
   * Detaches from the stream. A session without a lease then ends; a session with a lease stays
   * open until the lease expires. `opened` and `ended`, if they are still pending, and `events`
   * fail with CANCELLED. Further calls have no effect.
   */
  detach(): void {
    this.#stream.unsubscribe();
    this.#latest.error(new GatewayError(status.CANCELLED, 'The program detached from the session.'));
  }
}

function reached(
  events: Observable<SessionEvent>,
  condition: (session: Session) => boolean,
  missed: string,
): Promise<Session> {
  const session = firstValueFrom(
    events.pipe(
      map((event) => event.session),
      filter((session) => session !== undefined),
      filter(condition),
      throwIfEmpty(() => new GatewayError(status.CANCELLED, missed)),
    ),
  );
  // Callers need not await both promises, and an unhandled rejection would end the process.
  session.catch(() => {});
  return session;
}
