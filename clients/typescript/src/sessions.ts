/** Opens, closes and watches sessions. `session_service.proto` documents each RPC. */
import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { filter, identity, map, type Observable } from 'rxjs';
import {
  type Session,
  type SessionEvent,
  SessionKind,
  type SessionState,
} from '../../../proto/gen/wifidirect/v1/session.js';
import {
  type GetSessionResponse,
  type OpenSessionResponse,
  SessionServiceDefinition,
} from '../../../proto/gen/wifidirect/v1/session_service.js';
import type { CallOptions, Connection } from './connection.js';
import { toDuration } from './duration.js';
import { GatewayError } from './error.js';
import { HeldSession } from './held-session.js';
import { methodsOf } from './methods.js';
import { failWhenSilent } from './silence.js';
import { type Backoff, type Bookmark, type Change, type Disconnected, watch } from './watch.js';

const service = methodsOf(SessionServiceDefinition);

export interface OpenRequest {
  /** P2P device address of a paired device: `aa:bb:cc:dd:ee:ff`. */
  readonly deviceAddress: string;
  /**
   * The id of the session: 4 to 63 of `[a-z0-9-]`, starting with a letter or digit. Default: the
   * host makes a UUID.
   */
  readonly sessionId?: string | undefined;
  /** Default SessionKind.WIFI_DIRECT. */
  readonly kind?: SessionKind | undefined;
  /** How long the open may take. Default: set by the host, 60,000 ms. */
  readonly openTimeoutMs?: number | undefined;
  /**
   * Gives the session a lease of 1,000 ms to 24 h, so that it survives the end of its streams for
   * this time. Default: no lease; the session ends with its last stream.
   */
  readonly leaseTtlMs?: number | undefined;
  /** UUID by which the host recognizes a repeated request. Default: a new one for each call. */
  readonly requestId?: string | undefined;
  /**
   * How often the host sends a heartbeat if it has nothing else to send: 1,000 to 300,000 ms, or 0
   * for never. Heartbeats keep proxies from closing an idle stream. After three intervals of
   * silence the stream fails with UNAVAILABLE. Default 10,000 ms.
   */
  readonly heartbeatIntervalMs?: number | undefined;
}

/**
 * A session and a cursor. A watch from this cursor gets every event after this state of the
 * session.
 */
export interface SessionAt {
  readonly session: Session;
  readonly cursor: string;
  /**
   * The time on the host's clock, for `leaseLeftMs`. Undefined if the host is too old to send it.
   */
  readonly hostTime: Date | undefined;
}

export interface CloseOptions extends CallOptions {
  /** Resolve only when the session has ended. */
  readonly wait?: boolean | undefined;
}

export interface RenewOptions extends CallOptions {
  /** 1,000 ms to 24 h. Default: the length of the current lease. */
  readonly leaseTtlMs?: number | undefined;
}

export interface SessionPage {
  readonly sessions: readonly Session[];
  readonly cursor: string;
  readonly hostTime: Date | undefined;
}

export interface ListOptions extends CallOptions {
  /** Only sessions in one of these states. Default: all states. */
  readonly states?: readonly SessionState[] | undefined;
  /** Only sessions with this device. Default: all devices. */
  readonly deviceAddress?: string | undefined;
  /** The maximum number of sessions per page: 1 to 1000. Default 50. */
  readonly pageSize?: number | undefined;
}

export interface WatchOptions {
  /** Resume after this cursor. Default: start now, with a snapshot. */
  readonly cursor?: string | undefined;
  /** Only these sessions. Default: all sessions that the caller may see. */
  readonly sessionIds?: readonly string[] | undefined;
  /**
   * How often the host sends a bookmark if there are no events: 1,000 to 300,000 ms. Default 10,000
   * ms. After three intervals of silence the watch disconnects and resumes.
   */
  readonly bookmarkIntervalMs?: number | undefined;
  readonly backoff?: Backoff | undefined;
}

/**
 * The current state of all sessions. It replaces everything known so far, also in the middle of a
 * watch.
 */
export interface SessionSnapshot {
  readonly kind: 'snapshot';
  readonly sessions: readonly Session[];
  readonly cursor: string;
}

export type SessionWatchItem = SessionSnapshot | Change<SessionEvent> | Bookmark | Disconnected;

const HEARTBEAT_INTERVAL_MS_DEFAULT = 10_000;

export class Sessions {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Emits the events of one session, from the first to the last. Subscribing opens the session.
   * Subscribing again, for example by `retry`, attaches to the same session. Unsubscribing
   * detaches, which ends a session without a lease.
   *
   * Completes after CLOSED, or after a CANCELLED that a client requested. Otherwise it fails after
   * the last event.
   */
  open({
    deviceAddress,
    sessionId = '',
    kind = SessionKind.UNSPECIFIED,
    openTimeoutMs,
    leaseTtlMs,
    requestId = randomUUID(),
    heartbeatIntervalMs = HEARTBEAT_INTERVAL_MS_DEFAULT,
  }: OpenRequest): Observable<SessionEvent> {
    const openTimeout = toDuration(openTimeoutMs);
    const leaseTtl = toDuration(leaseTtlMs);
    const heartbeatInterval = heartbeatIntervalMs === 0 ? undefined : toDuration(heartbeatIntervalMs);
    const request = { deviceAddress, sessionId, kind, openTimeout, leaseTtl, requestId, heartbeatInterval };
    return this.#connection.stream(service.openSession, request).pipe(
      heartbeatInterval === undefined ? identity : failWhenSilent({ intervalMs: heartbeatIntervalMs, isFollowed }),
      map(({ event }) => event),
      filter((event) => event !== undefined),
    );
  }

  /**
   * Opens a session and stays attached until it has ended. Offers promises instead of an
   * Observable.
   */
  hold(request: OpenRequest): HeldSession {
    const sessionId = request.sessionId || randomUUID();
    const events = this.open({ ...request, sessionId });
    return new HeldSession(sessionId, events, (options) => this.close(sessionId, { ...options, wait: true }));
  }

  /**
   * Closes an open session, or cancels one that is opening. With `wait`, it resolves when the
   * session has ended, and has no default timeout.
   */
  async close(sessionId: string, { wait = false, signal, timeoutMs }: CloseOptions = {}): Promise<SessionAt> {
    const request = { sessionId, waitForDisconnect: wait, requestId: randomUUID() };
    const options = { signal, timeoutMs: timeoutMs ?? (wait ? Number.POSITIVE_INFINITY : undefined) };
    return sessionAtOf(await this.#connection.unary(service.closeSession, request, options));
  }

  /**
   * Cancels a pending open. It resolves before the session ends. The last event is CANCELLED, or
   * CLOSED if the open succeeded first.
   */
  async cancel(sessionId: string, options?: CallOptions): Promise<SessionAt> {
    const request = { sessionId, requestId: randomUUID() };
    return sessionAtOf(await this.#connection.unary(service.cancelOpenSession, request, options));
  }

  /** Renews a lease. It then expires `leaseTtlMs` from now. */
  async renew(sessionId: string, { leaseTtlMs, ...options }: RenewOptions = {}): Promise<SessionAt> {
    const request = { sessionId, leaseTtl: toDuration(leaseTtlMs), requestId: randomUUID() };
    return sessionAtOf(await this.#connection.unary(service.renewSession, request, options));
  }

  /** Returns one session. The host keeps sessions for a while after their end. */
  async get(sessionId: string, options?: CallOptions): Promise<SessionAt> {
    return sessionAtOf(await this.#connection.unary(service.getSession, { sessionId }, options));
  }

  /**
   * Yields the sessions page by page, oldest first. A watch from the cursor of the first page
   * misses no event.
   */
  async *list(options: ListOptions = {}): AsyncGenerator<SessionPage, void, undefined> {
    const { states = [], deviceAddress = '', pageSize = 0 } = options;
    let pageToken = '';
    do {
      const request = { states: [...states], deviceAddress, pageSize, pageToken };
      const page = await this.#connection.unary(service.listSessions, request, options);
      const { sessions, cursor, hostTime, nextPageToken } = page;
      yield { sessions, cursor, hostTime };
      pageToken = nextPageToken;
    } while (pageToken !== '');
  }

  /**
   * Watches sessions. Emits a snapshot, unless there is a cursor, and then every event, in order
   * and once. It reconnects when the connection breaks. It fails only if a retry can't help: with
   * UNAUTHENTICATED, PERMISSION_DENIED, INVALID_ARGUMENT or UNIMPLEMENTED.
   */
  watch({ cursor, sessionIds = [], bookmarkIntervalMs, backoff }: WatchOptions = {}): Observable<SessionWatchItem> {
    const request = { sessionIds: [...sessionIds], bookmarkInterval: toDuration(bookmarkIntervalMs) };
    const items = watch({
      attach: (cursor) =>
        this.#connection
          .stream(service.watchSessions, { ...request, cursor })
          .pipe(failWhenSilent({ intervalMs: bookmarkIntervalMs })),
      toSnapshot: (sessions: readonly Session[], cursor): SessionSnapshot => ({ kind: 'snapshot', sessions, cursor }),
      cursor,
      backoff,
    });
    return this.#connection.untilClosed(items);
  }
}

/**
 * Hosts that do not send their time are too old to send heartbeats, so their silence means nothing.
 */
const isFollowed = ({ hostTime }: OpenSessionResponse): boolean => hostTime !== undefined;

type SessionResponse = Pick<GetSessionResponse, 'session' | 'cursor' | 'hostTime'>;

function sessionAtOf({ session, cursor, hostTime }: SessionResponse): SessionAt {
  if (session === undefined) throw new GatewayError(status.INTERNAL, 'The response of the host contains no session.');
  return { session, cursor, hostTime };
}

/**
 * Returns the time left of a lease at `hostTime`, a time on the host's clock: that of `SessionAt`
 * or `SessionPage`, or the `time` of an event. The clock of this machine is not used, because it
 * may differ. Undefined if the session has no lease, and negative if the lease has expired.
 */
export function leaseLeftMs({ leaseExpireTime }: Session, hostTime: Date): number | undefined {
  return leaseExpireTime && leaseExpireTime.getTime() - hostTime.getTime();
}
