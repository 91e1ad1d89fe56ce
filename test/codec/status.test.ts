/**
 * A fault as gRPC tells it: code and details are those of the contract's table, and it always fits
 * into the headers.
 */
import { type ServiceError, status } from '@grpc/grpc-js';
import test from 'ava';
import fc from 'fast-check';
import { ErrorReason } from '../../proto/gen/wifidirect/v1/error.js';
import { codeOf } from '../../service/codec/status.js';
import { callOutcome, nativeResult, openOutcome } from '../../service/driver/win32-error.js';
import {
  type Fault,
  hostStopping,
  invalidField,
  quotaExceeded,
  REASONS,
  type Reason,
  sessionNotFound,
} from '../../service/fault.js';
import { faultToGrpcStatus } from '../../service/grpc/status.js';
import { requestIdReused } from '../../service/session/request-memory.js';
import { readError } from '../harness/calls.js';
import { randomly } from '../session/seed.js';

const read = (fault: Fault) => readError(faultToGrpcStatus(fault) as ServiceError);

/** The table of the contract, with what `GetHost` and watches add. */
const table: Readonly<Record<Reason, keyof typeof status>> = {
  INVALID_FIELD: 'INVALID_ARGUMENT',
  REQUEST_ID_REUSED: 'INVALID_ARGUMENT',
  SESSION_ALREADY_EXISTS: 'ALREADY_EXISTS',
  SESSION_NOT_FOUND: 'NOT_FOUND',
  DEVICE_NOT_FOUND: 'NOT_FOUND',
  SESSION_STATE_INVALID: 'FAILED_PRECONDITION',
  WIFI_DIRECT_DISABLED_BY_POLICY: 'FAILED_PRECONDITION',
  WLAN_SERVICE_NOT_RUNNING: 'UNAVAILABLE',
  WLAN_SERVICE_UNREACHABLE: 'UNAVAILABLE',
  NATIVE_LIMIT_REACHED: 'RESOURCE_EXHAUSTED',
  NATIVE_HANDLE_LOST: 'INTERNAL',
  HOST_ACCESS_DENIED: 'FAILED_PRECONDITION',
  DEVICE_NOT_PAIRED: 'FAILED_PRECONDITION',
  OPEN_FAILED: 'ABORTED',
  OPEN_TIMED_OUT: 'DEADLINE_EXCEEDED',
  QUOTA_EXCEEDED: 'RESOURCE_EXHAUSTED',
  UNAUTHENTICATED: 'UNAUTHENTICATED',
  PERMISSION_DENIED: 'PERMISSION_DENIED',
  HOST_STOPPING: 'UNAVAILABLE',
  DRIVER_NOT_AVAILABLE: 'UNIMPLEMENTED',
  NATIVE_ERROR: 'INTERNAL',
  CURSOR_EXPIRED: 'OUT_OF_RANGE',
  WATCHER_TOO_SLOW: 'RESOURCE_EXHAUSTED',
  NOT_IMPLEMENTED: 'UNIMPLEMENTED',
  HOST_RESTARTED: 'UNAVAILABLE',
  INTERNAL: 'INTERNAL',
};

for (const reason of REASONS) {
  test(`${reason} is ${table[reason]}, and says its reason by name`, (t) => {
    const error = read({ reason, message: 'It went wrong.', metadata: { key: 'value' } });
    t.is(error.code, status[table[reason]]);
    t.is(codeOf(reason), status[table[reason]]);
    t.is(error.message, 'It went wrong.');
    t.deepEqual(error.info, { reason, domain: 'wifidirect.v1', metadata: { key: 'value' } });
    t.true(reason in ErrorReason, 'the reason is one of the contract');
  });
}

test('the contract has no reason that no fault has', (t) => {
  const named = Object.keys(ErrorReason).filter((name) => name !== 'UNSPECIFIED' && name !== 'UNRECOGNIZED');
  t.deepEqual(named.toSorted(), [...REASONS].toSorted());
});

/** Which details stand beside ErrorInfo. */
function detailsOf(fault: Fault): string[] {
  const { fields, resource, retry, precondition, quota, native } = read(fault);
  const found = { BadRequest: fields.length > 0 || undefined, ResourceInfo: resource, RetryInfo: retry };
  const all = { ...found, PreconditionFailure: precondition, QuotaFailure: quota, NativeResult: native };
  return Object.entries(all).flatMap(([name, detail]) => (detail === undefined ? [] : [name]));
}

const callFault = (code: number) => callOutcome('WFDStartOpenSession', code).fault as Fault;

const details: readonly (readonly [what: string, fault: Fault, details: readonly string[]])[] = [
  ['a bad field', invalidField('device_address', 'is missing'), ['BadRequest']],
  ['a request id used again', requestIdReused('r-1'), []],
  ['a session that is not there', sessionNotFound('s-1'), ['ResourceInfo']],
  ['a quota', quotaExceeded('principal:alice', 'watchers_per_principal_max', 3), ['QuotaFailure']],
  ['draining', hostStopping(), ['RetryInfo']],
  ['5023, disabled by policy', callFault(5023), ['PreconditionFailure', 'NativeResult']],
  ['1062, the service does not run', callFault(1062), ['RetryInfo', 'NativeResult']],
  ...[1722, 1723, 1726, 1727, 1753].map(
    (code) => [`${code}, the service does not answer`, callFault(code), ['RetryInfo', 'NativeResult']] as const,
  ),
  ...[1220, 8, 14].map((code) => [`${code}, no room`, callFault(code), ['QuotaFailure', 'NativeResult']] as const),
  ...[6, 87, 5, 1168, 31].map((code) => [`${code} of a call`, callFault(code), ['NativeResult']] as const),
];
for (const [what, fault, beside] of details) {
  test(`${what} comes with ${beside.join(' and ') || 'nothing'} beside ErrorInfo`, (t) => {
    t.deepEqual(detailsOf(fault), beside);
  });
}

test('the details say what they are about', (t) => {
  t.deepEqual(read(invalidField('open_timeout', 'is 0s')).fields, ['open_timeout']);
  t.like(read(sessionNotFound('s-1')).resource, { resourceType: 'wifidirect.v1.Session', resourceName: 's-1' });
  t.like(read(quotaExceeded('host', 'sessions_max', 4)).quota?.violations[0], { subject: 'host' });
  t.true((read(hostStopping()).retry?.retryDelay?.seconds ?? 0n) > 0n);
});

test('a native result comes whole', (t) => {
  const result = nativeResult('WFD_OPEN_SESSION_COMPLETE_CALLBACK', 1460, 0x38002, 'the peer said no');
  const error = read(openOutcome(result).fault as Fault);
  t.deepEqual(error.native, result);
  t.deepEqual(error.info?.metadata, {
    win32_code: '1460',
    win32_name: 'ERROR_TIMEOUT',
    reason_code: String(0x38002),
    reason_text: 'the peer said no',
  });
});

/** Texts as a system or a client may hand us, not all of them well-formed. */
const character = fc.constantFrom('a', '中', '😀', '\n', '\u0000', '\ud83d', '\udc00');
const text = fc.string({ unit: character, maxLength: 600, size: 'max' });
const faults: fc.Arbitrary<Fault> = fc.record(
  {
    reason: fc.constantFrom(...REASONS),
    message: text,
    metadata: fc.dictionary(fc.stringMatching(/^[a-z_]{1,20}$/), text, { maxKeys: 4 }),
    field: text,
    resource: fc.record({ type: fc.constant('wifidirect.v1.Session'), name: text }),
    quota: fc.record({ subject: text, description: text }),
    native: fc.record({
      function: fc.constant('WFDStartOpenSession'),
      code: fc.nat(),
      name: fc.constant('ERROR_GEN_FAILURE'),
      reasonCode: fc.nat(),
      reasonText: text,
    }),
  },
  { requiredKeys: ['reason', 'message'] },
);

test('no text, however strange, keeps a status from its headers', (t) => {
  fc.assert(
    fc.property(faults, (fault) => {
      const { details: message } = faultToGrpcStatus(fault);
      // As grpc-js does, which would throw within.
      encodeURI(message);
      return read(fault).info?.reason === fault.reason;
    }),
    { ...randomly(t, 300), endOnFailure: true },
  );
  t.pass();
});

test('a status stays below the 8 KiB of headers that proxies pass, however much there is to say', (t) => {
  const long = '中'.repeat(1023);
  const native = { ...nativeResult('WFD_OPEN_SESSION_COMPLETE_CALLBACK', 31, 0x38002, long) };
  const { details: message, metadata } = faultToGrpcStatus(openOutcome(native).fault as Fault);
  const [bytes] = metadata?.get('grpc-status-details-bin') ?? [];
  const size = encodeURI(message).length + Buffer.from(bytes as Buffer).toString('base64').length;
  t.true(size < 8192, `${size} bytes`);
});

test('a host that stops says when to come again', (t) => {
  t.deepEqual(read(hostStopping()).retry?.retryDelay, { seconds: 5n, nanos: 0 });
});
