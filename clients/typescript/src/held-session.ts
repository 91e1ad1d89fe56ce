/** A session that is held open by its own stream, for programs that await rather than subscribe. */
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
import type { CallOptions } from './connection.js';
import { GatewayError } from './error.js';
import { type Session, type SessionEvent, SessionState } from './gen/wifidirect/v1/session.js';

type Close = (options: CallOptions | undefined) => Promise<{ readonly session: Session }>;

const FINAL: ReadonlySet<SessionState> = new Set([
  SessionState.CLOSED,
  SessionState.FAILED,
  SessionState.CANCELLED,
  SessionState.LOST,
]);

export class HeldSession {
  readonly sessionId: string;

  /** The session once it is OPEN. Rejects if it ends before. */
  readonly opened: Promise<Session>;

  /** The session once it has ended, however it did. Rejects if the stream breaks before. */
  readonly ended: Promise<Session>;

  /** The latest event, then those that come, then how the stream ended. Subscribing or not has no effect on the session. */
  readonly events: Observable<SessionEvent>;

  readonly #latest = new ReplaySubject<SessionEvent>(1);
  readonly #stream: Subscription;
  readonly #close: Close;
  #hasBegun = false;

  constructor(sessionId: string, events: Observable<SessionEvent>, close: Close) {
    const latest = this.#latest;
    this.sessionId = sessionId;
    this.events = latest.asObservable();
    this.opened = reached(latest, ({ state }) => state === SessionState.OPEN, 'The session ended before it was open.');
    this.ended = reached(latest, ({ state }) => FINAL.has(state), 'The stream ended before the session.');
    this.#close = close;
    const begin = (): void => {
      this.#hasBegun = true;
    };
    this.#stream = events.pipe(tap(begin)).subscribe(latest);
  }

  /** Closes the session (cancels it, while it is opening), and answers with it when it has ended. */
  async close(options?: CallOptions): Promise<Session> {
    // One that the host refused was never there to be closed.
    if (this.#stream.closed && !this.#hasBegun) return this.ended;
    const { session } = await this.#close(options);
    return session;
  }

  /**
   * Leaves the stream: a session without a lease then ends, one with a lease lives on until it lapses. What has not come
   * by then rejects, and `events` errors, with CANCELLED. Harmless to repeat, and after the end.
   */
  detach(): void {
    this.#stream.unsubscribe();
    this.#latest.error(new GatewayError(status.CANCELLED, 'The session was detached from.'));
  }
}

function reached(
  events: Observable<SessionEvent>,
  isIt: (session: Session) => boolean,
  otherwise: string,
): Promise<Session> {
  const session = firstValueFrom(
    events.pipe(
      map((event) => event.session),
      filter((session) => session !== undefined),
      filter(isIt),
      throwIfEmpty(() => new GatewayError(status.CANCELLED, otherwise)),
    ),
  );
  // Nobody has to await both: what is not asked for must not end the process as an unhandled rejection.
  session.catch(() => {});
  return session;
}
