/**
 * Faults: what went wrong, as a value. Every room speaks of errors with these; only `transport/status.ts` turns them into gRPC.
 *
 * The set of reasons is closed and is the `ErrorReason` enum of the contract without its prefix.
 */
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

/** What a native call or callback answered, as Microsoft names it. `reasonCode` is a WLAN_REASON_CODE, 0 where there is none. */
export interface NativeResult {
  readonly function: string;
  readonly code: number;
  readonly name: string;
  readonly reasonCode: number;
  readonly reasonText: string;
}

/**
 * A native code and its name for people: `1168 ERROR_NOT_FOUND`, `0x80070490 ERROR_NOT_FOUND`. HRESULTs are in
 * hexadecimal, as they are documented; one without a name stands alone.
 */
export function codeAndName({ code, name }: Pick<NativeResult, 'code' | 'name'>): string {
  const text = code < 0x8000_0000 ? String(code) : hexadecimal(code);
  return name === text ? text : `${text} ${name}`;
}

/** The name of a native code that has none: `0x4d2`. */
export function hexadecimal(code: number): string {
  return `0x${(code >>> 0).toString(16)}`;
}

export interface Fault {
  readonly reason: Reason;
  /** One sentence for a person: what was wrong and what to do. */
  readonly message: string;
  /** The variable parts of the message, for programs. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** The request field at fault, in proto notation. */
  readonly field?: string;
  /** The resource that was missing, or was there already. */
  readonly resource?: { readonly type: string; readonly name: string };
  /** What ran out, of whom. */
  readonly quota?: { readonly subject: string; readonly description: string };
  readonly native?: NativeResult;
  /** When asking again may help, where that is known of this fault and not of its reason. */
  readonly retryAfterMs?: number;
}

/** An answer or the fault that stands in its place. */
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

/** A limit of this service is reached; `limit` is its name in the contract's `Limits`. */
export function quotaExceeded(subject: string, limit: string, value: number): Fault {
  return {
    reason: 'QUOTA_EXCEEDED',
    message: `${limit} of ${subject} is reached, which is ${value}; end something, or slow down.`,
    metadata: { subject, limit, limit_value: String(value) },
    quota: { subject, description: `${limit} is ${value}` },
  };
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

/** Something was asked for too often; `limit` is its name in the contract's `Limits`. */
export function rateExceeded(principal: string, limit: string, perSecond: number, retryAfterMs: number): Fault {
  const subject = `principal:${principal}`;
  return {
    reason: 'QUOTA_EXCEEDED',
    message: `${limit} of ${subject} is reached, which is ${perSecond}; ask again after a pause, and less often.`,
    metadata: { subject, limit, limit_value: String(perSecond) },
    quota: { subject, description: `${limit} is ${perSecond}` },
    retryAfterMs,
  };
}

/** A fault on its way out of a request handler: exceptions are for the edge, where `transport/unary.ts` catches them. */
export class FaultError extends Error {
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(fault.message);
    this.name = 'FaultError';
    this.fault = fault;
  }
}
