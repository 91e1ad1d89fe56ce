/**
 * Sessions: what may happen to one connection to one device, and the one place where it does.
 *
 * This file holds the words (types only); `machine.ts` the rules, pure; `lifecycle.ts` the one writer that runs them.
 * The rule that must not be broken: a session ends exactly once, and its native handle is closed at most once.
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

/** What a `CLOSED` rests on. */
export type DisconnectEvidence = 'DEVICE_DISCONNECTED' | 'INTERFACE_GONE' | 'INTERFACE_DOWN' | 'UNCONFIRMED';

/** The local network interface that carries an open session. Addresses come when the network has them. */
export interface NetworkInterface {
  readonly guid: string;
  readonly luid: bigint;
  readonly index: number;
  readonly alias: string;
  readonly localAddresses: readonly string[];
  readonly peerAddresses: readonly string[];
}

export interface SessionEnd {
  readonly reason: SessionEndReason;
  readonly evidence: DisconnectEvidence | undefined;
  readonly fault: Fault | undefined;
}

/** One moment on the two clocks of the host. */
export interface Moment {
  /** By the wall clock, for people: milliseconds since the Unix epoch. The clock may be set meanwhile. */
  readonly timeMs: number;
  /** By the clock of `performance.now()`, for durations: it is never set. */
  readonly steadyMs: number;
}

/** When a session came to each stage of its life, on the clock of `performance.now()`. */
export interface Marks {
  readonly createMs: number;
  readonly openMs: number | undefined;
  readonly closeMs: number | undefined;
  readonly endMs: number | undefined;
}

/** A session as clients see it, but for its marks and its trace. Never changed, only replaced. Times are milliseconds since the Unix epoch. */
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
  /** Of the request that opened it, where that is traced. */
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

/** Who or what made an event happen: an RPC of a principal, or the host itself. */
export interface EventCause {
  readonly source: EventSource;
  readonly rpc: string;
  readonly principal: string;
  readonly requestId: string;
  /** Of the RPC, where it is traced. */
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
  /** When the native callback behind it arrived, on the clock of `performance.now()`. */
  readonly arrivedMs?: number | undefined;
}

export interface SessionEvent extends SessionEventDraft {
  readonly sequence: number;
  readonly epoch: string;
}

/** A session's event as the log keeps it: encoded, with the little by which readers choose. */
export interface LoggedSessionEvent {
  readonly sequence: number;
  readonly arrivedMs?: number | undefined;
  readonly sessionId: string;
  readonly owner: string;
  readonly isRenewal: boolean;
  readonly bytes: Uint8Array;
}

/** What a client asked to open. Durations in milliseconds; no lease: the session lives with its stream. */
export interface OpenRequest {
  readonly sessionId: string;
  readonly deviceAddress: string;
  readonly kind: SessionKind;
  readonly openTimeoutMs: number;
  readonly leaseTtlMs: number | undefined;
  readonly requestId: string;
  readonly owner: string;
}

/** What a native call or callback came to: `fault` is set exactly when it did not succeed. */
export interface NativeOutcome {
  readonly result: NativeResult;
  readonly fault: Fault | undefined;
  /** When the callback arrived, on the clock of `performance.now()`; absent for a call. */
  readonly arrivedMs?: number | undefined;
}

/** Each timer runs at most once at a time for a session. */
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
  | { readonly type: 'DriverLost'; readonly outcome: NativeOutcome };

/** What the machine wants done. Each native command is issued at most once in the life of a session. */
export type SessionCommand =
  | { readonly type: 'StartOpen' }
  | { readonly type: 'CancelOpen' }
  | { readonly type: 'CloseSession' }
  | { readonly type: 'Release' }
  | { readonly type: 'SetTimer'; readonly timer: TimerName; readonly delayMs: number };

export const FINAL_STATES: ReadonlySet<SessionState> = new Set(['CLOSED', 'FAILED', 'CANCELLED', 'LOST']);

/** An event, and the native call that it leads to, belong to the RPC that caused them; what the host does by itself, beside the opening. */
export function placeOf({ cause, session }: Pick<SessionEventDraft, 'cause' | 'session'>): TracePlace {
  return { parent: cause.trace, link: session.trace };
}

export function hasEnded(session: Session): boolean {
  return FINAL_STATES.has(session.state);
}
