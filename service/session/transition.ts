/** What the machine's rules are written in: the record of one session, and the few ways in which it changes. Pure, like `machine.ts`. */
import type { Fault } from '../fault.js';
import {
  type DisconnectEvidence,
  type EventCause,
  type EventSource,
  hasEnded,
  type Moment,
  type NativeOutcome,
  type Session,
  type SessionCommand,
  type SessionEndReason,
  type SessionEventDraft,
  type SessionEventType,
  type SessionState,
} from './session.js';

/** A session with what its owner does not see: how far the native calls have come, and why it is ending. */
export interface Machine {
  readonly session: Session;
  readonly leaseTtlMs: number | undefined;
  readonly closeTimeoutMs: number;
  /** The time of its last event, as it was shown. */
  readonly latestMs: number;
  /** `WFDStartOpenSession` has returned: the handle is known and may be used. */
  readonly startReturned: boolean;
  readonly opened: boolean;
  readonly cancelIssued: boolean;
  readonly cancelOutcome: NativeOutcome | undefined;
  readonly close: 'none' | 'owed' | 'issued' | 'returned';
  readonly closeOutcome: NativeOutcome | undefined;
  readonly evidence: DisconnectEvidence | undefined;
  readonly ending: Ending | undefined;
}

export interface Ending {
  readonly reason: SessionEndReason;
  readonly cause: EventCause;
  readonly fault: Fault | undefined;
}

export interface Step {
  readonly machine: Machine;
  readonly events: readonly SessionEventDraft[];
  readonly commands: readonly SessionCommand[];
  /** The request was not for this state; nothing has changed. */
  readonly refusal?: Fault;
}

export function closed(machine: Machine, evidence: DisconnectEvidence, now: Moment): Step {
  const ending = machine.ending ?? hostEnding('REQUESTED', 'CLIENT');
  // What the native close said matters to the client only where the link has not been seen going down.
  const closeFault = evidence === 'UNCONFIRMED' ? machine.closeOutcome?.fault : undefined;
  const fault = ending.fault ?? closeFault;
  return end({ ...machine, evidence }, 'CLOSED', { ...ending, fault }, now, machine.closeOutcome);
}

/**
 * Why a close that was asked for while the session was as in `asked` came to nothing. A session that is lost is told as lost, whether
 * Windows had taken the close by then or not.
 */
export function closeFault(asked: Machine, now: Machine): Fault | undefined {
  if (hasEnded(asked.session)) return undefined;
  if (now.session.state === 'LOST') return now.session.end?.fault;
  return asked.close === 'returned' ? undefined : now.closeOutcome?.fault;
}

export function end(machine: Machine, state: SessionState, ending: Ending, now: Moment, outcome?: NativeOutcome): Step {
  const session: Session = {
    ...machine.session,
    state,
    endTimeMs: now.timeMs,
    marks: { ...machine.session.marks, endMs: now.steadyMs },
    end: {
      reason: ending.reason,
      evidence: state === 'CLOSED' ? machine.evidence : undefined,
      fault: ending.fault,
    },
  };
  return {
    machine: { ...machine, session },
    events: [draft(state as SessionEventType, session, ending.cause, now, outcome)],
    commands: [{ type: 'Release' }],
  };
}

export function refused(machine: Machine, verb: string): Step {
  const { id, state } = machine.session;
  const why =
    verb === 'renewed' && machine.leaseTtlMs === undefined
      ? 'has no lease: it lives with its stream'
      : `is ${state} and can no longer be ${verb}`;
  return {
    ...unchanged(machine),
    refusal: {
      reason: 'SESSION_STATE_INVALID',
      message: `Session ${id} ${why}.`,
      metadata: { session_id: id, state },
    },
  };
}

export function unchanged(machine: Machine): Step {
  return { machine, events: [], commands: [] };
}

export function hostEnding(reason: SessionEndReason, source: EventSource): Ending {
  return { reason, cause: byHost(source), fault: undefined };
}

export function endingCause(machine: Machine): EventCause {
  return machine.ending?.cause ?? byHost('NATIVE');
}

export function byHost(source: EventSource): EventCause {
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
