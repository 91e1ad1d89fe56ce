/**
 * The record of one session and the basic ways to change it. `machine.ts` writes its rules in these
 * terms. Pure, like `machine.ts`.
 */
import type { Fault } from '../fault.js';
import {
  type DisconnectEvidence,
  type EventCause,
  type EventSource,
  isFinal,
  type Moment,
  type NativeOutcome,
  type Session,
  type SessionCommand,
  type SessionEndReason,
  type SessionEventDraft,
  type SessionEventType,
  type SessionState,
} from './session.js';

/** How far a native call has got. */
interface NativeCall {
  /** `owed`: it has to be made, but its handle can't be used for it yet. */
  readonly state: 'none' | 'owed' | 'issued' | 'returned';
  /** What it returned. Also absent after a restart, which loses the outcomes of all calls. */
  readonly outcome?: NativeOutcome;
}

/** A session, and what clients do not see of it: its native calls, and why it is ending. */
export interface SessionRecord {
  readonly session: Session;
  readonly leaseTtlMs: number | undefined;
  readonly closeTimeoutMs: number;
  /** The time that its last event shows. */
  readonly latestMs: number;
  /** `WFDStartOpenSession`. When it has returned, the session handle is known and can be used. */
  readonly start: NativeCall;
  /** What the callback has reported, or a start that failed. */
  readonly open: 'pending' | 'succeeded' | 'failed';
  /** `WFDCancelOpenSession`. */
  readonly cancel: NativeCall;
  /** `WFDCloseSession`. */
  readonly close: NativeCall;
  /** What has shown so far that the link is down. */
  readonly evidence: DisconnectEvidence | undefined;
  /** Why the session is ending. The first trigger counts, later ones are ignored. */
  readonly endTrigger: EndTrigger | undefined;
}

/** Why a session ends: the reason, who caused it, and the fault if it ends badly. */
export interface EndTrigger {
  readonly reason: SessionEndReason;
  readonly cause: EventCause;
  readonly fault: Fault | undefined;
}

/** What an input leads to: the new record, events to publish, and commands to run. */
export interface Step {
  readonly record: SessionRecord;
  readonly events: readonly SessionEventDraft[];
  readonly commands: readonly SessionCommand[];
  /** Set if the state of the session does not allow the request. Nothing has changed then. */
  readonly refusal?: Fault;
}

/** Ends the session as `state`, and releases it. */
export function finish(
  record: SessionRecord,
  state: SessionState,
  trigger: EndTrigger,
  now: Moment,
  outcome?: NativeOutcome,
): Step {
  const session: Session = {
    ...record.session,
    state,
    endTimeMs: now.timeMs,
    marks: { ...record.session.marks, endMs: now.steadyMs },
    end: {
      reason: trigger.reason,
      evidence: state === 'CLOSED' ? record.evidence : undefined,
      fault: trigger.fault,
    },
  };
  return {
    record: { ...record, session },
    events: [draft(state as SessionEventType, session, trigger.cause, now, outcome)],
    commands: [{ type: 'Release' }],
  };
}

/** Ends the session as `CLOSED`, for the reason that it is ending. */
export function finishClosed(record: SessionRecord, evidence: DisconnectEvidence, now: Moment): Step {
  const trigger = record.endTrigger ?? hostTrigger('REQUESTED', 'CLIENT');
  const { outcome } = record.close;
  // If the link was seen going down, a close that failed does not matter to the client.
  const closeFailure = evidence === 'UNCONFIRMED' ? outcome?.fault : undefined;
  const fault = trigger.fault ?? closeFailure;
  return finish({ ...record, evidence }, 'CLOSED', { ...trigger, fault }, now, outcome);
}

/** Ends the session as `LOST`, because the driver can't reach it any more. */
export function finishLost(
  record: SessionRecord,
  fault: Fault | undefined,
  now: Moment,
  outcome?: NativeOutcome,
): Step {
  return finish(record, 'LOST', { ...hostTrigger('DRIVER_LOST', 'DRIVER'), fault }, now, outcome);
}

/**
 * The error of a close request: `requested` is the record when the request arrived, `now` the
 * record when it is answered. A session that was lost meanwhile gives the fault of its loss, even
 * if Windows had accepted the close before.
 */
export function closeFault(requested: SessionRecord, now: SessionRecord): Fault | undefined {
  if (isFinal(requested.session)) return undefined;
  if (now.session.state === 'LOST') return now.session.end?.fault;
  return requested.close.state === 'returned' ? undefined : now.close.outcome?.fault;
}

/** Refuses a request that the state of the session does not allow. */
export function refuseRequest(record: SessionRecord, verb: 'cancelled' | 'renewed'): Step {
  const { id, state } = record.session;
  const why =
    verb === 'renewed' && record.leaseTtlMs === undefined
      ? 'has no lease: it lives with its stream'
      : `is ${state} and can no longer be ${verb}`;
  return {
    ...noChange(record),
    refusal: {
      reason: 'SESSION_STATE_INVALID',
      message: `Session ${id} ${why}.`,
      metadata: { session_id: id, state },
    },
  };
}

export function noChange(record: SessionRecord): Step {
  return { record, events: [], commands: [] };
}

/** A trigger that comes from the host itself, without a fault. */
export function hostTrigger(reason: SessionEndReason, source: EventSource): EndTrigger {
  return { reason, cause: hostCause(source), fault: undefined };
}

export function hostCause(source: EventSource): EventCause {
  return { source, rpc: '', principal: '', requestId: '' };
}

export function draft(
  type: SessionEventType,
  session: Session,
  cause: EventCause,
  { timeMs, steadyMs }: Moment,
  outcome?: NativeOutcome,
): SessionEventDraft {
  const arrivedMs = outcome?.arrivedMs;
  return {
    type,
    timeMs,
    steadyMs,
    session,
    cause,
    native: outcome?.result,
    ...(arrivedMs !== undefined && { arrivedMs }),
  };
}
