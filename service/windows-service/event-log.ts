/**
 * The Windows event log, for lines that an operator must see without reading the log file. Each
 * event name of the log has a fixed event id.
 *
 * Invariant: the meaning of an id never changes, because monitoring systems depend on it.
 */
import {
  type Advapi32,
  EVENTLOG_ERROR_TYPE,
  EVENTLOG_INFORMATION_TYPE,
  EVENTLOG_WARNING_TYPE,
  type EventSourceHandle,
  HKEY_LOCAL_MACHINE,
  REG_DWORD,
  REG_EXPAND_SZ,
} from '../../native/advapi32.js';
import { winerror } from '../../native/constants.js';
import { createLog, type Log } from '../telemetry/log.js';
import { ServiceError } from './service-error.js';

/** The event id for each log event that also goes to the Windows event log. */
export const EVENT_IDS: ReadonlyMap<string, number> = new Map([
  // The life of the service.
  ['serving', 100],
  ['stopping', 101],
  ['stopped', 102],
  ['stop-incomplete', 103],
  ['start-failed', 104],
  ['crashed', 105],
  ['config-invalid', 106],
  ['config-warning', 107],
  ['service-sid-missing', 108],
  ['previous-end', 109],
  ['suspending', 110],
  ['resumed', 111],
  // The availability of Wi-Fi Direct.
  ['degraded', 200],
  ['ready', 201],
  ['library-incomplete', 202],
  ['simulated', 203],
  ['driver-failed', 204],
  ['log-file-failed', 205],
  ['journal-failed', 206],
  ['journal-recovered', 207],
  ['journal-new-epoch', 208],
  // Refused callers.
  ['access-denied', 300],
  ['connection-refused', 301],
  // Failures of Windows or of the daemon.
  ['native-call-slow', 400],
  ['session-failed', 401],
  ['session-lost', 402],
  ['rpc-failed', 403],
]);

/**
 * Events per id and minute; further ones are only counted. The event log overwrites its oldest
 * entries, so a caller that is refused a thousand times must not fill it.
 */
const EVENTS_PER_MINUTE_MAX = 10;
const MINUTE_MS = 60_000;
/** ReportEventW accepts at most 31,839 characters. */
const TEXT_MAX = 31_000;
/** How many events can wait while the event log does not respond. */
const WAITING_MAX = 100;

const TYPES: Readonly<Record<string, number>> = { error: EVENTLOG_ERROR_TYPE, warn: EVENTLOG_WARNING_TYPE };

/** The functions of advapi32.dll that this needs. */
export type EventFunctions = Pick<Advapi32, 'RegisterEventSourceW' | 'ReportEventW'>;

interface Rate {
  sinceMs: number;
  events: number;
  leftOut: number;
}

/**
 * Writes events of one source. No method throws or blocks. If the event log does not respond, only
 * events are lost.
 */
export class EventLog {
  readonly #advapi32: EventFunctions;
  readonly #source: Promise<EventSourceHandle | undefined>;
  readonly #rates = new Map<number, Rate>();
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(advapi32: EventFunctions, source: string) {
    this.#advapi32 = advapi32;
    this.#source = advapi32.RegisterEventSourceW(source).then(
      ({ code, hEventLog }) => (code === winerror.ERROR_SUCCESS ? hEventLog : undefined),
      () => undefined,
    );
  }

  /** Reports one line of the log: JSON with `event`, `level` and `msg`. */
  write(line: string): void {
    const { event, level, msg, time: _, ...fields } = JSON.parse(line) as Record<string, unknown>;
    const id = EVENT_IDS.get(String(event));
    if (id === undefined || this.#waiting >= WAITING_MAX) return;
    const leftOut = this.#admit(id);
    if (leftOut === undefined) return;
    const details = Object.entries(fields).map(([name, value]) => `${name}: ${asText(value)}`);
    if (leftOut > 0) details.push(`${leftOut} more events like this were omitted.`);
    const text = [String(msg), ...(details.length > 0 ? ['', ...details] : [])].join('\r\n');
    this.#report(id, TYPES[String(level)] ?? EVENTLOG_INFORMATION_TYPE, safeText(text));
  }

  /** Resolves when all events so far have been reported. */
  flushed(): Promise<void> {
    return this.#last;
  }

  #report(id: number, type: number, text: string): void {
    this.#waiting += 1;
    this.#last = this.#last
      .then(async () => {
        const source = await this.#source;
        if (source !== undefined) await this.#advapi32.ReportEventW(source, type, id, [text]);
      })
      .catch(() => {})
      .finally(() => {
        this.#waiting -= 1;
      });
  }

  /**
   * How many events of this id were omitted before this one; undefined if this one is omitted too.
   */
  #admit(id: number): number | undefined {
    const nowMs = performance.now();
    let rate = this.#rates.get(id);
    if (rate === undefined || nowMs - rate.sinceMs >= MINUTE_MS) {
      rate = { sinceMs: nowMs, events: 0, leftOut: rate?.leftOut ?? 0 };
      this.#rates.set(id, rate);
    }
    if (rate.events === EVENTS_PER_MINUTE_MAX) {
      rate.leftOut += 1;
      return undefined;
    }
    const { leftOut } = rate;
    rate.events += 1;
    rate.leftOut = 0;
    return leftOut;
  }
}

/**
 * A log that writes to `log`, and also writes event-log events, whatever the level of `log` and
 * never with a device address.
 */
export async function withEvents(log: Log, events: EventLog): Promise<Log> {
  return tee(log, await createLog({ level: 'info', format: 'json', addresses: false }, events));
}

function tee(log: Log, events: Log): Log {
  const writer =
    (level: 'debug' | 'info' | 'warn' | 'error'): Log['info'] =>
    (event, message, fields) => {
      log[level](event, message, fields);
      if (EVENT_IDS.has(event)) events[level](event, message, fields);
    };
  return {
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    child: (fields) => tee(log.child(fields), events.child(fields)),
  };
}

/**
 * Registers the message file. In EventCreate.exe of Windows, the text of every id from 1 to 1000 is
 * the reported text itself (D-99).
 */
export async function registerEventSource(advapi32: Advapi32, source: string): Promise<void> {
  const file = Buffer.from('%SystemRoot%\\System32\\EventCreate.exe\0', 'utf16le');
  const types = Buffer.from([EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE, 0, 0, 0]);
  const set = async (name: string, type: number, data: Buffer): Promise<void> => {
    const { code } = await advapi32.RegSetKeyValueW(HKEY_LOCAL_MACHINE, keyOf(source), name, type, data);
    if (code !== winerror.ERROR_SUCCESS) throw new ServiceError('RegSetKeyValueW', code);
  };
  await set('EventMessageFile', REG_EXPAND_SZ, file);
  await set('TypesSupported', REG_DWORD, types);
}

/**
 * Existing events stay. The event viewer then shows them with a note that the source is unknown.
 */
export async function unregisterEventSource(advapi32: Advapi32, source: string): Promise<void> {
  const { code } = await advapi32.RegDeleteTreeW(HKEY_LOCAL_MACHINE, keyOf(source));
  if (code !== winerror.ERROR_SUCCESS && code !== winerror.ERROR_FILE_NOT_FOUND) {
    throw new ServiceError('RegDeleteTreeW', code);
  }
}

function keyOf(source: string): string {
  return `SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\${source}`;
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The event viewer treats `%1` as a placeholder, even in an IPv6 address with a zone. */
function safeText(text: string): string {
  return text.replace(/%(?=\d)/g, '% ').slice(0, TEXT_MAX);
}
