/** `wifidirect.v1.SessionService`: message → request → message. What may happen is decided in `session/`. */
import type { Caller } from '../access/caller.js';
import { formatCursor } from '../events/cursor.js';
import { type Fault, FaultError, sessionNotFound } from '../fault.js';
import type { Lifecycle } from '../session/lifecycle.js';
import type { Session } from '../session/session.js';
import { readFrom, resultFor, shownTo } from './cursors.js';
import { type Context, causeOf, type Edge, must } from './edge.js';
import {
  encodeAnswer,
  encodeOpenSession,
  encodePage,
  encodeWatchSessions,
  type OpenMessage,
  type SessionAnswer,
  type SessionPage,
} from './encode-once.js';
import { ownerLabel, sessionLabel } from './event-kinds.js';
import type {
  CancelOpenSessionRequest,
  CloseSessionRequest,
  GetSessionRequest,
  ListSessionsRequest,
  OpenSessionRequest,
  RenewSessionRequest,
  WatchSessionsRequest,
} from './gen/wifidirect/v1/session_service.js';
import { SessionServiceService } from './gen/wifidirect/v1/session_service.js';
import { fromSessionKind } from './messages.js';
import * as check from './requests.js';
import { serverStream } from './server-stream.js';
import { SessionSource, WatchSource } from './sources.js';
import { unary } from './unary.js';
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

const name = (method: string) => `wifidirect.v1.SessionService/${method}`;

/** The definition with each event and each session encoded once, however many streams and answers carry it. */
export const sessionServiceDefinition = {
  ...SessionServiceService,
  openSession: { ...SessionServiceService.openSession, responseSerialize: encodeOpenSession },
  watchSessions: { ...SessionServiceService.watchSessions, responseSerialize: encodeWatchSessions },
  cancelOpenSession: { ...SessionServiceService.cancelOpenSession, responseSerialize: encodeAnswer },
  closeSession: { ...SessionServiceService.closeSession, responseSerialize: encodeAnswer },
  renewSession: { ...SessionServiceService.renewSession, responseSerialize: encodeAnswer },
  getSession: { ...SessionServiceService.getSession, responseSerialize: encodeAnswer },
  listSessions: { ...SessionServiceService.listSessions, responseSerialize: encodePage },
};

export function sessionService(edge: Edge, lifecycle: Lifecycle, settings: SessionServiceSettings) {
  const { events, registry } = lifecycle;
  const { watcherGraceMs } = settings.watch;
  /** Nobody is told of what has not been kept yet. */
  const told = <T extends { readonly cursor: string }>({ caller }: Context, message: T): T | Promise<T> => {
    const kept = events.untilKept();
    if (kept === undefined) return message;
    const { epoch } = events.log;
    // In a new epoch, what had not been told by then is told from its beginning.
    const anew = () => ({ ...message, cursor: shownTo(caller, formatCursor(events.log.epoch, 0)) });
    return kept.then(() => (events.log.epoch === epoch ? message : anew()));
  };
  const answer = (context: Context, session: Session) =>
    told<SessionAnswer>(context, { session, cursor: shownTo(context.caller, events.cursor) });

  /** The session, if it is there for this caller; to be changed only by those who may. */
  const find = (id: string, { caller, rpc }: Context, isChange: boolean): Session => {
    const session = registry.find(check.sessionId(id))?.record.session;
    if (session === undefined || !caller.maySee(session.owner)) throw new FaultError(sessionNotFound(id));
    if (isChange && !caller.mayChange(session.owner)) throw new FaultError(notYours(rpc, id));
    return session;
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
    const { session, isNew } = must(lifecycle.open(wanted, causeOf(context, wanted.requestId)));
    // The first stream of a session is within the quota of sessions; further ones are watchers.
    const release = isNew ? () => {} : must(edge.watchers.take(caller.principal));
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
        : must(resultFor(caller, events.positionOf(readFrom(caller, request.cursor))));
    const release = takeWatch(edge, caller.principal, ids.size);
    // One turn for both: what the snapshot shows and where the reader starts.
    const reader = events.read(position, (event) => isWanted(event.sessionId, event.owner), labelsFor(ids, caller));
    const visible = all(({ id, owner }) => isWanted(id, owner));
    const snapshot = request.cursor === '' ? registry.list(visible, 0, Number.POSITIVE_INFINITY).sessions : undefined;
    return new WatchSource(events, reader, snapshot, limits, release, (cursor) => shownTo(caller, cursor));
  }

  return {
    openSession: serverStream<OpenSessionRequest, OpenMessage>(edge, name('OpenSession'), watcherGraceMs, open),
    watchSessions: serverStream(edge, name('WatchSessions'), watcherGraceMs, watch),
    cancelOpenSession: unary(edge, name('CancelOpenSession'), (request: CancelOpenSessionRequest, context) => {
      find(request.sessionId, context, true);
      const cause = causeOf(context, check.requestId(request.requestId));
      return answer(context, must(lifecycle.cancel(request.sessionId, cause)));
    }),
    closeSession: unary(edge, name('CloseSession'), async (request: CloseSessionRequest, context) => {
      find(request.sessionId, context, true);
      const cause = causeOf(context, check.requestId(request.requestId));
      const { sessionId, waitForDisconnect } = request;
      return answer(context, must(await lifecycle.close(sessionId, waitForDisconnect, cause, context.signal)));
    }),
    renewSession: unary(edge, name('RenewSession'), (request: RenewSessionRequest, context) => {
      find(request.sessionId, context, true);
      const { leaseTtlMinMs, leaseTtlMaxMs } = settings;
      const leaseTtlMs = check.duration('lease_ttl', request.leaseTtl, leaseTtlMinMs, leaseTtlMaxMs);
      const cause = causeOf(context, check.requestId(request.requestId));
      return answer(context, must(lifecycle.renew(request.sessionId, leaseTtlMs, cause)));
    }),
    getSession: unary(edge, name('GetSession'), (request: GetSessionRequest, context) =>
      answer(context, find(request.sessionId, context, false)),
    ),
    listSessions: unary(edge, name('ListSessions'), (request: ListSessionsRequest, context) => {
      const { caller } = context;
      const states = check.sessionStates(request.states);
      const address = request.deviceAddress === '' ? undefined : check.deviceAddress(request.deviceAddress);
      const filterText = JSON.stringify([events.log.epoch, states, address]);
      const after = check.fromPageToken(request.pageToken, filterText);
      const filter = { states, deviceAddress: address, isVisible: ({ owner }: Session) => caller.maySee(owner) };
      const page = registry.list(filter, after, check.pageSize(request.pageSize));
      return told<SessionPage>(context, {
        sessions: page.sessions,
        nextPageToken: check.toPageToken(page.next, filterText),
        cursor: shownTo(caller, events.cursor),
      });
    }),
  };
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
