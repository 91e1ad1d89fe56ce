/**
 * Turns an error of the host, or of the connection to it, into the sentence and the exit code of
 * wfdctl.
 *
 * The compiler checks that the tables are complete: a new reason does not compile without a
 * sentence and an exit code.
 */
import { type GatewayError, type Reason, status } from '../../typescript/src/client.js';
import { CliError, type ErrorKind } from './cli-error.js';
import { formatDuration } from './text/duration.js';
import { printable } from './text/printable.js';
import { nativeOf } from './text/session.js';

/**
 * `host` is the host as the user knows it. `hasAnswered`: the host answered before, so its address
 * and the TLS options are right.
 */
type Sentence = (error: GatewayError, host: string, hasAnswered: boolean) => string;

const REASONS: Readonly<Record<Reason, readonly [ErrorKind, Sentence]>> = {
  INVALID_FIELD: ['usage', (error) => `The host rejected a value: ${violationsOf(error)}`],
  REQUEST_ID_REUSED: ['usage', () => 'Another request used this request id; run the command again.'],
  SESSION_ALREADY_EXISTS: [
    'state',
    ({ metadata: { session_id: id } }) =>
      `Session ${id} already exists; choose another --session-id, or run wfdctl get ${id} to see the session.`,
  ],
  SESSION_NOT_FOUND: [
    'notFound',
    ({ metadata: { session_id: id } }) =>
      `The host has no session ${id}, or you may not see it; run wfdctl list to see the sessions.`,
  ],
  DEVICE_NOT_FOUND: [
    'notFound',
    ({ metadata: { device_address: address } }) =>
      `No device ${address} is paired with the host; run wfdctl devices to see the paired devices.`,
  ],
  SESSION_STATE_INVALID: [
    'state',
    (error) => `${clauseOf(error)}; run wfdctl get ${error.metadata['session_id']} to see the session.`,
  ],
  WIFI_DIRECT_DISABLED_BY_POLICY: [
    'state',
    () => 'Group policy disables Wi-Fi Direct on the host; ask the administrator of the host to allow it.',
  ],
  WLAN_SERVICE_NOT_RUNNING: [
    'unavailable',
    (error) => `The WLAN AutoConfig service (WlanSvc) is not running on the host; start it there${retryHint(error)}.`,
  ],
  WLAN_SERVICE_UNREACHABLE: [
    'unavailable',
    (error) =>
      `The host can't reach its Wi-Fi Direct service${native(error)}; run wfdctl host for details${retryHint(error)}.`,
  ],
  NATIVE_LIMIT_REACHED: ['limited', (error) => `Windows can't open more${native(error)}; close some sessions first.`],
  NATIVE_HANDLE_LOST: ['internal', (error) => `Windows lost the session${native(error)}; open it again.`],
  HOST_ACCESS_DENIED: [
    'state',
    () =>
      'Windows denies Wi-Fi Direct to the account that runs wfdd; ask the administrator of the host to run wfdd under ' +
      'another account, such as LocalSystem, and, on Windows 11 24H2 or later, to turn on location access.',
  ],
  DEVICE_NOT_PAIRED: [
    'state',
    ({ metadata: { device_address: address } }) =>
      `The host is not paired with ${address ?? 'the device'} for this kind of session; pair it in the Windows ` +
      'settings of the host, or add --legacy if wfdctl devices shows it as a legacy device.',
  ],
  OPEN_FAILED: [
    'failed',
    (error) => `The session could not be opened${native(error)}; check that the device is on and in reach of the host.`,
  ],
  OPEN_TIMED_OUT: [
    'timedOut',
    () => 'The open timed out; check that the device is in reach of the host, or give a longer --timeout.',
  ],
  QUOTA_EXCEEDED: [
    'limited',
    ({ metadata: { limit, limit_value: value, subject } }) =>
      `Limit reached: ${limit} of ${subject} is ${value}; close or stop something, or ask for a higher limit.`,
  ],
  UNAUTHENTICATED: [
    'denied',
    () =>
      "The host can't identify you; give a valid --token-file, or --cert and --key, or a --context that " + 'has them.',
  ],
  PERMISSION_DENIED: [
    'denied',
    (error) => `${clauseOf(error)}; ask the administrator of the host for a role that permits this.`,
  ],
  HOST_STOPPING: ['unavailable', (error) => `The host is shutting down; use another host${retryHint(error)}.`],
  DRIVER_NOT_AVAILABLE: [
    'unavailable',
    ({ metadata: { library, function: name } }) =>
      `The host does not have ${[name, library].filter(Boolean).join(' in ')}, which this needs; use another host.`,
  ],
  NATIVE_ERROR: ['failed', (error) => `Windows returned an error${native(error)}; see the log of the host.`],
  INTERNAL: ['internal', () => 'Internal error of the host; report it, with the details from the log of the host.'],
  CURSOR_EXPIRED: ['state', () => 'The host no longer has the events after this cursor; watch again without --since.'],
  WATCHER_TOO_SLOW: [
    'limited',
    () => 'The host ended the watch because its events were read too slowly; watch again from the last cursor.',
  ],
  HOST_RESTARTED: [
    'unavailable',
    () => 'The wfdd on the host restarted without closing the session; open a new session.',
  ],
  NOT_IMPLEMENTED: ['unavailable', (_, host) => `The wfdd at ${host} is too old for this; update it.`],
};

/**
 * For errors without a reason. These come from the connection, or from something between wfdctl and
 * wfdd.
 */
const CODES: Partial<Readonly<Record<status, readonly [ErrorKind, Sentence]>>> = {
  [status.CANCELLED]: ['interrupted', () => 'The call was cancelled before it finished.'],
  [status.INVALID_ARGUMENT]: ['usage', optionOf],
  [status.DEADLINE_EXCEEDED]: [
    'timedOut',
    (_, host) => `The host at ${host} did not answer in time; give a longer --timeout, or check the address.`,
  ],
  [status.NOT_FOUND]: ['notFound', (error) => `${clauseOf(error)}; check the name that you gave.`],
  [status.UNAVAILABLE]: ['unavailable', unavailable],
  [status.UNAUTHENTICATED]: ['denied', (error) => `The host can't identify you: ${textOf(error)}`],
  [status.PERMISSION_DENIED]: ['denied', (error) => `Permission denied: ${textOf(error)}`],
  [status.RESOURCE_EXHAUSTED]: ['limited', (error) => `A limit is exceeded: ${textOf(error)}`],
  [status.UNIMPLEMENTED]: [
    'unavailable',
    (_, host) => `The server at ${host} is not wfdd, or is too old for this; check the address.`,
  ],
};

export function toCliError(error: GatewayError, host: string, hasAnswered = false): CliError {
  const { code, reason, metadata, native: result, retryDelayMs } = error;
  const [kind, sentence] = entryOf(error);
  const details = { code: status[code], reason, metadata, native: result, retryDelayMs };
  return new CliError(kind, printable(sentence(error, host, hasAnswered)), details);
}

function entryOf({ code, reason }: GatewayError): readonly [ErrorKind, Sentence] {
  const known = reason !== undefined && reason in REASONS ? REASONS[reason as Reason] : undefined;
  return known ?? CODES[code] ?? ['internal', (error) => `The call failed: ${textOf(error)}`];
}

/** The client library writes `tls.ca: can't read ca.pem`; the user typed `--ca`. */
function optionOf(error: GatewayError): string {
  return textOf(error)
    .replace(/^tls: (?:error:\w+:)?/, 'Invalid --ca, --cert or --key: ')
    .replace(/^(?:tls\.)?(\w+): /, 'Invalid --$1: ');
}

/** The message of the status as a sentence, without the name of its reason in front. */
function textOf({ message, reason, code }: GatewayError): string {
  const text = message.replace(`${reason ?? status[code]}: `, '');
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** The same without its full stop, for a sentence that continues. */
function clauseOf(error: GatewayError): string {
  return textOf(error).replace(/\.$/, '');
}

const FIELDS: Readonly<Record<string, string>> = {
  device_address: 'the address',
  session_id: 'the session id',
  open_timeout: '--timeout',
  timeout: '--timeout',
  lease_ttl: '--ttl',
  cursor: '--since',
};

/** The host names fields as the contract does; the user typed flags and operands. */
function violationsOf(error: GatewayError): string {
  const texts = error.fieldViolations.map(({ field, description }) => {
    const name = FIELDS[field] ?? field;
    return description.startsWith(`${field} `) ? name + description.slice(field.length) : `${name}: ${description}`;
  });
  return texts.length === 0 ? textOf(error) : `${texts.join('; ').replace(/\.$/, '')}.`;
}

/** Texts of OpenSSL and of the resolver, and what each means for the user. */
const CONNECTION_FAULTS: readonly (readonly [text: RegExp, meaning: string])[] = [
  [/Name resolution failed|ENOTFOUND|EAI_AGAIN/, 'this name is not known; check the address'],
  [/wrong version number|packet length too long/i, 'the host does not use TLS; add --no-tls to use clear text'],
  [/alert/i, 'the host rejects your certificate, or requires one; check --cert and --key'],
  [
    /altnames|does not match certificate/i,
    'the certificate of the host is for another name; check the address, or --server-name',
  ],
  [/expired/i, 'the certificate of the host has expired; renew it on the host'],
  [/certificate|self.signed|issuer/i, 'no CA that you trust has signed the certificate of the host; check --ca'],
];

function unavailable(error: GatewayError, host: string, hasAnswered: boolean): string {
  const text = textOf(error);
  const [silence] = /silent for \d+ s/.exec(text) ?? [];
  if (silence !== undefined) return `The host at ${host} has been ${silence}; check that it is running.`;
  if (/no answer within/.test(text))
    return `Nothing at ${host} accepts the connection; check the address, and that wfdd is running there.`;
  const [, meaning] = CONNECTION_FAULTS.find(([pattern]) => pattern.test(text)) ?? [];
  if (meaning !== undefined) return `No connection to ${host}: ${meaning}.`;
  const [code] = /\bE[A-Z]{5,}\b/.exec(text) ?? [];
  if (code === undefined && hasAnswered) return `The connection to ${host} was lost; check that wfdd is running there.`;
  if (code === undefined)
    return `The connection to ${host} was lost; check that wfdd is running there, and whether it needs --tls.`;
  return `No host answers at ${host} (${code}); check the address, and that wfdd is running there.`;
}

function native({ native: result }: GatewayError): string {
  return result === undefined ? '' : `: Windows reports ${nativeOf(result)}`;
}

function retryHint({ retryDelayMs }: GatewayError): string {
  return retryDelayMs === undefined ? '' : `, or try again in ${formatDuration(retryDelayMs)}`;
}
