/**
 * The life of a session as a pure function: record and input in, record, events and commands out.
 * It knows no clock, no native call and no stream.
 *
 * ```text
 *   OPENING --callback: error--> FAILED
 *     | \--cancel, close, open timeout, lease, stream lost, drain--> CANCELLING --callback: error--> CANCELLED
 *     |                                                                  |
 *   callback: success                                                 callback: success
 *     v                                                                  v
 *   OPEN --close, lease, stream lost, drain, link found down--------> CLOSING --evidence or close timeout--> CLOSED
 *
 *   any live state --the WLAN service or the handle is gone--> LOST
 * ```
 *
 * The happy path: `open` creates the record and asks for `StartOpen`. `WFDStartOpenSession` returns
 * and gives the handle (`StartReturned`). Its callback reports success (`OpenCompleted`), and the
 * session is `OPEN`. A client closes it: the session is `CLOSING`, and `CloseSession` is issued.
 * `WFDCloseSession` only queues the close, so the session waits until the call has returned and
 * until something shows that the link is down. Then it is `CLOSED`. If nothing shows it before the
 * close timeout, it is `CLOSED` as `UNCONFIRMED`.
 *
 * The native API leaves three races undefined. They are decided here:
 *
 * - The callback can arrive before `WFDStartOpenSession` returns. The callback is believed: the
 *   session is `OPEN`. Its handle is not known yet, so a close that is requested now stays owed
 *   until the call returns.
 * - A cancel can lose against the open. After a cancel the session always waits for the callback,
 *   whatever `WFDCancelOpenSession` returned. If the callback reports an error, the session is
 *   `CANCELLED`. If it reports success, the session is closed and never handed out. There is one
 *   exception: if Windows says that it does not know the handle, the callback may never come. The
 *   session then waits for the length of a close timeout and is `LOST`.
 * - A link can go down before, during or after a close. The first of the two decides the reason of
 *   the end. The handle is closed in every order, and evidence that arrives before
 *   `WFDCloseSession` has returned is kept until it has.
 *
 * Invariant: each native call is issued at most once, and only while its handle can be used for it.
 * A call that has to be made and can't be made yet is owed; the table `owedCalls` says what it
 * waits for.
 */
import type { Fault } from '../fault.js';
import {
  type DisconnectEvidence,
  type EventCause,
  isFinal,
  type Moment,
  type NativeOutcome,
  type OpenRequest,
  type Session,
  type SessionCommand,
  type SessionEvent,
  type SessionInput,
  type TimerName,
} from './session.js';
import {
  draft,
  type EndTrigger,
  finish,
  finishClosed,
  finishLost,
  hostCause,
  hostTrigger,
  noChange,
  refuseRequest,
  type SessionRecord,
  type Step,
} from './transition.js';

/** Creates a session: its record, its first event, and the commands that start the open. */
export function open(request: OpenRequest, cause: EventCause, now: Moment, closeTimeoutMs: number): Step {
  const { leaseTtlMs } = request;
  const session: Session = {
    id: request.sessionId,
    deviceAddress: request.deviceAddress,
    kind: request.kind,
    state: 'OPENING',
    owner: request.owner,
    requestId: request.requestId,
    networkInterface: undefined,
    end: undefined,
    leaseExpireTimeMs: leaseTtlMs === undefined ? undefined : now.timeMs + leaseTtlMs,
    createTimeMs: now.timeMs,
    openTimeMs: undefined,
    closeTimeMs: undefined,
    endTimeMs: undefined,
    marks: { createMs: now.steadyMs, openMs: undefined, closeMs: undefined, endMs: undefined },
    ...(cause.trace && { trace: cause.trace }),
  };
  const commands: SessionCommand[] = [
    { type: 'StartOpen' },
    { type: 'SetTimer', timer: 'open', delayMs: request.openTimeoutMs },
  ];
  if (leaseTtlMs !== undefined) commands.push({ type: 'SetTimer', timer: 'lease', delayMs: leaseTtlMs });
  const record: SessionRecord = {
    session,
    leaseTtlMs,
    closeTimeoutMs,
    latestMs: now.timeMs,
    start: { state: 'issued' },
    open: 'pending',
    cancel: { state: 'none' },
    close: { state: 'none' },
    evidence: undefined,
    endTrigger: undefined,
  };
  return { record, events: [draft('OPENING', session, cause, now)], commands };
}

/**
 * The record of a session of which only the last event is known. The process that knew its handle
 * has died, so nothing can be issued for it.
 */
export function restore({ session, timeMs }: SessionEvent, closeTimeoutMs: number): SessionRecord {
  return {
    session,
    leaseTtlMs: undefined,
    closeTimeoutMs,
    latestMs: timeMs,
    start: { state: 'returned' },
    open: session.openTimeMs === undefined ? 'failed' : 'succeeded',
    cancel: { state: 'returned' },
    close: { state: 'returned' },
    evidence: session.end?.evidence,
    endTrigger: undefined,
  };
}

/**
 * Applies one input. The times that a session shows never go back, even if the wall clock is set
 * back.
 */
export function step(record: SessionRecord, input: SessionInput, moment: Moment): Step {
  const now = { ...moment, timeMs: Math.max(moment.timeMs, record.latestMs) };
  const next = decide(record, input, now, moment.timeMs);
  return next.events.length === 0 ? next : { ...next, record: { ...next.record, latestMs: now.timeMs } };
}

/** `wallMs` is what the wall clock says, for times that clients compare with their own clock. */
function decide(record: SessionRecord, input: SessionInput, now: Moment, wallMs: number): Step {
  if (isFinal(record.session)) return onInputAfterEnd(record, input);
  switch (input.type) {
    case 'CancelRequested':
      return onCancelRequested(record, input.cause, now);
    case 'CloseRequested':
      return startEnding(record, { reason: 'REQUESTED', cause: input.cause, fault: undefined }, now);
    case 'RenewRequested':
      return onRenewRequested(record, input.cause, input.leaseTtlMs, now, wallMs);
    case 'StreamsEnded':
      if (record.leaseTtlMs !== undefined) return noChange(record);
      return startEnding(record, hostTrigger('STREAM_ENDED', 'STREAM_LOST'), now);
    case 'HostRestarted':
      return onHostRestarted(record, now);
    case 'HostStopping':
      return startEnding(record, hostTrigger('HOST_STOPPING', 'SHUTDOWN'), now);
    case 'TimerFired':
      return onTimer(record, input.timer, now);
    case 'StartReturned':
      return onStartReturned(record, input.outcome, now);
    case 'OpenCompleted':
      return onOpenCompleted(record, input, now);
    case 'CancelReturned':
      return onCancelReturned(record, input.outcome);
    case 'CloseReturned':
      return onCloseReturned(record, input.outcome, now);
    case 'LinkDown':
      return onLinkDown(record, input.evidence, now);
    case 'NetworkInterfaceChanged': {
      if (record.session.state !== 'OPEN') return noChange(record);
      const session = { ...record.session, networkInterface: input.networkInterface };
      return {
        record: { ...record, session },
        events: [draft('NETWORK_INTERFACE_CHANGED', session, hostCause('NATIVE'), now)],
        commands: [],
      };
    }
    case 'HandlesInvalidated':
      return finishLost(record, input.outcome.fault, now, input.outcome);
  }
}

function onInputAfterEnd(record: SessionRecord, input: SessionInput): Step {
  const { session } = record;
  if (input.type === 'RenewRequested') return refuseRequest(record, 'renewed');
  const wasCancelled = session.state === 'CANCELLED' || session.end?.reason === 'CANCELLED';
  if (input.type === 'CancelRequested' && !wasCancelled) return refuseRequest(record, 'cancelled');
  return noChange(record);
}

function onCancelRequested(record: SessionRecord, cause: EventCause, now: Moment): Step {
  const { state } = record.session;
  if (state === 'OPENING') return startEnding(record, { reason: 'CANCELLED', cause, fault: undefined }, now);
  const isBeingCancelled = state === 'CANCELLING' || record.endTrigger?.reason === 'CANCELLED';
  return isBeingCancelled ? noChange(record) : refuseRequest(record, 'cancelled');
}

function onRenewRequested(
  record: SessionRecord,
  cause: EventCause,
  leaseTtlMs: number | undefined,
  now: Moment,
  wallMs: number,
): Step {
  const { session } = record;
  const ttlMs = leaseTtlMs ?? record.leaseTtlMs;
  const isRenewable = session.state === 'OPENING' || session.state === 'OPEN';
  if (record.leaseTtlMs === undefined || ttlMs === undefined || !isRenewable) return refuseRequest(record, 'renewed');
  const renewed = { ...session, leaseExpireTimeMs: wallMs + ttlMs };
  return {
    record: { ...record, session: renewed, leaseTtlMs: ttlMs },
    events: [draft('LEASE_RENEWED', renewed, cause, now)],
    commands: [{ type: 'SetTimer', timer: 'lease', delayMs: ttlMs }],
  };
}

function onHostRestarted(record: SessionRecord, now: Moment): Step {
  const { id } = record.session;
  const fault: Fault = {
    reason: 'HOST_RESTARTED',
    message: `The daemon that held session ${id} ended without closing it, and has started again; open another session.`,
    metadata: { session_id: id },
  };
  return finish(record, 'LOST', { ...hostTrigger('HOST_RESTARTED', 'RESTART'), fault }, now);
}

function onTimer(record: SessionRecord, timer: TimerName, now: Moment): Step {
  const { session, cancel, close } = record;
  switch (timer) {
    case 'open': {
      if (session.state !== 'OPENING') return noChange(record);
      const fault: Fault = {
        reason: 'OPEN_TIMED_OUT',
        message: `Opening a session to ${session.deviceAddress} exceeded its open_timeout; the open has been cancelled.`,
        metadata: { device_address: session.deviceAddress },
      };
      return startEnding(record, { ...hostTrigger('OPEN_TIMED_OUT', 'TIMEOUT'), fault }, now);
    }
    case 'lease': {
      if (session.state !== 'OPENING' && session.state !== 'OPEN') return noChange(record);
      const trigger = hostTrigger('LEASE_EXPIRED', 'LEASE');
      const expired = draft('LEASE_EXPIRED', session, trigger.cause, now);
      const next = startEnding(record, trigger, now);
      return { ...next, events: [expired, ...next.events] };
    }
    case 'cancel':
      if (session.state !== 'CANCELLING') return noChange(record);
      return finishLost(record, cancel.outcome?.fault, now, cancel.outcome);
    case 'close':
      // A close that is still owed can't time out: the link is up, and the session says so.
      if (close.state !== 'issued' && close.state !== 'returned') return noChange(record);
      return finishClosed(record, record.evidence ?? 'UNCONFIRMED', now);
  }
}

function onStartReturned(record: SessionRecord, outcome: NativeOutcome, now: Moment): Step {
  const started: SessionRecord = { ...record, start: { state: 'returned', outcome } };
  // If the callback has reported success already, the callback is right and the return value is
  // not.
  if (outcome.fault === undefined || record.open === 'succeeded') return issueOwed(started);
  return onOpenFailed(started, outcome, outcome.fault, now);
}

function onOpenCompleted(record: SessionRecord, input: Extract<SessionInput, { type: 'OpenCompleted' }>, now: Moment) {
  if (record.open !== 'pending') return noChange(record);
  const { outcome, networkInterface } = input;
  if (outcome.fault !== undefined) return onOpenFailed(record, outcome, outcome.fault, now);
  const opened: SessionRecord = { ...record, open: 'succeeded' };
  if (record.session.state === 'CANCELLING') {
    const session: Session = { ...toClosing(record.session, now), networkInterface };
    // It is too late for a cancel that is still owed.
    const cancel = record.cancel.state === 'owed' ? ({ state: 'none' } as const) : record.cancel;
    const next = issueOwed({ ...opened, session, cancel, close: { state: 'owed' } });
    const cause = record.endTrigger?.cause ?? hostCause('NATIVE');
    return { ...next, events: [draft('CLOSING', session, cause, now, outcome)] };
  }
  const { marks } = record.session;
  const session: Session = {
    ...record.session,
    state: 'OPEN',
    networkInterface,
    openTimeMs: now.timeMs,
    marks: { ...marks, openMs: now.steadyMs },
  };
  return {
    record: { ...opened, session },
    events: [draft('OPENED', session, hostCause('NATIVE'), now, outcome)],
    commands: [],
  };
}

/** The open did not succeed: it was cancelled, its handle was lost, or it failed. */
function onOpenFailed(record: SessionRecord, outcome: NativeOutcome, fault: Fault, now: Moment): Step {
  const failed: SessionRecord = { ...record, open: 'failed' };
  if (record.session.state === 'CANCELLING' && record.endTrigger !== undefined) {
    return finish(failed, 'CANCELLED', record.endTrigger, now, outcome);
  }
  if (fault.reason === 'NATIVE_HANDLE_LOST') return finishLost(failed, fault, now, outcome);
  return finish(failed, 'FAILED', { ...hostTrigger('OPEN_FAILED', 'NATIVE'), fault }, now, outcome);
}

/**
 * If Windows does not know the handle, the open has ended and its callback is on the way, or the
 * callback will never come. A timer decides.
 */
function onCancelReturned(record: SessionRecord, outcome: NativeOutcome): Step {
  const cancelled: SessionRecord = { ...record, cancel: { state: 'returned', outcome } };
  const isHandleUnknown = outcome.fault?.reason === 'NATIVE_HANDLE_LOST';
  if (!isHandleUnknown || record.session.state !== 'CANCELLING') return noChange(cancelled);
  return {
    record: cancelled,
    events: [],
    commands: [{ type: 'SetTimer', timer: 'cancel', delayMs: record.closeTimeoutMs }],
  };
}

function onCloseReturned(record: SessionRecord, outcome: NativeOutcome, now: Moment): Step {
  const { fault } = outcome;
  const closed: SessionRecord = { ...record, close: { state: 'returned', outcome } };
  const isLost =
    fault?.reason === 'NATIVE_HANDLE_LOST' ||
    fault?.reason === 'WLAN_SERVICE_NOT_RUNNING' ||
    fault?.reason === 'WLAN_SERVICE_UNREACHABLE';
  if (isLost) return finishLost(closed, fault, now, outcome);
  return closed.evidence === undefined ? noChange(closed) : finishClosed(closed, closed.evidence, now);
}

function onLinkDown(record: SessionRecord, evidence: DisconnectEvidence, now: Moment): Step {
  const { state } = record.session;
  const down: SessionRecord = { ...record, evidence };
  if (state === 'OPEN') return startEnding(down, hostTrigger('PEER_DISCONNECTED', 'PEER'), now);
  // Before it is open, a session has no link of its own, so this says nothing about it.
  if (state !== 'CLOSING') return noChange(record);
  return down.close.state === 'returned' ? finishClosed(down, evidence, now) : noChange(down);
}

/** Starts to end the session. Only the first trigger has an effect. */
function startEnding(record: SessionRecord, trigger: EndTrigger, now: Moment): Step {
  const { session } = record;
  if (session.state === 'OPENING') {
    const cancelling: Session = { ...session, state: 'CANCELLING' };
    const next = issueOwed({ ...record, session: cancelling, endTrigger: trigger, cancel: { state: 'owed' } });
    return { ...next, events: [draft('CANCELLING', cancelling, trigger.cause, now)] };
  }
  if (session.state === 'OPEN') {
    const closing = toClosing(session, now);
    const next = issueOwed({ ...record, session: closing, endTrigger: trigger, close: { state: 'owed' } });
    return { ...next, events: [draft('CLOSING', closing, trigger.cause, now)] };
  }
  return noChange(record);
}

function toClosing(session: Session, now: Moment): Session {
  const marks = { ...session.marks, closeMs: now.steadyMs };
  return { ...session, state: 'CLOSING', closeTimeMs: now.timeMs, marks };
}

/**
 * The calls that a session can owe. Both need the handle, so both wait until the start has
 * returned. `open` is what the callback must have reported, and `timer` is set when the call is
 * issued.
 */
const owedCalls = [
  { call: 'cancel', open: 'pending', command: 'CancelOpen', timer: undefined },
  { call: 'close', open: 'succeeded', command: 'CloseSession', timer: 'close' },
] as const;

/** Issues the call that is owed, if its handle can be used for it now. */
function issueOwed(record: SessionRecord): Step {
  const due = owedCalls.find(
    ({ call, open }) => record.start.state === 'returned' && record.open === open && record[call].state === 'owed',
  );
  if (due === undefined) return noChange(record);
  const commands: SessionCommand[] = [{ type: due.command }];
  if (due.timer !== undefined) commands.push({ type: 'SetTimer', timer: due.timer, delayMs: record.closeTimeoutMs });
  return { record: { ...record, [due.call]: { state: 'issued' } }, events: [], commands };
}
