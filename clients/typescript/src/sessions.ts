/** SessionService: opens, closes and follows sessions. What each RPC promises is in `session_service.proto`. */
import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { filter, identity, map, type Observable } from 'rxjs';
import type { CallOptions, Connection } from './connection.js';
import { toDuration } from './duration.js';
import { GatewayError } from './error.js';
import { type Session, type SessionEvent, SessionKind, type SessionState } from './gen/wifidirect/v1/session.js';
import {
  type GetSessionResponse,
  type OpenSessionResponse,
  SessionServiceService as service,
} from './gen/wifidirect/v1/session_service.js';
import { HeldSession } from './held-session.js';
import { failWhenSilent } from './silence.js';
import { type Backoff, type Bookmark, type Change, type Disconnected, watch } from './watch.js';

export interface OpenRequest {
  /** P2P device address of a paired device, `aa:bb:cc:dd:ee:ff`. */
  readonly deviceAddress: string;
  /** Name for the session: 4 to 63 of `[a-z0-9-]`, the first a letter or digit. Default: the host makes a UUID. */
  readonly sessionId?: string | undefined;
  /** Default SessionKind.WIFI_DIRECT. */
  readonly kind?: SessionKind | undefined;
  /** How long the open may take. Default: the host's, 60,000 ms. */
  readonly openTimeoutMs?: number | undefined;
  /** Lets the session outlive its streams by this long: 1,000 ms to 24 h. Default: it ends with them. */
  readonly leaseTtlMs?: number | undefined;
  /** UUID by which the host knows this request again. Default: a new one at each call. */
  readonly requestId?: string | undefined;
  /**
   * How long a silence lasts before the host sends a sign of life, which keeps proxies from cutting a quiet stream: 1,000
   * to 300,000 ms, or 0 for none. After three of them in silence the stream errors with UNAVAILABLE. Default 10,000 ms.
   */
  readonly heartbeatIntervalMs?: number | undefined;
}

/** A session, and the cursor at which it was so: a watch from there sees all that came after. */
export interface SessionAt {
  readonly session: Session;
  readonly cursor: string;
  /** The clock of the host at that time, for `leaseLeftMs`. Undefined: an older host, which does not tell. */
  readonly hostTime: Date | undefined;
}

export interface CloseOptions extends CallOptions {
  /** Answer only when the session has ended. */
  readonly wait?: boolean | undefined;
}

export interface RenewOptions extends CallOptions {
  /** 1,000 ms to 24 h. Default: the time that the session has. */
  readonly leaseTtlMs?: number | undefined;
}

export interface SessionPage {
  readonly sessions: readonly Session[];
  readonly cursor: string;
  readonly hostTime: Date | undefined;
}

export interface ListOptions extends CallOptions {
  /** Only sessions in one of these states. Default: in any. */
  readonly states?: readonly SessionState[] | undefined;
  /** Only sessions to this device. Default: to any. */
  readonly deviceAddress?: string | undefined;
  /** The most sessions of a page: 1 to 1000. Default 50. */
  readonly pageSize?: number | undefined;
}

export interface WatchOptions {
  /** Resume after this cursor. Default: from now, after a snapshot. */
  readonly cursor?: string | undefined;
  /** Only these sessions. Default: all that the caller may see. */
  readonly sessionIds?: readonly string[] | undefined;
  /**
   * How long a silence lasts before a bookmark comes: 1,000 to 300,000 ms. Default 10,000 ms. A watch that hears nothing
   * for three of them is disconnected, and resumes.
   */
  readonly bookmarkIntervalMs?: number | undefined;
  readonly backoff?: Backoff | undefined;
}

/** All sessions as they are. Replaces what was known, also when it comes in the middle of a watch. */
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
   * The life of one session, from its first event to its last. Subscribing opens it; subscribing again (`retry`) attaches
   * to the same session. Unsubscribing detaches, which ends a session that has no lease.
   *
   * Completes after CLOSED, and after a CANCELLED that was asked for; else errors, after the last event.
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
      heartbeatInterval === undefined ? identity : failWhenSilent({ intervalMs: heartbeatIntervalMs, isReckoned }),
      map(({ event }) => event),
      filter((event) => event !== undefined),
    );
  }

  /** Opens a session and stays attached until it has ended: for who wants to await, not to subscribe. */
  hold(request: OpenRequest): HeldSession {
    const sessionId = request.sessionId || randomUUID();
    const events = this.open({ ...request, sessionId });
    return new HeldSession(sessionId, events, (options) => this.close(sessionId, { ...options, wait: true }));
  }

  /** Closes an open session; cancels one that is opening. With `wait`, answers when it has ended, without a deadline. */
  async close(sessionId: string, { wait = false, signal, timeoutMs }: CloseOptions = {}): Promise<SessionAt> {
    const request = { sessionId, waitForDisconnect: wait, requestId: randomUUID() };
    const options = { signal, timeoutMs: timeoutMs ?? (wait ? Number.POSITIVE_INFINITY : undefined) };
    return shown(await this.#connection.unary(service.closeSession, request, options));
  }

  /** Stops a pending open. Its end, CANCELLED or, if the open wins the race, CLOSED, is an event. */
  async cancel(sessionId: string, options?: CallOptions): Promise<SessionAt> {
    const request = { sessionId, requestId: randomUUID() };
    return shown(await this.#connection.unary(service.cancelOpenSession, request, options));
  }

  /** Extends a lease: it then lapses `leaseTtlMs` from now. */
  async renew(sessionId: string, { leaseTtlMs, ...options }: RenewOptions = {}): Promise<SessionAt> {
    const request = { sessionId, leaseTtl: toDuration(leaseTtlMs), requestId: randomUUID() };
    return shown(await this.#connection.unary(service.renewSession, request, options));
  }

  /** One session, also for a while after its end. */
  async get(sessionId: string, options?: CallOptions): Promise<SessionAt> {
    return shown(await this.#connection.unary(service.getSession, { sessionId }, options));
  }

  /** The sessions page by page, oldest first. A watch from the cursor of the first page misses nothing. */
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
   * Follows sessions: a snapshot, unless there is a cursor, then every event, in order, none twice, whatever happens to
   * the connection. Errors only with what trying again can't heal: UNAUTHENTICATED, PERMISSION_DENIED,
   * INVALID_ARGUMENT, UNIMPLEMENTED.
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

/** A host that does not tell its time is older than heartbeats, and its silence says nothing. */
const isReckoned = ({ hostTime }: OpenSessionResponse): boolean => hostTime !== undefined;

type Shown = Pick<GetSessionResponse, 'session' | 'cursor' | 'hostTime'>;

function shown({ session, cursor, hostTime }: Shown): SessionAt {
  if (session === undefined) throw new GatewayError(status.INTERNAL, 'The host answered without a session.');
  return { session, cursor, hostTime };
}

/**
 * How long a lease still had at this time of the host's clock (of `SessionAt` or `SessionPage`; of an event, its `time`).
 * The clock of this machine may differ, and takes no part. Undefined: the session has no lease; negative: it has lapsed.
 */
export function leaseLeftMs({ leaseExpireTime }: Session, hostTime: Date): number | undefined {
  return leaseExpireTime && leaseExpireTime.getTime() - hostTime.getTime();
}
