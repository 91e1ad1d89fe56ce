/** `wifidirect.v1.SessionService`: requests in, answers and sources of messages out. `session/` decides what may happen. */

import type {
  ListSessionsRequest,
  OpenSessionRequest,
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

export interface SessionServiceSettings {
  readonly openTimeoutMs: number;
  readonly openTimeoutMaxMs: number;
  readonly leaseTtlMinMs: number;
  readonly leaseTtlMaxMs: number;
  readonly watch: WatchLimits;
}

/** Events of one session that may wait for a stream that is not read: more than a session has but for its renewals. */
const SESSION_QUEUE_EVENTS_MAX = 256;
const SESSION_IDS_MAX = 10_000;

export function sessionService(
  services: CallServices,
  lifecycle: Lifecycle,
  settings: SessionServiceSettings,
): Service {
  const { events, registry } = lifecycle;
  const { watcherGraceMs } = settings.watch;
  /** Nobody is told of what has not been kept yet. */
  const whenKept = <T extends { readonly cursor: string }>({ caller }: Context, message: T): T | Promise<T> => {
    const kept = events.untilKept();
    if (kept === undefined) return message;
    const { epoch } = events.log;
    // In a new epoch, what had not been told by then is told from its beginning.
    const anew = () => ({ ...message, cursor: shownTo(caller, formatCursor(events.log.epoch, 0)) });
    return kept.then(() => (events.log.epoch === epoch ? message : anew()));
  };
  const answer = (context: Context, session: Session) =>
    whenKept<SessionAnswer>(context, { session, cursor: shownTo(context.caller, events.cursor) });

  /** The session, if this caller may know of it. */
  const visible = (id: string, { caller }: Context): Session => {
    const session = registry.find(check.sessionId(id))?.record.session;
    if (session === undefined || !caller.maySee(session.owner)) throw new FaultError(sessionNotFound(id));
    return session;
  };
  const assertMayChange = (id: string, context: Context): void => {
    const { owner } = visible(id, context);
    if (!context.caller.mayChange(owner)) throw new FaultError(notYours(context.rpc, id));
  };

  function open(request: OpenSessionRequest, context: Context): SessionSource {
    const { caller } = context;
    const kind = fromSessionKind(request.kind);
    if (kind === undefined) throw check.invalid('kind', String(request.kind), 'must be a known SessionKind');
    const deviceAddress = check.deviceAddress(request.deviceAddress);
    const openTimeoutMs = check.duration('open_timeout', request.openTimeout, 1, settings.openTimeoutMaxMs);
    const { leaseTtlMinMs, leaseTtlMaxMs } = settings;
    const leaseTtlMs = check.duration('lease_ttl', request.leaseTtl, leaseTtlMinMs, leaseTtlMaxMs);
    // Of this stream, not of the session: who asks twice may want another.
    const heartbeatMs = heartbeatInterval(request.heartbeatInterval);
    const wanted = {
      sessionId: request.sessionId === '' ? '' : check.sessionId(request.sessionId),
      deviceAddress,
      kind,
      openTimeoutMs: openTimeoutMs ?? settings.openTimeoutMs,
      leaseTtlMs,
      requestId: check.requestId(request.requestId),
      owner: caller.principal,
    };
    const { session, isNew } = unwrap(lifecycle.open(wanted, causeOf(context, wanted.requestId)));
    // The first stream of a session is within the quota of sessions; further ones are watchers.
    const release = isNew ? () => {} : unwrap(services.watchers.take(caller.principal));
    const attachment = lifecycle.attach(session.id);
    if (attachment === undefined) throw new FaultError(sessionNotFound(session.id));
    const stream = { queueMax: SESSION_QUEUE_EVENTS_MAX, heartbeatMs };
    return new SessionSource(events, attachment, stream, release, (cursor) => shownTo(caller, cursor));
  }

  function watch(request: WatchSessionsRequest, { caller }: Context) {
    if (request.sessionIds.length > SESSION_IDS_MAX) {
      throw check.invalid('session_ids', `${request.sessionIds.length} ids`, `must be ${SESSION_IDS_MAX} at most`);
    }
    const ids = new Set(request.sessionIds.map((id, index) => check.sessionId(id, `session_ids[${index}]`)));
    const isWanted = (id: string, owner: string) => (ids.size === 0 || ids.has(id)) && caller.maySee(owner);
    const limits = watchLimits(settings.watch, bookmarkInterval(request.bookmarkInterval, settings.watch));
    const position =
      request.cursor === ''
        ? events.log.newest
        : unwrap(resultFor(caller, events.positionOf(readFrom(caller, request.cursor))));
    const release = takeWatch(services, caller.principal, ids.size);
    // One turn for both: what the snapshot shows and where the reader starts.
    const reader = events.read(position, (event) => isWanted(event.sessionId, event.owner), labelsFor(ids, caller));
    const inSnapshot = all(({ id, owner }) => isWanted(id, owner));
    const snapshot =
      request.cursor === '' ? registry.list(inSnapshot, 0, Number.POSITIVE_INFINITY).sessions : undefined;
    return new WatchSource(events, reader, snapshot, limits, release, (cursor) => shownTo(caller, cursor));
  }

  function list(request: ListSessionsRequest, context: Context) {
    const { caller } = context;
    const states = check.sessionStates(request.states);
    const address = request.deviceAddress === '' ? undefined : check.deviceAddress(request.deviceAddress);
    const filterText = JSON.stringify([events.log.epoch, states, address]);
    const after = check.fromPageToken(request.pageToken, filterText);
    const filter = { states, deviceAddress: address, isVisible: ({ owner }: Session) => caller.maySee(owner) };
    const page = registry.list(filter, after, check.pageSize(request.pageSize));
    return whenKept<SessionPage>(context, {
      sessions: page.sessions,
      nextPageToken: check.toPageToken(page.next, filterText),
      cursor: shownTo(caller, events.cursor),
    });
  }

  return serviceOf(SessionServiceDefinition, {
    openSession: { open, encode: encodeOpenSession, graceMs: watcherGraceMs },
    watchSessions: { open: watch, encode: encodeWatchSessions, graceMs: watcherGraceMs },
    cancelOpenSession: {
      encode: encodeAnswer,
      answer: (request, context) => {
        assertMayChange(request.sessionId, context);
        const cause = causeOf(context, check.requestId(request.requestId));
        return answer(context, unwrap(lifecycle.cancel(request.sessionId, cause)));
      },
    },
    closeSession: {
      encode: encodeAnswer,
      answer: async (request, context) => {
        assertMayChange(request.sessionId, context);
        const cause = causeOf(context, check.requestId(request.requestId));
        const { sessionId, waitForDisconnect } = request;
        return answer(context, unwrap(await lifecycle.close(sessionId, waitForDisconnect, cause, context.signal)));
      },
    },
    renewSession: {
      encode: encodeAnswer,
      answer: (request, context) => {
        assertMayChange(request.sessionId, context);
        const { leaseTtlMinMs, leaseTtlMaxMs } = settings;
        const leaseTtlMs = check.duration('lease_ttl', request.leaseTtl, leaseTtlMinMs, leaseTtlMaxMs);
        const cause = causeOf(context, check.requestId(request.requestId));
        return answer(context, unwrap(lifecycle.renew(request.sessionId, leaseTtlMs, cause)));
      },
    },
    getSession: {
      encode: encodeAnswer,
      answer: (request, context) => answer(context, visible(request.sessionId, context)),
    },
    listSessions: { encode: encodePage, answer: list },
  });
}

/** By what the log finds the events of a watch; undefined where it wants all. */
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
