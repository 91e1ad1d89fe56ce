/**
 * Converts a fault to a `google.rpc.Status`: code, sentence and details.
 *
 * The types make the tables complete: a new reason does not compile without a code.
 */
import { Code } from '../../proto/gen/google/rpc/code.js';
import {
  BadRequest,
  ErrorInfo,
  PreconditionFailure,
  QuotaFailure,
  ResourceInfo,
  RetryInfo,
} from '../../proto/gen/google/rpc/error_details.js';
import type { Status } from '../../proto/gen/google/rpc/status.js';
import { NativeResult } from '../../proto/gen/wifidirect/v1/error.js';
import type { Fault, Reason } from '../fault.js';
import { visible } from '../visible.js';
import { toDuration, toNativeResult } from './messages.js';

const DOMAIN = 'wifidirect.v1';

const codes: Readonly<Record<Reason, number>> = {
  INVALID_FIELD: Code.INVALID_ARGUMENT,
  REQUEST_ID_REUSED: Code.INVALID_ARGUMENT,
  SESSION_ALREADY_EXISTS: Code.ALREADY_EXISTS,
  SESSION_NOT_FOUND: Code.NOT_FOUND,
  DEVICE_NOT_FOUND: Code.NOT_FOUND,
  SESSION_STATE_INVALID: Code.FAILED_PRECONDITION,
  WIFI_DIRECT_DISABLED_BY_POLICY: Code.FAILED_PRECONDITION,
  WLAN_SERVICE_NOT_RUNNING: Code.UNAVAILABLE,
  WLAN_SERVICE_UNREACHABLE: Code.UNAVAILABLE,
  NATIVE_LIMIT_REACHED: Code.RESOURCE_EXHAUSTED,
  NATIVE_HANDLE_LOST: Code.INTERNAL,
  HOST_ACCESS_DENIED: Code.FAILED_PRECONDITION,
  DEVICE_NOT_PAIRED: Code.FAILED_PRECONDITION,
  OPEN_FAILED: Code.ABORTED,
  OPEN_TIMED_OUT: Code.DEADLINE_EXCEEDED,
  QUOTA_EXCEEDED: Code.RESOURCE_EXHAUSTED,
  UNAUTHENTICATED: Code.UNAUTHENTICATED,
  PERMISSION_DENIED: Code.PERMISSION_DENIED,
  HOST_STOPPING: Code.UNAVAILABLE,
  DRIVER_NOT_AVAILABLE: Code.UNIMPLEMENTED,
  NATIVE_ERROR: Code.INTERNAL,
  CURSOR_EXPIRED: Code.OUT_OF_RANGE,
  WATCHER_TOO_SLOW: Code.RESOURCE_EXHAUSTED,
  NOT_IMPLEMENTED: Code.UNIMPLEMENTED,
  INTERNAL: Code.INTERNAL,
  HOST_RESTARTED: Code.UNAVAILABLE,
};

/** How long a client should wait before a retry, if a retry helps. */
const retryAfterMs: Partial<Readonly<Record<Reason, number>>> = {
  WLAN_SERVICE_NOT_RUNNING: 5000,
  WLAN_SERVICE_UNREACHABLE: 1000,
  HOST_STOPPING: 5000,
  HOST_RESTARTED: 1000,
};

/**
 * Proxies drop headers of more than 8 KiB. The message is in the headers up to five times, and once
 * percent-encoded.
 */
const MESSAGE_BYTES_MAX = 320;
const VALUE_BYTES_MAX = 192;

export function codeOf(reason: Reason): number {
  return codes[reason];
}

export function toStatus(fault: Fault): Status {
  const message = clip(fault.message, MESSAGE_BYTES_MAX);
  return { code: codes[fault.reason], message, details: details(fault, message) };
}

function details(fault: Fault, message: string) {
  const { reason, metadata = {}, field, resource, quota, native } = fault;
  const clipped = Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, clip(value)]));
  const list = [any('google.rpc.ErrorInfo', ErrorInfo.encode({ reason, domain: DOMAIN, metadata: clipped }).finish())];
  if (field !== undefined) {
    const violation = { field: clip(field), description: message, reason, localizedMessage: undefined };
    list.push(any('google.rpc.BadRequest', BadRequest.encode({ fieldViolations: [violation] }).finish()));
  }
  if (resource !== undefined) {
    const info = { resourceType: resource.type, resourceName: clip(resource.name), owner: '', description: '' };
    list.push(any('google.rpc.ResourceInfo', ResourceInfo.encode(info).finish()));
  }
  const retry = fault.retryAfterMs ?? retryAfterMs[reason];
  if (retry !== undefined) {
    const retryDelay = toDuration(Math.max(Math.ceil(retry), 1));
    list.push(any('google.rpc.RetryInfo', RetryInfo.encode({ retryDelay }).finish()));
  }
  if (reason === 'WIFI_DIRECT_DISABLED_BY_POLICY') {
    const violation = { type: 'GROUP_POLICY', subject: 'host', description: message };
    list.push(any('google.rpc.PreconditionFailure', PreconditionFailure.encode({ violations: [violation] }).finish()));
  }
  const ofWindows = reason === 'NATIVE_LIMIT_REACHED' ? { subject: 'host', description: message } : undefined;
  const exhausted = ofWindows ?? quota;
  if (exhausted !== undefined) {
    const violation = { subject: clip(exhausted.subject), description: clip(exhausted.description) };
    const failure = QuotaFailure.fromPartial({ violations: [violation] });
    list.push(any('google.rpc.QuotaFailure', QuotaFailure.encode(failure).finish()));
  }
  if (native !== undefined) {
    const result = { ...toNativeResult(native), reasonText: clip(native.reasonText) };
    list.push(any('wifidirect.v1.NativeResult', NativeResult.encode(result).finish()));
  }
  return list;
}

function any(name: string, value: Uint8Array) {
  return { typeUrl: `type.googleapis.com/${name}`, value: Buffer.from(value) };
}

/**
 * Escaped, well-formed (names from Windows may have half a surrogate pair, which no header may),
 * and clipped to this many bytes of UTF-8.
 */
function clip(text: string, bytesMax = VALUE_BYTES_MAX): string {
  const bytes = Buffer.from(visible(text));
  if (bytes.length <= bytesMax) return bytes.toString();
  return `${bytes
    .subarray(0, bytesMax - 3)
    .toString()
    .replace(/\ufffd+$/, '')}…`;
}
