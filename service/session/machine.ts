/**
 * The life of a session as a pure function: no clock, no native call, no stream.
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
 * What the native API leaves undefined is decided here:
 * - `CancelOpen` is issued only once `WFDStartOpenSession` has returned, `CloseSession` only when besides that the open has succeeded;
 *   until then they are owed. Each is issued at most once.
 * - After a cancel the session waits for its callback, whatever it says; a success is closed and never handed out.
 *   But a handle that Windows says it does not know may have no callback: that one is waited for as long as for a close, then it is `LOST`.
 * - `CLOSED` needs the close to have returned, and evidence; or the close timeout.
 */
import type { Fault } from '../fault.js';
import {
  type DisconnectEvidence,
  type EventCause,
  hasEnded,
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
  byHost,
  closed,
  draft,
  type Ending,
  end,
  endingCause,
  hostEnding,
  type Machine,
  refused,
  type Step,
  unchanged,
} from './transition.js';

export function open(request: OpenRequest, cause: EventCause, now: Moment, closeTimeoutMs: number): Step {
  const session: Session = {
    id: request.sessionId,
    deviceAddress: request.deviceAddress,
    kind: request.kind,
    state: 'OPENING',
    owner: request.owner,
    requestId: request.requestId,
    networkInterface: undefined,
    end: undefined,
    leaseExpireTimeMs: request.leaseTtlMs === undefined ? undefined : now.timeMs + request.leaseTtlMs,
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
  if (request.leaseTtlMs !== undefined)
    commands.push({ type: 'SetTimer', timer: 'lease', delayMs: request.leaseTtlMs });
  return {
    machine: {
      session,
      leaseTtlMs: request.leaseTtlMs,
      closeTimeoutMs,
      latestMs: now.timeMs,
      startReturned: false,
      opened: false,
      cancelIssued: false,
      cancelOutcome: undefined,
      close: 'none',
      closeOutcome: undefined,
      evidence: undefined,
      ending: undefined,
    },
    events: [draft('OPENING', session, cause, now)],
    commands,
  };
}

/** The times that a session shows never go back, though the wall clock may be set. */
export function step(machine: Machine, input: SessionInput, moment: Moment): Step {
  const now = { ...moment, timeMs: Math.max(moment.timeMs, machine.latestMs) };
  const next = decide(machine, input, now, moment.timeMs);
  return next.events.length === 0 ? next : { ...next, machine: { ...next.machine, latestMs: now.timeMs } };
}

/** `wallMs`: what the wall clock says, for what clients compare with it. */
function decide(machine: Machine, input: SessionInput, now: Moment, wallMs: number): Step {
  if (hasEnded(machine.session)) return afterTheEnd(machine, input);
  switch (input.type) {
    case 'CancelRequested':
      return cancelRequested(machine, input.cause, now);
    case 'CloseRequested':
      return beginEnd(machine, { reason: 'REQUESTED', cause: input.cause, fault: undefined }, now);
    case 'RenewRequested':
      return renewRequested(machine, input.cause, input.leaseTtlMs, now, wallMs);
    case 'StreamsEnded':
      if (machine.leaseTtlMs !== undefined) return unchanged(machine);
      return beginEnd(machine, hostEnding('STREAM_ENDED', 'STREAM_LOST'), now);
    case 'HostRestarted':
      return end(
        machine,
        'LOST',
        { ...hostEnding('HOST_RESTARTED', 'RESTART'), fault: hostRestarted(machine.session.id) },
        now,
      );
    case 'HostStopping':
      return beginEnd(machine, hostEnding('HOST_STOPPING', 'SHUTDOWN'), now);
    case 'TimerFired':
      return timerFired(machine, input.timer, now);
    case 'StartReturned':
      return startReturned(machine, input.outcome, now);
    case 'OpenCompleted':
      return openCompleted(machine, input, now);
    case 'CancelReturned':
      return cancelReturned(machine, input.outcome);
    case 'CloseReturned':
      return closeReturned(machine, input.outcome, now);
    case 'LinkDown':
      return linkDown(machine, input.evidence, now);
    case 'NetworkInterfaceChanged': {
      if (machine.session.state !== 'OPEN') return unchanged(machine);
      const session = { ...machine.session, networkInterface: input.networkInterface };
      return {
        machine: { ...machine, session },
        events: [draft('NETWORK_INTERFACE_CHANGED', session, byHost('NATIVE'), now)],
        commands: [],
      };
    }
    case 'DriverLost':
      return end(
        machine,
        'LOST',
        { ...hostEnding('DRIVER_LOST', 'DRIVER'), fault: input.outcome.fault },
        now,
        input.outcome,
      );
  }
}

/** The record of a session of which only its last event is known: the process that knew its handles has died. */
export function restored({ session, timeMs }: SessionEvent, closeTimeoutMs: number): Machine {
  return {
    session,
    latestMs: timeMs,
    leaseTtlMs: undefined,
    closeTimeoutMs,
    startReturned: true,
    opened: session.openTimeMs !== undefined,
    cancelIssued: true,
    cancelOutcome: undefined,
    close: 'returned',
    closeOutcome: undefined,
    evidence: session.end?.evidence,
    ending: undefined,
  };
}

function hostRestarted(id: string): Fault {
  return {
    reason: 'HOST_RESTARTED',
    message: `The daemon that held session ${id} ended without closing it, and has started again; open another session.`,
    metadata: { session_id: id },
  };
}

function afterTheEnd(machine: Machine, input: SessionInput): Step {
  const { session } = machine;
  if (input.type === 'RenewRequested') return refused(machine, 'renewed');
  if (input.type === 'CancelRequested' && session.state !== 'CANCELLED' && session.end?.reason !== 'CANCELLED') {
    return refused(machine, 'cancelled');
  }
  return unchanged(machine);
}

function cancelRequested(machine: Machine, cause: EventCause, now: Moment): Step {
  const { state } = machine.session;
  const isCancelled = state === 'CANCELLING' || machine.ending?.reason === 'CANCELLED';
  if (state !== 'OPENING') return isCancelled ? unchanged(machine) : refused(machine, 'cancelled');
  return beginEnd(machine, { reason: 'CANCELLED', cause, fault: undefined }, now);
}

function renewRequested(
  machine: Machine,
  cause: EventCause,
  leaseTtlMs: number | undefined,
  now: Moment,
  wallMs: number,
): Step {
  const { session } = machine;
  const ttlMs = leaseTtlMs ?? machine.leaseTtlMs;
  const isRenewable = session.state === 'OPENING' || session.state === 'OPEN';
  if (machine.leaseTtlMs === undefined || ttlMs === undefined || !isRenewable) return refused(machine, 'renewed');
  const renewed = { ...session, leaseExpireTimeMs: wallMs + ttlMs };
  return {
    machine: { ...machine, session: renewed, leaseTtlMs: ttlMs },
    events: [draft('LEASE_RENEWED', renewed, cause, now)],
    commands: [{ type: 'SetTimer', timer: 'lease', delayMs: ttlMs }],
  };
}

function timerFired(machine: Machine, timer: TimerName, now: Moment): Step {
  const { session } = machine;
  if (timer === 'open') {
    if (session.state !== 'OPENING') return unchanged(machine);
    const fault: Fault = {
      reason: 'OPEN_TIMED_OUT',
      message: `Opening a session to ${session.deviceAddress} exceeded its open_timeout; the open has been cancelled.`,
      metadata: { device_address: session.deviceAddress },
    };
    return beginEnd(machine, { ...hostEnding('OPEN_TIMED_OUT', 'TIMEOUT'), fault }, now);
  }
  if (timer === 'lease') {
    if (session.state !== 'OPENING' && session.state !== 'OPEN') return unchanged(machine);
    const ending = hostEnding('LEASE_EXPIRED', 'LEASE');
    const lapse = draft('LEASE_EXPIRED', session, ending.cause, now);
    const begun = beginEnd(machine, ending, now);
    return { ...begun, events: [lapse, ...begun.events] };
  }
  if (timer === 'cancel') {
    const { cancelOutcome } = machine;
    if (session.state !== 'CANCELLING') return unchanged(machine);
    const ending = { ...hostEnding('DRIVER_LOST', 'DRIVER'), fault: cancelOutcome?.fault };
    return end(machine, 'LOST', ending, now, cancelOutcome);
  }
  // An owed close can't time out before it was issued: the link stands, and the session says so.
  if (machine.close !== 'issued' && machine.close !== 'returned') return unchanged(machine);
  return closed(machine, machine.evidence ?? 'UNCONFIRMED', now);
}

function startReturned(machine: Machine, outcome: NativeOutcome, now: Moment): Step {
  const returned = { ...machine, startReturned: true };
  const { fault } = outcome;
  if (fault === undefined) return issueOwed(returned);
  if (machine.opened) return issueOwed(returned); // The callback has already said that it is open: that is the truth.
  return openEnded(returned, outcome, fault, now);
}

function openCompleted(machine: Machine, input: Extract<SessionInput, { type: 'OpenCompleted' }>, now: Moment): Step {
  if (machine.opened) return unchanged(machine);
  const { outcome, networkInterface } = input;
  if (outcome.fault !== undefined) return openEnded(machine, outcome, outcome.fault, now);
  const opened: Machine = { ...machine, opened: true };
  if (machine.session.state === 'CANCELLING') {
    const session: Session = { ...closing(machine.session, now), networkInterface };
    const owed = issueOwed({ ...opened, session, close: 'owed' });
    return { ...owed, events: [draft('CLOSING', session, endingCause(machine), now, outcome)] };
  }
  const { marks } = machine.session;
  const session: Session = {
    ...machine.session,
    state: 'OPEN',
    networkInterface,
    openTimeMs: now.timeMs,
    marks: { ...marks, openMs: now.steadyMs },
  };
  return {
    machine: { ...opened, session },
    events: [draft('OPENED', session, byHost('NATIVE'), now, outcome)],
    commands: [],
  };
}

/** The open came to nothing: asked for, lost with the handle, or failed. */
function openEnded(machine: Machine, outcome: NativeOutcome, fault: Fault, now: Moment): Step {
  if (machine.session.state === 'CANCELLING' && machine.ending !== undefined) {
    return end(machine, 'CANCELLED', machine.ending, now, outcome);
  }
  if (fault.reason === 'NATIVE_HANDLE_LOST') {
    return end(machine, 'LOST', { ...hostEnding('DRIVER_LOST', 'DRIVER'), fault }, now, outcome);
  }
  return end(machine, 'FAILED', { ...hostEnding('OPEN_FAILED', 'NATIVE'), fault }, now, outcome);
}

/** "No such handle": a callback that has ended the open is on its way, or none will ever come. */
function cancelReturned(machine: Machine, outcome: NativeOutcome): Step {
  const isKnown = outcome.fault?.reason !== 'NATIVE_HANDLE_LOST';
  if (isKnown || machine.session.state !== 'CANCELLING') return unchanged(machine);
  return {
    machine: { ...machine, cancelOutcome: outcome },
    events: [],
    commands: [{ type: 'SetTimer', timer: 'cancel', delayMs: machine.closeTimeoutMs }],
  };
}

function closeReturned(machine: Machine, outcome: NativeOutcome, now: Moment): Step {
  const { fault } = outcome;
  const returned: Machine = { ...machine, close: 'returned', closeOutcome: outcome };
  const lost: readonly (string | undefined)[] = [
    'NATIVE_HANDLE_LOST',
    'WLAN_SERVICE_NOT_RUNNING',
    'WLAN_SERVICE_UNREACHABLE',
  ];
  if (lost.includes(fault?.reason)) {
    return end(returned, 'LOST', { ...hostEnding('DRIVER_LOST', 'DRIVER'), fault }, now, outcome);
  }
  return returned.evidence === undefined ? unchanged(returned) : closed(returned, returned.evidence, now);
}

function linkDown(machine: Machine, evidence: DisconnectEvidence, now: Moment): Step {
  const { state } = machine.session;
  const seen: Machine = { ...machine, evidence };
  if (state === 'OPEN') return beginEnd(seen, hostEnding('PEER_DISCONNECTED', 'PEER'), now);
  if (state !== 'CLOSING') return unchanged(machine);
  return seen.close === 'returned' ? closed(seen, evidence, now) : unchanged(seen);
}

/** From here the session is on its way out, for one reason, the first that came. */
function beginEnd(machine: Machine, ending: Ending, now: Moment): Step {
  const { state } = machine.session;
  if (state === 'OPENING') {
    const session: Session = { ...machine.session, state: 'CANCELLING' };
    const owed = issueOwed({ ...machine, session, ending });
    return { ...owed, events: [draft('CANCELLING', session, ending.cause, now)] };
  }
  if (state === 'OPEN') {
    const session = closing(machine.session, now);
    const owed = issueOwed({ ...machine, session, ending, close: 'owed' });
    return { ...owed, events: [draft('CLOSING', session, ending.cause, now)] };
  }
  return unchanged(machine);
}

function closing(session: Session, now: Moment): Session {
  const marks = { ...session.marks, closeMs: now.steadyMs };
  return { ...session, state: 'CLOSING', closeTimeMs: now.timeMs, marks };
}

/** Issues the native call that is owed, as soon as the handle may be used and not before. */
function issueOwed(machine: Machine): Step {
  if (!machine.startReturned) return unchanged(machine);
  if (machine.close === 'owed') {
    return {
      machine: { ...machine, close: 'issued' },
      events: [],
      commands: [{ type: 'CloseSession' }, { type: 'SetTimer', timer: 'close', delayMs: machine.closeTimeoutMs }],
    };
  }
  if (machine.session.state === 'CANCELLING' && !machine.cancelIssued) {
    return { machine: { ...machine, cancelIssued: true }, events: [], commands: [{ type: 'CancelOpen' }] };
  }
  return unchanged(machine);
}
