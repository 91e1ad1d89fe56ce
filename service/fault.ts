/**
 * Faults: errors as values, and the constructors of those that several rooms give. Only
 * `codec/status.ts` turns a fault into a status.
 */

/** All reasons: the `ErrorReason` enum of the contract, without its prefix. */
export const REASONS = [
  'INVALID_FIELD',
  'REQUEST_ID_REUSED',
  'SESSION_ALREADY_EXISTS',
  'SESSION_NOT_FOUND',
  'DEVICE_NOT_FOUND',
  'SESSION_STATE_INVALID',
  'WIFI_DIRECT_DISABLED_BY_POLICY',
  'WLAN_SERVICE_NOT_RUNNING',
  'WLAN_SERVICE_UNREACHABLE',
  'NATIVE_LIMIT_REACHED',
  'NATIVE_HANDLE_LOST',
  'HOST_ACCESS_DENIED',
  'DEVICE_NOT_PAIRED',
  'OPEN_FAILED',
  'OPEN_TIMED_OUT',
  'QUOTA_EXCEEDED',
  'UNAUTHENTICATED',
  'PERMISSION_DENIED',
  'HOST_STOPPING',
  'DRIVER_NOT_AVAILABLE',
  'NATIVE_ERROR',
  'CURSOR_EXPIRED',
  'WATCHER_TOO_SLOW',
  'NOT_IMPLEMENTED',
  'INTERNAL',
  'HOST_RESTARTED',
] as const;

export type Reason = (typeof REASONS)[number];

/**
 * The result of a native call or callback, in Microsoft's names. `reasonCode` is a
 * WLAN_REASON_CODE, or 0 if there is none.
 */
export interface NativeResult {
  readonly function: string;
  readonly code: number;
  readonly name: string;
  readonly reasonCode: number;
  readonly reasonText: string;
}

/**
 * A native code and its name, for people: `1168 ERROR_NOT_FOUND`, `0x80070490 ERROR_NOT_FOUND`.
 * HRESULTs are hexadecimal, as in their documentation. A code without a name stands alone.
 */
export function codeAndName({ code, name }: Pick<NativeResult, 'code' | 'name'>): string {
  const text = code < 0x8000_0000 ? String(code) : hexadecimal(code);
  return name === text ? text : `${text} ${name}`;
}

/** Stands for the name of a native code that has no name: `0x4d2`. */
export function hexadecimal(code: number): string {
  return `0x${(code >>> 0).toString(16)}`;
}

export interface Fault {
  readonly reason: Reason;
  /** For people: what is wrong, with which value, and what to do about it. */
  readonly message: string;
  /** The variable parts of the message, for programs. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** The request field at fault, in proto notation. */
  readonly field?: string;
  /** The resource that does not exist, or exists already. */
  readonly resource?: { readonly type: string; readonly name: string };
  /** Which limit is reached, and whose limit it is. */
  readonly quota?: { readonly subject: string; readonly description: string };
  readonly native?: NativeResult;
  /** How long to wait before a retry, if it differs from that of other faults with this reason. */
  readonly retryAfterMs?: number;
}

/** A value, or the fault because of which there is none. */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: Fault };

export function ok<T>(value: T): Result<T> {
  return { ok: true, value };
}

export function refuse(fault: Fault): { readonly ok: false; readonly fault: Fault } {
  return { ok: false, fault };
}

export function invalidField(field: string, problem: string): Fault {
  return { reason: 'INVALID_FIELD', message: `${field} ${problem}`, field, metadata: { field } };
}

/** A limit of this service is reached. */
interface ExceededLimit {
  /** Whose limit it is: `host`, or `principal:` and its name. */
  readonly subject: string;
  /** The name of the limit, as in the contract's `Limits` if it is one of them. */
  readonly limit: string;
  readonly value: number | string;
}

/** The fault of every request that a limit refuses. The message says what to do about it. */
export function limitExceeded({ subject, limit, value }: ExceededLimit, message: string): Fault {
  return {
    reason: 'QUOTA_EXCEEDED',
    message,
    metadata: { subject, limit, limit_value: String(value) },
    quota: { subject, description: `${limit} is ${value}` },
  };
}

/** Too many of something exist at the same time. */
export function quotaExceeded(subject: string, limit: string, value: number): Fault {
  const message = `${limit} (${value}) is reached for ${subject}. Close or cancel something, or retry later.`;
  return limitExceeded({ subject, limit, value }, message);
}

/** A principal sends requests too often. */
export function rateExceeded(principal: string, limit: string, perSecond: number, retryAfterMs: number): Fault {
  const subject = `principal:${principal}`;
  const message = `${limit} (${perSecond}) is reached for ${subject}. Retry later, and send requests less often.`;
  return { ...limitExceeded({ subject, limit, value: perSecond }, message), retryAfterMs };
}

/** No session has this id, or the caller may not see the one that has it. */
export function sessionNotFound(id: string): Fault {
  return {
    reason: 'SESSION_NOT_FOUND',
    message: `There is no session ${id} on this host, or none that you may see.`,
    metadata: { session_id: id },
    resource: { type: 'wifidirect.v1.Session', name: id },
  };
}

export function hostStopping(): Fault {
  return { reason: 'HOST_STOPPING', message: 'The host is stopping; try another host, or this one later.' };
}

/** The value of a result. Throws its fault, as a FaultError, if it has none. */
export function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new FaultError(result.fault);
}

/** A fault that a request handler throws. Exceptions are for the edge only, where it is caught. */
export class FaultError extends Error {
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(fault.message);
    this.name = 'FaultError';
    this.fault = fault;
  }
}
