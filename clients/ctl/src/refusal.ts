/**
 * What a host, or the way to it, answered instead of what was asked for, as a sentence in the words of this command line.
 *
 * The tables are complete by their types: a new reason doesn't compile without its sentence and its exit code.
 */
import { type GatewayError, type Reason, status } from '../../typescript/src/client.js';
import type { EXIT } from './exit-code.js';
import type { Complaint } from './failure.js';
import { formatDuration } from './text/duration.js';
import { printable } from './text/printable.js';
import { nativeOf } from './text/session.js';

type Kind = keyof typeof EXIT;
type Says = (error: GatewayError, host: string, hasAnswered: boolean) => string;

const REASONS: Readonly<Record<Reason, readonly [Kind, Says]>> = {
  INVALID_FIELD: ['usage', (error) => `The host refuses a value: ${violationsOf(error)}`],
  REQUEST_ID_REUSED: ['usage', () => 'This request was made before in another form; run the command again.'],
  SESSION_ALREADY_EXISTS: [
    'state',
    ({ metadata: { session_id: id } }) =>
      `A session ${id} exists already; see it with wfdctl get ${id}, or choose another --session-id.`,
  ],
  SESSION_NOT_FOUND: [
    'notFound',
    ({ metadata: { session_id: id } }) =>
      `The host has no session ${id}, or none that you may see; wfdctl list shows those it has.`,
  ],
  DEVICE_NOT_FOUND: [
    'notFound',
    ({ metadata: { device_address: address } }) =>
      `No device ${address} is paired with the host; wfdctl devices shows those that are.`,
  ],
  SESSION_STATE_INVALID: [
    'state',
    (error) => `${clauseOf(error)}; wfdctl get ${error.metadata['session_id']} shows all that is known of it.`,
  ],
  WIFI_DIRECT_DISABLED_BY_POLICY: [
    'state',
    () => 'Wi-Fi Direct is disabled on the host by group policy; ask who administers it.',
  ],
  WLAN_SERVICE_NOT_RUNNING: [
    'unavailable',
    (error) => `The WLAN AutoConfig service (WlanSvc) of the host is not running; start it there${again(error)}.`,
  ],
  WLAN_SERVICE_UNREACHABLE: [
    'unavailable',
    (error) => `The host can't reach its Wi-Fi Direct service${native(error)}; wfdctl host says more${again(error)}.`,
  ],
  NATIVE_LIMIT_REACHED: ['limited', (error) => `Windows has no room for more${native(error)}; close some sessions.`],
  NATIVE_HANDLE_LOST: ['internal', (error) => `Windows lost the session${native(error)}; open it again.`],
  HOST_ACCESS_DENIED: [
    'state',
    () =>
      'Windows denies Wi-Fi Direct to the account that wfdd runs as; ask who administers the host to run it as another, such as ' +
      'LocalSystem, and, on Windows 11 24H2 and later, to turn location access on, which some WLAN calls need.',
  ],
  DEVICE_NOT_PAIRED: [
    'state',
    ({ metadata: { device_address: address } }) =>
      `The host is not paired with ${address ?? 'the device'} for this; pair it there, in the Windows settings, or give --legacy if wfdctl devices says so, and only then.`,
  ],
  OPEN_FAILED: [
    'failed',
    (error) => `The session could not be opened${native(error)}; is the device on, and in reach of the host?`,
  ],
  OPEN_TIMED_OUT: [
    'timedOut',
    () => 'The open took longer than it may; see that the device is in reach, or give it longer with --timeout.',
  ],
  QUOTA_EXCEEDED: [
    'limited',
    ({ metadata: { limit, limit_value: value, subject } }) =>
      `The limit ${limit} of ${subject}, ${value}, is reached; close some, or ask for a higher limit.`,
  ],
  UNAUTHENTICATED: [
    'denied',
    () => 'The host does not know you; give a valid --token-file, or --cert and --key, or a --context that has them.',
  ],
  PERMISSION_DENIED: [
    'denied',
    (error) => `${clauseOf(error)}; ask who administers the host for a role that allows it.`,
  ],
  HOST_STOPPING: ['unavailable', (error) => `The host is stopping; try another, or this one later${again(error)}.`],
  DRIVER_NOT_AVAILABLE: [
    'unavailable',
    ({ metadata: { library, function: name } }) =>
      `The host lacks what this needs, ${[name, library].filter(Boolean).join(' in ')}; use another host.`,
  ],
  NATIVE_ERROR: ['failed', (error) => `Windows refused${native(error)}; the log of the host has more.`],
  INTERNAL: ['internal', () => 'The host made a mistake; its log has the details: report it.'],
  CURSOR_EXPIRED: ['state', () => 'The host no longer has the events after this cursor; watch without --since.'],
  WATCHER_TOO_SLOW: ['limited', () => 'The events were read too slowly; watch again from the last cursor.'],
  HOST_RESTARTED: [
    'unavailable',
    () => 'The wfdd that held the session ended without closing it, and has started again; open another session.',
  ],
  NOT_IMPLEMENTED: ['unavailable', (_, host) => `The wfdd at ${host} is too old for this; update it.`],
};

/** Without a reason it was not the service that spoke, but the way to it. */
const CODES: Partial<Readonly<Record<status, readonly [Kind, Says]>>> = {
  [status.CANCELLED]: ['interrupted', () => 'Ended before it was done.'],
  [status.INVALID_ARGUMENT]: ['usage', optionOf],
  [status.DEADLINE_EXCEEDED]: [
    'timedOut',
    (_, host) => `The host at ${host} did not answer in time; give it longer with --timeout, or check the address.`,
  ],
  [status.NOT_FOUND]: ['notFound', (error) => `${clauseOf(error)}; check what you asked for.`],
  [status.UNAVAILABLE]: ['unavailable', unavailable],
  [status.UNAUTHENTICATED]: ['denied', (error) => `The host was not let know who you are: ${whatHostSaid(error)}`],
  [status.PERMISSION_DENIED]: ['denied', (error) => `It is not allowed: ${whatHostSaid(error)}`],
  [status.RESOURCE_EXHAUSTED]: ['limited', (error) => `It is too much for the host: ${whatHostSaid(error)}`],
  [status.UNIMPLEMENTED]: [
    'unavailable',
    (_, host) => `What answers at ${host} is no wfdd, or one too old for this; check the address.`,
  ],
};

/** `host` is where it was asked, as the user knows it; `hasAnswered`: it did before, so how it is asked must be right. */
export function complaintOf(error: GatewayError, host: string, hasAnswered = false): Complaint {
  const { code, reason, metadata, native: result, retryDelayMs } = error;
  const [kind, says] = entryOf(error);
  return {
    kind,
    message: printable(says(error, host, hasAnswered)),
    details: { code: status[code], reason, metadata, native: result, retryDelayMs },
  };
}

function entryOf({ code, reason }: GatewayError): readonly [Kind, Says] {
  const known = reason !== undefined && reason in REASONS ? REASONS[reason as Reason] : undefined;
  return known ?? CODES[code] ?? ['internal', (error) => `It failed: ${whatHostSaid(error)}`];
}

/** The client library names its options as a program does: `tls.ca: can't read ca.pem`. */
function optionOf(error: GatewayError): string {
  return whatHostSaid(error)
    .replace(/^tls: (?:error:\w+:)?/, 'What --ca, --cert or --key gives is wrong: ')
    .replace(/^(?:tls\.)?(\w+): /, 'The option --$1 is wrong: ');
}

/** The text of the status, less what names its reason, and as a sentence. */
function whatHostSaid({ message, reason, code }: GatewayError): string {
  const text = message.replace(`${reason ?? status[code]}: `, '');
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** The same, for a sentence that goes on. */
function clauseOf(error: GatewayError): string {
  return whatHostSaid(error).replace(/\.$/, '');
}

const FIELDS: Readonly<Record<string, string>> = {
  device_address: 'the address',
  session_id: 'the name of the session',
  open_timeout: '--timeout',
  timeout: '--timeout',
  lease_ttl: '--ttl',
  cursor: '--since',
};

/** Each violation speaks of its field by its name in the contract, which is not the name that the user typed. */
function violationsOf(error: GatewayError): string {
  const texts = error.fieldViolations.map(({ field, description }) => {
    const name = FIELDS[field] ?? field;
    return description.startsWith(`${field} `) ? name + description.slice(field.length) : `${name}: ${description}`;
  });
  return texts.length === 0 ? whatHostSaid(error) : `${texts.join('; ').replace(/\.$/, '')}.`;
}

/** What OpenSSL and the resolver say, and what it comes to. */
const CONNECTION_FAULTS: readonly (readonly [said: RegExp, comesTo: string])[] = [
  [/Name resolution failed|ENOTFOUND|EAI_AGAIN/, 'nobody knows that name; check the address'],
  [/wrong version number|packet length too long/i, 'it speaks clear text; give --no-tls if that is meant'],
  [/alert/i, 'it does not take your certificate, or wants one; check --cert and --key'],
  [/altnames|does not match certificate/i, 'its certificate is for another name; check the address, or --server-name'],
  [/expired/i, 'its certificate has expired; renew it there'],
  [/certificate|self.signed|issuer/i, 'its certificate is signed by nobody you trust; check --ca'],
];

function unavailable(error: GatewayError, host: string, hasAnswered: boolean): string {
  const said = whatHostSaid(error);
  const [silence] = /silent for \d+ s/.exec(said) ?? [];
  if (silence !== undefined) return `The host at ${host} has been ${silence}; check that it is well.`;
  if (/no answer within/.test(said))
    return `Nothing at ${host} takes a connection, or it says nothing; check the address, and that wfdd runs there.`;
  const [, comesTo] = CONNECTION_FAULTS.find(([pattern]) => pattern.test(said)) ?? [];
  if (comesTo !== undefined) return `No connection to ${host}: ${comesTo}.`;
  const [code] = /\bE[A-Z]{5,}\b/.exec(said) ?? [];
  if (code === undefined && hasAnswered) return `The connection to ${host} broke; check that wfdd runs there.`;
  if (code === undefined)
    return `The connection to ${host} broke; check that wfdd runs there, and whether it wants --tls.`;
  return `No host answers at ${host} (${code}); check the address, and that wfdd runs there.`;
}

function native({ native: result }: GatewayError): string {
  return result === undefined ? '' : `: Windows says ${nativeOf(result)}`;
}

function again({ retryDelayMs }: GatewayError): string {
  return retryDelayMs === undefined ? '' : `, or try again in ${formatDuration(retryDelayMs)}`;
}
