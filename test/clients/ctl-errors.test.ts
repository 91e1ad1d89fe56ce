/** Each error as one sentence that says what helps, and as an exit code. */
import test from 'ava';
import { toCliError } from '../../clients/ctl/src/error-messages.js';
import { EXIT } from '../../clients/ctl/src/exit-code.js';
import { ErrorReason, GatewayError, type Reason, status } from '../../clients/typescript/src/client.js';

const host = 'host-7:50051';
const metadata = {
  session_id: 'my-session',
  device_address: '02:11:22:33:44:01',
  state: 'OPEN',
  limit: 'sessions_max',
  limit_value: '256',
  subject: 'host',
  library: 'wlanapi.dll',
  function: 'WFDOpenHandle',
  rpc: 'wifidirect.v1.SessionService/OpenSession',
};
const native = {
  function: 'WFDStartOpenSession',
  code: 1062,
  name: 'ERROR_SERVICE_NOT_ACTIVE',
  reasonCode: 0,
  reasonText: '',
};
const reasons = (Object.keys(ErrorReason) as (keyof typeof ErrorReason)[]).filter(
  (name): name is Reason => name !== 'UNSPECIFIED' && name !== 'UNRECOGNIZED',
);

for (const reason of reasons) {
  test(`${reason} is told in one line, with what helps`, (t) => {
    const { message, kind, details } = toCliError(
      new GatewayError(status.UNKNOWN, 'What the host said.', { reason, metadata, native, retryDelayMs: 5000 }),
      host,
    );
    t.regex(message, /^[A-Z][^\n]{20,}[.?]$/);
    t.notRegex(message, /[.?] /, 'one sentence');
    t.notRegex(message, /undefined|\[object|\.\./);
    t.true(kind in EXIT);
    t.like(details, { reason, metadata, native, retryDelayMs: 5000 });
  });
}

const codes: readonly (readonly [error: GatewayError, kind: keyof typeof EXIT, says: RegExp])[] = [
  [
    unavailable('No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1'),
    'unavailable',
    /^No host answers at host-7:50051 \(ECONNREFUSED\); check the address/,
  ],
  [
    unavailable('Name resolution failed for target dns:nosuch:50051'),
    'unavailable',
    /this name is not known; check the address\.$/,
  ],
  [
    unavailable('Last error: Error: ssl3_get_record:wrong version number'),
    'unavailable',
    /does not use TLS; add --no-tls/,
  ],
  [unavailable('Last error: Error: self-signed certificate in certificate chain'), 'unavailable', /check --ca\.$/],
  [
    unavailable("Last error: Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames"),
    'unavailable',
    /--server-name\.$/,
  ],
  [unavailable('Last error: Error: certificate has expired'), 'unavailable', /has expired; renew it on the host\.$/],
  [unavailable('Last error: Error: tlsv13 alert certificate required'), 'unavailable', /--cert and --key\.$/],
  [unavailable('Connection dropped'), 'unavailable', /was lost; check that wfdd is running there/],
  [
    new GatewayError(status.DEADLINE_EXCEEDED, 'Deadline exceeded after 10s'),
    'timedOut',
    /did not answer in time; give a longer --timeout/,
  ],
  [
    new GatewayError(status.CANCELLED, 'The client was closed.'),
    'interrupted',
    /^The call was cancelled before it finished\.$/,
  ],
  [
    new GatewayError(status.INVALID_ARGUMENT, "tls.ca: can't read ca.pem"),
    'usage',
    /^Invalid --ca: can't read ca\.pem\.$/,
  ],
  [
    new GatewayError(status.INVALID_ARGUMENT, 'tls: error:05800074:x509 certificate routines::key values mismatch'),
    'usage',
    /^Invalid --ca, --cert or --key: x509 certificate routines::key values mismatch\.$/,
  ],
  [new GatewayError(status.UNIMPLEMENTED, 'unknown method'), 'unavailable', /is not wfdd, or is too old/],
  [new GatewayError(status.UNKNOWN, 'who knows'), 'internal', /^The call failed: who knows\.$/],
  [
    new GatewayError(status.NOT_FOUND, 'Nothing here.', { reason: 'A_REASON_OF_LATER' }),
    'notFound',
    /^Nothing here; check/,
  ],
];
for (const [error, kind, says] of codes) {
  test(`without a reason that is known: ${error.message}`, (t) => {
    const cliError = toCliError(error, host);
    t.is(cliError.kind, kind);
    t.regex(cliError.message, says);
  });
}

function unavailable(text: string): GatewayError {
  return new GatewayError(status.UNAVAILABLE, text);
}

test('a field is called as the command line calls it', (t) => {
  const violation = (field: string, description: string) =>
    toCliError(
      new GatewayError(status.INVALID_ARGUMENT, description, {
        reason: 'INVALID_FIELD',
        fieldViolations: [{ field, description }],
      }),
      host,
    ).message;
  t.is(
    violation('lease_ttl', 'lease_ttl must be at least 1 s.'),
    'The host rejected a value: --ttl must be at least 1 s.',
  );
  t.is(violation('session_ids[2]', 'session_ids[2] is long'), 'The host rejected a value: session_ids[2] is long.');
  t.is(violation('open_timeout', 'Too long.'), 'The host rejected a value: --timeout: Too long.');
});

test('what Windows said, and when to try again, is in the sentence', (t) => {
  const failed = {
    reason: 'OPEN_FAILED',
    native: { ...native, code: 1460, name: 'ERROR_TIMEOUT', reasonText: 'Off.' },
  };
  t.regex(
    toCliError(new GatewayError(status.ABORTED, '', failed), host).message,
    /Windows reports 1460 ERROR_TIMEOUT \(Off\.\);/,
  );
  const stopping = { reason: 'HOST_STOPPING', retryDelayMs: 5000 };
  t.regex(toCliError(new GatewayError(status.UNAVAILABLE, '', stopping), host).message, /try again in 5s\.$/);
});

test('what a host says can not command the terminal', (t) => {
  t.false(toCliError(new GatewayError(status.UNKNOWN, 'a\x1b[2J'), host).message.includes('\x1b'));
});
