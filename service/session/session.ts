/**
 * The vocabulary of sessions: states, events, inputs and commands, and three small functions on
 * them.
 *
 * A session is one connection to one device. `machine.ts` holds the rules as pure functions, and
 * `lifecycle.ts` is the only code that runs them.
 *
 * Invariant: a session ends exactly once, and its native handle is closed at most once.
 */
import type { Fault, NativeResult } from '../fault.js';
import type { TraceContext, TracePlace } from '../trace.js';

export type SessionKind = 'WIFI_DIRECT' | 'LEGACY';

export type SessionState = 'OPENING' | 'OPEN' | 'CANCELLING' | 'CLOSING' | 'CLOSED' | 'FAILED' | 'CANCELLED' | 'LOST';

export type SessionEndReason =
  | 'REQUESTED'
  | 'STREAM_ENDED'
  | 'LEASE_EXPIRED'
  | 'PEER_DISCONNECTED'
  | 'OPEN_FAILED'
  | 'OPEN_TIMED_OUT'
  | 'CANCELLED'
  | 'HOST_STOPPING'
  | 'DRIVER_LOST'
  | 'HOST_RESTARTED';

/** What showed that the link of a `CLOSED` session is down. `UNCONFIRMED`: nothing did in time. */
export type DisconnectEvidence = 'DEVICE_DISCONNECTED' | 'INTERFACE_GONE' | 'INTERFACE_DOWN' | 'UNCONFIRMED';

/**
 * The local network interface of an open session. Addresses are added when the network has them.
 */
export interface NetworkInterface {
  readonly guid: string;
  readonly luid: bigint;
  readonly index: number;
  readonly alias: string;
  readonly localAddresses: readonly string[];
  readonly peerAddresses: readonly string[];
}

/** How a session ended. */
export interface SessionEnd {
  readonly reason: SessionEndReason;
  readonly evidence: DisconnectEvidence | undefined;
  readonly fault: Fault | undefined;
}

/** One moment on the two clocks of the host. */
export interface Moment {
  /**
   * On the wall clock, for people: milliseconds since the Unix epoch. Somebody may set this clock.
   */
  readonly timeMs: number;
  /** On the clock of `performance.now()`, for durations. Nobody can set this clock. */
  readonly steadyMs: number;
}

/** When a session reached each stage of its life, on the clock of `performance.now()`. */
export interface Marks {
  readonly createMs: number;
  readonly openMs: number | undefined;
  readonly closeMs: number | undefined;
  readonly endMs: number | undefined;
}

/**
 * A session as clients see it, plus its marks and its trace, which they do not see. It is never
 * changed, only replaced. Times are milliseconds since the Unix epoch.
 */
export interface Session {
  readonly id: string;
  readonly deviceAddress: string;
  readonly kind: SessionKind;
  readonly state: SessionState;
  readonly owner: string;
  readonly requestId: string;
  readonly networkInterface: NetworkInterface | undefined;
  readonly end: SessionEnd | undefined;
  readonly leaseExpireTimeMs: number | undefined;
  readonly createTimeMs: number;
  readonly openTimeMs: number | undefined;
  readonly closeTimeMs: number | undefined;
  readonly endTimeMs: number | undefined;
  readonly marks: Marks;
  /** The trace of the request that opened it, if that request is traced. */
  readonly trace?: TraceContext;
}

export type SessionEventType =
  | 'OPENING'
  | 'OPENED'
  | 'CANCELLING'
  | 'CLOSING'
  | 'CLOSED'
  | 'FAILED'
  | 'CANCELLED'
  | 'LOST'
  | 'LEASE_RENEWED'
  | 'LEASE_EXPIRED'
  | 'NETWORK_INTERFACE_CHANGED';

export type EventSource =
  | 'CLIENT'
  | 'NATIVE'
  | 'LEASE'
  | 'STREAM_LOST'
  | 'PEER'
  | 'TIMEOUT'
  | 'DRIVER'
  | 'SHUTDOWN'
  | 'RESTART';

/** Who or what caused an event: an RPC of a principal, or the host itself. */
export interface EventCause {
  readonly source: EventSource;
  readonly rpc: string;
  readonly principal: string;
  readonly requestId: string;
  /** The trace of the RPC, if it is traced. */
  readonly trace?: TraceContext;
}

/** An event before the log has numbered it. */
export interface SessionEventDraft {
  readonly type: SessionEventType;
  readonly timeMs: number;
  /** The same moment on the clock of `performance.now()`. */
  readonly steadyMs: number;
  readonly session: Session;
  readonly cause: EventCause;
  readonly native: NativeResult | undefined;
  /** When the native callback that caused it arrived, on the clock of `performance.now()`. */
  readonly arrivedMs?: number | undefined;
}

export interface SessionEvent extends SessionEventDraft {
  readonly sequence: number;
  readonly epoch: string;
}

/** A session's event as the log keeps it: encoded, with the few fields by which readers select. */
export interface LoggedSessionEvent {
  readonly sequence: number;
  readonly arrivedMs?: number | undefined;
  readonly sessionId: string;
  readonly owner: string;
  readonly isRenewal: boolean;
  readonly bytes: Uint8Array;
}

/**
 * What a client asked to open. Durations are milliseconds. A session without a lease ends with its
 * last stream.
 */
export interface OpenRequest {
  readonly sessionId: string;
  readonly deviceAddress: string;
  readonly kind: SessionKind;
  readonly openTimeoutMs: number;
  readonly leaseTtlMs: number | undefined;
  readonly requestId: string;
  readonly owner: string;
}

/** The outcome of a native call or callback. `fault` is set exactly if it did not succeed. */
export interface NativeOutcome {
  readonly result: NativeResult;
  readonly fault: Fault | undefined;
  /** When the callback arrived, on the clock of `performance.now()`; absent for a call. */
  readonly arrivedMs?: number | undefined;
}

/** The timers of a session. Setting one again replaces it. */
export type TimerName = 'open' | 'cancel' | 'close' | 'lease';

/** Everything that can arrive at a session, from clients, from Windows, and from the clock. */
export type SessionInput =
  | { readonly type: 'CancelRequested'; readonly cause: EventCause }
  | { readonly type: 'CloseRequested'; readonly cause: EventCause }
  | { readonly type: 'RenewRequested'; readonly cause: EventCause; readonly leaseTtlMs: number | undefined }
  | { readonly type: 'StreamsEnded' }
  | { readonly type: 'HostStopping' }
  | { readonly type: 'HostRestarted' }
  | { readonly type: 'TimerFired'; readonly timer: TimerName }
  | { readonly type: 'StartReturned'; readonly outcome: NativeOutcome }
  | {
      readonly type: 'OpenCompleted';
      readonly outcome: NativeOutcome;
      readonly networkInterface: NetworkInterface | undefined;
    }
  | { readonly type: 'CancelReturned'; readonly outcome: NativeOutcome }
  | { readonly type: 'CloseReturned'; readonly outcome: NativeOutcome }
  | { readonly type: 'LinkDown'; readonly evidence: DisconnectEvidence }
  | { readonly type: 'NetworkInterfaceChanged'; readonly networkInterface: NetworkInterface }
  | { readonly type: 'HandlesInvalidated'; readonly outcome: NativeOutcome };

/** What the machine wants done. Each native command is issued at most once for a session. */
export type SessionCommand =
  | { readonly type: 'StartOpen' }
  | { readonly type: 'CancelOpen' }
  | { readonly type: 'CloseSession' }
  | { readonly type: 'Release' }
  | { readonly type: 'SetTimer'; readonly timer: TimerName; readonly delayMs: number };

const FINAL_STATES: ReadonlySet<SessionState> = new Set(['CLOSED', 'FAILED', 'CANCELLED', 'LOST']);

/**
 * The place of an event, and of the native call that follows from it, in the traces. It is a child
 * of the RPC that caused it. What the host does by itself is linked to the trace that opened the
 * session.
 */
export function placeOf({ cause, session }: Pick<SessionEventDraft, 'cause' | 'session'>): TracePlace {
  return { parent: cause.trace, link: session.trace };
}

/** Whether the session has ended, so that nothing can happen to it any more. */
export function isFinal(session: Session): boolean {
  return FINAL_STATES.has(session.state);
}
