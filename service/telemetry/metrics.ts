/**
 * Metrics for Prometheus. Observer calls feed counters and histograms. Gauges are read at each
 * scrape.
 *
 * Invariant: labels have few values (method, code, state, function), never an id, an address or a
 * principal.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { DEGRADATIONS, ENDS, EVENT_TYPES, EVIDENCE, OPEN_OUTCOMES, RELOADED, RPC_CODES } from './closed-sets.js';
import { type PortSettings, servePort } from './metrics-port.js';
import type { Observer, RpcObserver } from './observer.js';
import type { Family } from './otlp-metrics.js';

/** The values behind the gauges. */
export interface Readings {
  sessionsByState(): Iterable<readonly [string, number]>;
  watchers(): number;
  openStreams(): number;
  /** Ids and addresses that watches are restricted to. */
  watchedIds(): number;
  /** Sessions whose events a stream follows. */
  sessionsFollowed(): number;
  requestsInFlight(): number;
  connections(): number;
  /** Calls of all kinds, including streams. */
  callsInFlight(): number;
  /** Bytes held by messages in transit. */
  bytesInTransit(): number;
  nativeCallsInFlight(): number;
  /** Native calls that wait in a lane, by lane. */
  nativeCallsWaiting(): Iterable<readonly [string, number]>;
  /** Contexts of pending native callbacks, by callback. */
  callbackContexts(): Iterable<readonly [string, number]>;
  /** Events that wait for the stream that is furthest behind. */
  eventsWaitingMost(): number;
  spansLost(): number;
  eventsLogged(): number;
  eventsTrimmed(): number;
  /** Log lines that were dropped, by output. */
  logLinesDropped(): Iterable<readonly [string, number]>;
  /** Undefined if there is no journal. */
  journal(): JournalReadings | undefined;
  isServing(): boolean;
  /** Why the host is degraded; undefined if it is not. */
  degradation(): string | undefined;
  /** Client handles of the native API that were lost and reopened. */
  handlesLost(): number;
  /** When the certificate of the daemon expires; undefined without TLS. */
  certificateExpireTimeMs(): number | undefined;
  /** The full names of the RPCs that are served, and of the native functions that are called. */
  readonly rpcs: readonly string[];
  readonly nativeFunctions: readonly string[];
  readonly build: { readonly version: string; readonly node: string; readonly driver: string };
  /** The limits in effect. Each name includes the unit. */
  readonly limits: readonly (readonly [string, number])[];
  /** Misuse of the native API by kind, if it is counted. */
  misuse(): Iterable<readonly [string, number]>;
}

interface JournalReadings {
  readonly isWriting: boolean;
  readonly bytes: number;
  readonly writes: number;
  readonly events: number;
  readonly waiting: number;
  readonly lastWriteMs: number;
}

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export class Metrics implements Observer {
  readonly #registry = new Registry();
  readonly #rpcs = this.#counter('wfdd_rpcs_total', 'RPCs that have ended.', ['method', 'code']);
  readonly #rpcSeconds = this.#seconds('wfdd_rpc_seconds', 'How long RPCs took, including streams.', ['method']);
  readonly #nativeCalls = this.#counter('wfdd_native_calls_total', 'Native calls that have returned.', [
    'function',
    'code',
  ]);
  readonly #nativeSeconds = this.#seconds('wfdd_native_call_seconds', 'How long native calls took.', ['function']);
  readonly #onNativeSlow = this.#counter('wfdd_native_calls_slow_total', 'Native calls past nativeCallWarnMs.', [
    'function',
  ]);
  readonly #sessionEvents = this.#counter('wfdd_session_events_total', 'Changes of sessions.', ['type']);
  readonly #sessionEnds = this.#counter('wfdd_sessions_ended_total', 'Ended sessions by outcome.', [
    'state',
    'reason',
    'evidence',
  ]);
  readonly #opens = this.#seconds('wfdd_session_open_seconds', 'From the request to the outcome of an open.', [
    'outcome',
  ]);
  readonly #closes = this.#seconds('wfdd_session_close_seconds', 'From the start of a close to the disconnection.', [
    'evidence',
  ]);
  readonly #eventSeconds = this.#seconds(
    'wfdd_event_publish_seconds',
    'From an event until it is passed to the streams.',
    [],
  );
  readonly #callbackSeconds = this.#seconds(
    'wfdd_callback_to_wire_seconds',
    'From the arrival of a native callback until its event is written to a stream, for each stream.',
    ['method'],
  );
  readonly #slowReaders = this.#counter(
    'wfdd_slow_readers_ended_total',
    'Streams ended because they were read too slowly.',
    ['method'],
  );
  readonly #denials = this.#counter('wfdd_denials_total', 'Calls refused before a service saw them.', [
    'method',
    'code',
  ]);
  readonly #reloadFailures = this.#counter('wfdd_reload_failures_total', 'Changed files that could not be used.', [
    'what',
  ]);
  readonly #refusals = this.#counter(
    'wfdd_connections_refused_total',
    'Connections refused by TLS or because of a limit.',
    [],
  );

  constructor(readings: Readings) {
    collectDefaultMetrics({ register: this.#registry });
    this.#addGauges(readings);
    this.#addJournalGauges(readings.journal);
    this.#addLabelledGauges(readings);
    this.#countElsewhere(readings);
    this.#startAtZero(readings);
  }

  #counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  #seconds<L extends string>(name: string, help: string, labelNames: L[]): Histogram<L> {
    return new Histogram({ name, help, labelNames, buckets: SECONDS, registers: [this.#registry] });
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read());
      },
    });
  }

  #labelled(name: string, help: string, label: string, read: Labelled): void {
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [value, count] of read()) this.set({ [label]: value }, count);
      },
    });
  }

  #addGauges(readings: Readings): void {
    this.#gauge('wfdd_watchers', 'Open watches.', readings.watchers);
    this.#gauge('wfdd_streams', 'Open streams of all kinds.', readings.openStreams);
    this.#gauge('wfdd_watched_ids', 'Ids and addresses that watches are restricted to.', readings.watchedIds);
    this.#gauge('wfdd_sessions_followed', 'Sessions whose events a stream follows.', readings.sessionsFollowed);
    this.#gauge('wfdd_requests_in_flight', 'Unary requests in flight.', readings.requestsInFlight);
    this.#gauge('wfdd_connections', 'Open connections.', readings.connections);
    this.#gauge('wfdd_calls_in_flight', 'Calls of all kinds in flight, including streams.', readings.callsInFlight);
    this.#gauge('wfdd_transit_bytes', 'Bytes held by messages in transit.', readings.bytesInTransit);
    this.#gauge(
      'wfdd_native_calls_in_flight',
      'Native calls that run or wait in a lane.',
      readings.nativeCallsInFlight,
    );
    this.#gauge('wfdd_events_waiting', 'Events that wait for the stream furthest behind.', readings.eventsWaitingMost);
    this.#gauge('wfdd_events_logged', 'Events that can be resumed from.', readings.eventsLogged);
    this.#gauge('wfdd_serving', '1 while Wi-Fi Direct can be reached.', () => (readings.isServing() ? 1 : 0));
    this.#gauge(
      'wfdd_certificate_expire_time_seconds',
      'When the certificate of the daemon expires, as Unix time; NaN without TLS.',
      () => {
        const expireTimeMs = readings.certificateExpireTimeMs();
        return expireTimeMs === undefined ? Number.NaN : expireTimeMs / 1000;
      },
    );
  }

  #addJournalGauges(journal: Readings['journal']): void {
    this.#gauge('wfdd_journal_writing', '1 while events are kept on disk.', () => (journal()?.isWriting ? 1 : 0));
    this.#gauge('wfdd_journal_bytes', 'Bytes of the journal on disk.', () => journal()?.bytes ?? 0);
    this.#gauge('wfdd_journal_events_waiting', 'Events not on disk yet.', () => journal()?.waiting ?? 0);
    this.#gauge('wfdd_journal_write_seconds', 'How long the last write took, with its flush.', () => {
      return (journal()?.lastWriteMs ?? 0) / 1000;
    });
  }

  #addLabelledGauges(readings: Readings): void {
    this.#labelled(
      'wfdd_native_calls_waiting',
      'Native calls that wait in a lane, by lane.',
      'lane',
      readings.nativeCallsWaiting,
    );
    this.#labelled(
      'wfdd_callback_contexts',
      'Pending native callbacks. Those of opens end with each open.',
      'callback',
      readings.callbackContexts,
    );
    this.#labelled('wfdd_sessions', 'Sessions known, by state.', 'state', readings.sessionsByState);
    const degradations = () => {
      const now = readings.degradation();
      const known = DEGRADATIONS.map((reason) => [reason, Number(reason === now)] as const);
      return now === undefined || DEGRADATIONS.includes(now) ? known : [...known, [now, 1] as const];
    };
    this.#labelled('wfdd_degraded', '1 for the reason why the host is degraded.', 'reason', degradations);
    this.#labelled('wfdd_limit', 'Limits in effect. Each name includes the unit.', 'name', () => readings.limits);
    new Gauge({
      name: 'wfdd_build_info',
      help: 'Always 1.',
      labelNames: ['version', 'node', 'driver'],
      registers: [this.#registry],
    }).set(readings.build, 1);
  }

  /** Counters that other rooms keep. They are read at each scrape. */
  #countElsewhere(readings: Readings): void {
    const registers = [this.#registry];
    const counted = (name: string, help: string, label: string | undefined, read: Labelled) =>
      new Counter({
        name,
        help,
        labelNames: label === undefined ? [] : [label],
        registers,
        collect() {
          this.reset();
          for (const [value, count] of read()) this.inc(label === undefined ? {} : { [label]: value }, count);
        },
      });
    const alone = (read: () => number) => () => [['', read()] as const];
    const journal = () => readings.journal();
    counted(
      'wfdd_journal_writes_total',
      'Writes to the journal.',
      undefined,
      alone(() => journal()?.writes ?? 0),
    );
    counted(
      'wfdd_journal_events_total',
      'Events kept in the journal.',
      undefined,
      alone(() => journal()?.events ?? 0),
    );
    counted('wfdd_events_trimmed_total', 'Events trimmed from the log.', undefined, alone(readings.eventsTrimmed));
    counted(
      'wfdd_spans_lost_total',
      'Spans that did not reach the collector, or were rejected by it.',
      undefined,
      alone(readings.spansLost),
    );
    counted(
      'wfdd_handles_lost_total',
      'Client handles of the native API that were lost. Each is reopened.',
      undefined,
      alone(readings.handlesLost),
    );
    counted(
      'wfdd_log_lines_dropped_total',
      'Lines of the log and of the audit that were dropped because the output was blocked or failed.',
      'output',
      readings.logLinesDropped,
    );
    const misuse = 'Misuse of the native API, if it is counted.';
    counted('wfdd_native_misuse_total', misuse, 'kind', readings.misuse);
  }

  /** A series that appears with its first failure shows no increase, so no alert would fire. */
  #startAtZero({ rpcs, nativeFunctions }: Readings): void {
    for (const method of rpcs) {
      for (const code of RPC_CODES) this.#rpcs.inc({ method, code }, 0);
      for (const code of ['UNAUTHENTICATED', 'PERMISSION_DENIED']) this.#denials.inc({ method, code }, 0);
      if (/\/(Watch\w*|OpenSession)$/.test(method)) this.#slowReaders.inc({ method }, 0);
    }
    this.#denials.inc({ method: 'unserved', code: 'UNIMPLEMENTED' }, 0);
    for (const name of nativeFunctions) {
      this.#onNativeSlow.inc({ function: name }, 0);
      this.#nativeCalls.inc({ function: name, code: '0' }, 0);
    }
    for (const type of EVENT_TYPES) this.#sessionEvents.inc({ type }, 0);
    for (const { state, reason, evidence } of ENDS) this.#sessionEnds.inc({ state, reason, evidence }, 0);
    for (const outcome of OPEN_OUTCOMES) this.#opens.zero({ outcome });
    for (const evidence of EVIDENCE) this.#closes.zero({ evidence });
    for (const what of RELOADED) this.#reloadFailures.inc({ what }, 0);
  }

  /** All metrics with their current values. */
  async families(): Promise<readonly Family[]> {
    return (await this.#registry.getMetricsAsJSON()) as readonly Family[];
  }

  /** The daemon's own metrics, sorted by name, for the manual. */
  describe(): readonly Description[] {
    const metrics = this.#registry.getMetricsAsArray() as unknown as readonly (Omit<Description, 'kind'> & object)[];
    return metrics
      .filter(({ name }) => name.startsWith('wfdd_'))
      .map((metric) => ({ ...pick(metric), kind: metric.constructor.name.toLowerCase() }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  onNativeReturned(fn: string, code: number, durationMs: number, name: string): void {
    this.#nativeCalls.inc({ function: fn, code: codeLabel(code, name) });
    this.#nativeSeconds.observe({ function: fn }, durationMs / 1000);
  }

  onNativeSlow(fn: string): void {
    this.#onNativeSlow.inc({ function: fn });
  }

  onRpcStarted(rpc: string): RpcObserver {
    const startMs = performance.now();
    const onEnded = (code: string) => {
      this.#rpcs.inc({ method: rpc, code });
      this.#rpcSeconds.observe({ method: rpc }, (performance.now() - startMs) / 1000);
    };
    return { onEnded };
  }

  onSessionChanged({ type, session, steadyMs }: Parameters<Observer['onSessionChanged']>[0]): void {
    this.#sessionEvents.inc({ type });
    this.#eventSeconds.observe((performance.now() - steadyMs) / 1000);
    const { createMs, openMs, closeMs, endMs = steadyMs } = session.marks;
    if (type === 'OPENED') this.#opens.observe({ outcome: type }, (steadyMs - createMs) / 1000);
    if (session.end === undefined) return;
    const { reason, evidence = 'NONE' } = session.end;
    // An open that won the race against its cancel was never reported, but is closed all the same.
    if (openMs === undefined) this.#opens.observe({ outcome: reason }, (endMs - createMs) / 1000);
    if (session.state === 'CLOSED') this.#closes.observe({ evidence }, (endMs - (closeMs ?? endMs)) / 1000);
    this.#sessionEnds.inc({ state: session.state, reason, evidence });
  }

  onCallbackWritten(rpc: string, latencyMs: number): void {
    this.#callbackSeconds.observe({ method: rpc }, latencyMs / 1000);
  }

  onSlowReaderEnded(rpc: string): void {
    this.#slowReaders.inc({ method: rpc });
  }

  onDenied(rpc: string, code: string): void {
    this.#denials.inc({ method: rpc, code });
  }

  onReloadFailed(what: string): void {
    this.#reloadFailures.inc({ what });
  }

  onConnectionRefused(): void {
    this.#refusals.inc();
  }

  /** Serves only `/metrics`. */
  serve(settings: PortSettings): Promise<Server> {
    return servePort(settings, (request, response) => void this.#answer(request, response));
  }

  async #answer({ method = '', url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
    if (pathOf(url) !== '/metrics') {
      response.writeHead(404).end('Only /metrics is here.\n');
    } else if (method !== 'GET' && method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end('Only GET and HEAD are answered.\n');
    } else {
      try {
        const text = await this.#registry.metrics();
        response.writeHead(200, { 'content-type': this.#registry.contentType }).end(text);
      } catch {
        response.writeHead(500).end();
      }
    }
  }
}

/** Strips the query. A request can also have an absolute URL (RFC 9112, 3.2.2). */
function pathOf(target: string): string | undefined {
  try {
    return new URL(target, 'http://localhost').pathname;
  } catch {
    return undefined;
  }
}

interface Description {
  readonly name: string;
  readonly help: string;
  /** `counter`, `gauge` or `histogram`. */
  readonly kind: string;
  readonly labelNames: readonly string[];
}

function pick({ name, help, labelNames }: Omit<Description, 'kind'>): Omit<Description, 'kind'> {
  return { name, help, labelNames };
}

type Labelled = () => Iterable<readonly [string, number]>;

/**
 * Codes with names are a closed set. Any other code counts as `other`, so that the number of series
 * is bounded whatever Windows returns. An HRESULT counts as the Win32 code inside it.
 */
function codeLabel(code: number, name: string): string {
  return name.startsWith('0x') ? 'other' : String(code & 0xffff);
}
