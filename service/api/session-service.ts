/**
 * `wifidirect.v1.SessionService`: requests in, answers and sources of messages out. `session/`
 * decides what may happen.
 */

import type { Duration } from '../../proto/gen/google/protobuf/duration.js';
import type {
  CancelOpenSessionRequest,
  CloseSessionRequest,
  GetSessionRequest,
  ListSessionsRequest,
  OpenSessionRequest,
  RenewSessionRequest,
  WatchSessionsRequest,
} from '../../proto/gen/wifidirect/v1/session_service.js';
import { SessionServiceDefinition } from '../../proto/gen/wifidirect/v1/session_service.js';
import type { Caller } from '../access/caller.js';
import { readFrom, resultFor, shownTo } from '../codec/cursors.js';
import {
  encodeAnswer,
  encodeOpenSession,
  encodePage,
  encodeWatchSessions,
  type SessionAnswer,
  type SessionPage,
} from '../codec/encode-once.js';
import { ownerLabel, sessionLabel } from '../codec/event-kinds.js';
import { fromSessionKind } from '../codec/messages.js';
import { formatCursor } from '../events/cursor.js';
import { type Fault, FaultError, sessionNotFound, unwrap } from '../fault.js';
import type { Lifecycle } from '../session/lifecycle.js';
import type { Session } from '../session/session.js';
import type { CallServices } from './call-services.js';
import { type Context, causeOf, type Service, serviceOf } from './method.js';
import * as check from './requests.js';
import { SessionSource, WatchSource } from './sources.js';
import { bookmarkInterval, heartbeatInterval, takeWatch, type WatchLimits, watchLimits } from './watch-limits.js';

interface SessionServiceSettings {
  readonly openTimeoutMs: number;
  readonly openTimeoutMaxMs: number;
  readonly leaseTtlMinMs: number;
  readonly leaseTtlMaxMs: number;
  readonly watch: WatchLimits;
}

/**
 * Events of one session that may wait for a stream that is not read: more than a session has,
 * except for its renewals.
 */
const SESSION_QUEUE_EVENTS_MAX = 256;
const SESSION_IDS_MAX = 10_000;

export function sessionService(
  services: CallServices,
  lifecycle: Lifecycle,
  settings: SessionServiceSettings,
): Service {
  const handlers = new SessionHandlers(services, lifecycle, settings);
  const { watcherGraceMs: graceMs } = settings.watch;
  return serviceOf(SessionServiceDefinition, {
    openSession: { encode: encodeOpenSession, open: handlers.open, graceMs },
    watchSessions: { encode: encodeWatchSessions, open: handlers.watch, graceMs },
    cancelOpenSession: { encode: encodeAnswer, answer: handlers.cancel },
    closeSession: { encode: encodeAnswer, answer: handlers.close },
    renewSession: { encode: encodeAnswer, answer: handlers.renew },
    getSession: { encode: encodeAnswer, answer: handlers.get },
    listSessions: { encode: encodePage, answer: handlers.list },
  });
}

class SessionHandlers {
  readonly #services: CallServices;
  readonly #lifecycle: Lifecycle;
  readonly #settings: SessionServiceSettings;

  constructor(services: CallServices, lifecycle: Lifecycle, settings: SessionServiceSettings) {
    this.#services = services;
    this.#lifecycle = lifecycle;
    this.#settings = settings;
  }

  readonly open = (request: OpenSessionRequest, context: Context): SessionSource => {
    const { caller } = context;
    const kind = fromSessionKind(request.kind);
    if (kind === undefined) throw check.invalid('kind', String(request.kind), 'must be a known SessionKind');
    const deviceAddress = check.deviceAddress(request.deviceAddress);
    const openTimeoutMs = check.duration('open_timeout', request.openTimeout, 1, this.#settings.openTimeoutMaxMs);
    const leaseTtlMs = this.#leaseTtl(request.leaseTtl);
    // Of this stream, not of the session: a second request for the session may set another.
    const heartbeatMs = heartbeatInterval(request.heartbeatInterval);
    const wanted = {
      sessionId: request.sessionId === '' ? '' : check.sessionId(request.sessionId),
      deviceAddress,
      kind,
      openTimeoutMs: openTimeoutMs ?? this.#settings.openTimeoutMs,
      leaseTtlMs,
      requestId: check.requestId(request.requestId),
      owner: caller.principal,
    };
    const { session, isNew } = unwrap(this.#lifecycle.open(wanted, causeOf(context, wanted.requestId)));
    // The quota of sessions covers the first stream of a session. Further ones count as watchers.
    const release = isNew ? () => {} : unwrap(this.#services.watchers.take(caller.principal));
    const attachment = this.#lifecycle.attach(session.id);
    if (attachment === undefined) throw new FaultError(sessionNotFound(session.id));
    const stream = { queueMax: SESSION_QUEUE_EVENTS_MAX, heartbeatMs };
    return new SessionSource(this.#lifecycle.events, attachment, stream, release, (cursor) => shownTo(caller, cursor));
  };

  readonly watch = (request: WatchSessionsRequest, { caller }: Context) => {
    if (request.sessionIds.length > SESSION_IDS_MAX) {
      throw check.invalid('session_ids', `${request.sessionIds.length} ids`, `must be ${SESSION_IDS_MAX} at most`);
    }
    const ids = new Set(request.sessionIds.map((id, index) => check.sessionId(id, `session_ids[${index}]`)));
    const isWanted = (id: string, owner: string) => (ids.size === 0 || ids.has(id)) && caller.maySee(owner);
    const limits = watchLimits(this.#settings.watch, bookmarkInterval(request.bookmarkInterval, this.#settings.watch));
    const position =
      request.cursor === ''
        ? this.#lifecycle.events.log.newest
        : unwrap(resultFor(caller, this.#lifecycle.events.positionOf(readFrom(caller, request.cursor))));
    const release = takeWatch(this.#services, caller.principal, ids.size);
    // In one turn, so that the reader starts exactly where the snapshot is true.
    const reader = this.#lifecycle.events.read(
      position,
      (event) => isWanted(event.sessionId, event.owner),
      labelsFor(ids, caller),
    );
    const inSnapshot = all(({ id, owner }) => isWanted(id, owner));
    const snapshot =
      request.cursor === ''
        ? this.#lifecycle.registry.list(inSnapshot, 0, Number.POSITIVE_INFINITY).sessions
        : undefined;
    return new WatchSource(this.#lifecycle.events, reader, snapshot, limits, release, (cursor) =>
      shownTo(caller, cursor),
    );
  };

  readonly list = (request: ListSessionsRequest, context: Context) => {
    const { caller } = context;
    const states = check.sessionStates(request.states);
    const address = request.deviceAddress === '' ? undefined : check.deviceAddress(request.deviceAddress);
    const filterText = JSON.stringify([this.#lifecycle.events.log.epoch, states, address]);
    const after = check.fromPageToken(request.pageToken, filterText);
    const filter = { states, deviceAddress: address, isVisible: ({ owner }: Session) => caller.maySee(owner) };
    const page = this.#lifecycle.registry.list(filter, after, check.pageSize(request.pageSize));
    return this.#whenKept<SessionPage>(context, {
      sessions: page.sessions,
      nextPageToken: check.toPageToken(page.next, filterText),
      cursor: shownTo(caller, this.#lifecycle.events.cursor),
    });
  };

  readonly cancel = (request: CancelOpenSessionRequest, context: Context) => {
    this.#assertMayChange(request.sessionId, context);
    const cause = causeOf(context, check.requestId(request.requestId));
    return this.#answer(context, unwrap(this.#lifecycle.cancel(request.sessionId, cause)));
  };

  readonly close = async (request: CloseSessionRequest, context: Context) => {
    this.#assertMayChange(request.sessionId, context);
    const cause = causeOf(context, check.requestId(request.requestId));
    const { sessionId, waitForDisconnect } = request;
    const closed = await this.#lifecycle.close(sessionId, waitForDisconnect, cause, context.signal);
    return this.#answer(context, unwrap(closed));
  };

  readonly renew = (request: RenewSessionRequest, context: Context) => {
    this.#assertMayChange(request.sessionId, context);
    const leaseTtlMs = this.#leaseTtl(request.leaseTtl);
    const cause = causeOf(context, check.requestId(request.requestId));
    return this.#answer(context, unwrap(this.#lifecycle.renew(request.sessionId, leaseTtlMs, cause)));
  };

  readonly get = (request: GetSessionRequest, context: Context) =>
    this.#answer(context, this.#visible(request.sessionId, context));

  #leaseTtl(value: Duration | undefined): number | undefined {
    const { leaseTtlMinMs, leaseTtlMaxMs } = this.#settings;
    return check.duration('lease_ttl', value, leaseTtlMinMs, leaseTtlMaxMs);
  }

  /** The session, if this caller may see it. */
  #visible(id: string, { caller }: Context): Session {
    const session = this.#lifecycle.registry.find(check.sessionId(id))?.record.session;
    if (session === undefined || !caller.maySee(session.owner)) throw new FaultError(sessionNotFound(id));
    return session;
  }

  #assertMayChange(id: string, context: Context): void {
    const { owner } = this.#visible(id, context);
    if (!context.caller.mayChange(owner)) throw new FaultError(notYours(context.rpc, id));
  }

  #answer(context: Context, session: Session): SessionAnswer | Promise<SessionAnswer> {
    return this.#whenKept(context, { session, cursor: shownTo(context.caller, this.#lifecycle.events.cursor) });
  }

  /** Answers when the journal has kept what the answer shows. */
  #whenKept<T extends { readonly cursor: string }>({ caller }: Context, message: T): T | Promise<T> {
    const kept = this.#lifecycle.events.untilKept();
    if (kept === undefined) return message;
    const { epoch } = this.#lifecycle.events.log;
    // Readers of a new epoch get the events that were not kept before it from its beginning.
    const fromBeginning = () => ({
      ...message,
      cursor: shownTo(caller, formatCursor(this.#lifecycle.events.log.epoch, 0)),
    });
    return kept.then(() => (this.#lifecycle.events.log.epoch === epoch ? message : fromBeginning()));
  }
}

/** The labels by which the log finds the events of a watch; undefined if the watch wants all. */
function labelsFor(ids: ReadonlySet<string>, caller: Caller): ReadonlySet<string> | undefined {
  if (ids.size > 0) return new Set([...ids].map(sessionLabel));
  return caller.maySeeAll() ? undefined : new Set([ownerLabel(caller.principal)]);
}

function all(isVisible: (session: Session) => boolean) {
  return { states: [], deviceAddress: undefined, isVisible };
}

function notYours(rpc: string, id: string): Fault {
  return {
    reason: 'PERMISSION_DENIED',
    message: `You may see session ${id}, but not change it.`,
    metadata: { rpc, session_id: id },
  };
}
