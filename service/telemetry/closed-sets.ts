/**
 * Known label values. Their series exist from the start, so that the first failure shows as an
 * increase.
 */
import type { DisconnectEvidence, SessionEndReason, SessionEventType, SessionState } from '../session/session.js';

/** The names of the gRPC status codes, indexed by number. */
export const RPC_CODES = [
  ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS'],
  ...['PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED'],
  ...['INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'],
];

/** All members of a union. A missing one is a compile error. */
function all<T extends string>(values: Readonly<Record<T, true>>): readonly T[] {
  return Object.keys(values) as T[];
}

export const EVENT_TYPES = all<SessionEventType>({
  OPENING: true,
  OPENED: true,
  CANCELLING: true,
  CLOSING: true,
  CLOSED: true,
  FAILED: true,
  CANCELLED: true,
  LOST: true,
  LEASE_RENEWED: true,
  LEASE_EXPIRED: true,
  NETWORK_INTERFACE_CHANGED: true,
});

export const EVIDENCE = all<DisconnectEvidence>({
  DEVICE_DISCONNECTED: true,
  INTERFACE_GONE: true,
  INTERFACE_DOWN: true,
  UNCONFIRMED: true,
});

interface End {
  readonly state: SessionState;
  readonly reason: SessionEndReason;
  readonly evidence: DisconnectEvidence | 'NONE';
}

const CLOSE_REASONS: readonly SessionEndReason[] = [
  ...(['REQUESTED', 'STREAM_ENDED', 'LEASE_EXPIRED', 'PEER_DISCONNECTED'] as const),
  ...(['OPEN_TIMED_OUT', 'CANCELLED', 'HOST_STOPPING'] as const),
];

const CANCEL_REASONS: readonly SessionEndReason[] = [
  ...(['CANCELLED', 'REQUESTED', 'STREAM_ENDED', 'LEASE_EXPIRED', 'HOST_STOPPING'] as const),
];

/** How sessions end. */
export const ENDS: readonly End[] = [
  ...CLOSE_REASONS.flatMap((reason) => EVIDENCE.map((evidence): End => ({ state: 'CLOSED', reason, evidence }))),
  ...CANCEL_REASONS.map((reason): End => ({ state: 'CANCELLED', reason, evidence: 'NONE' })),
  { state: 'FAILED', reason: 'OPEN_FAILED', evidence: 'NONE' },
  { state: 'FAILED', reason: 'OPEN_TIMED_OUT', evidence: 'NONE' },
  { state: 'LOST', reason: 'DRIVER_LOST', evidence: 'NONE' },
];

export const OPEN_OUTCOMES = ['OPENED', 'OPEN_FAILED', 'OPEN_TIMED_OUT', 'CANCELLED'] as const;

/** Why a host is degraded. */
export const DEGRADATIONS = [
  ...['WLAN_SERVICE_NOT_RUNNING', 'WLAN_SERVICE_UNREACHABLE', 'HOST_ACCESS_DENIED'],
  ...['WIFI_DIRECT_DISABLED_BY_POLICY', 'DRIVER_NOT_AVAILABLE'],
];

export const RELOADED = ['TLS files', 'denied certificates', 'tokens', 'roles', 'keys of JWTs'];
