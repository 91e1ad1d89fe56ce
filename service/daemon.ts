/**
 * The rooms put together, and the order in which they start and stop.
 *
 * Stopping: health NOT_SERVING; no new sessions; opens are cancelled, sessions closed; streams end with HOST_STOPPING; the server ends;
 * native calls and callbacks come to rest; the client handle is closed; the last spans are sent. All within `shutdown.graceMs`, whatever
 * the DLL does.
 */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { openContexts } from '../native/callbacks.js';
import { loadLibraries, type NativeLibraries, windowsLibraryPaths } from '../native/load.js';
import { openSimulatorControl, type SimulatorControl } from '../native/simulator-control.js';
import { Access, revoked } from './access/access.js';
import { permissions } from './access/permissions.js';
import { PrincipalRates } from './access/principal-rates.js';
import { Quota } from './access/quota.js';
import { UnusableFiles } from './access/watched-files.js';
import { awakeClock } from './awake-clock.js';
import { parseHeader } from './config/collector.js';
import { EXIT } from './config/command-line.js';
import { chooseDriver } from './config/driver.js';
import { bindTarget, parseListenAddress } from './config/listen.js';
import { limitsWithin, openFilesMax } from './config/open-files.js';
import type { Config } from './config/schema.js';
import { addressFailure, readExcludedPorts, StartFailure } from './config/start-failure.js';
import { isDoneWithin, within } from './deadline.js';
import { Devices } from './device/devices.js';
import { incomplete } from './driver/availability.js';
import { WlanDriver } from './driver/wlan-driver.js';
import { EventLog, type Logged, type LogLimits } from './events/log.js';
import { type EventKind, EventStream } from './events/stream.js';
import { type Fault, hostStopping } from './fault.js';
import {
  JournalUnusable,
  newEpoch,
  type OpenedJournal,
  openSessionJournal,
  restoreLog,
  restoreSessions,
  SessionJournal,
  type SessionStream,
} from './journal/session-journal.js';
import { descriptors } from './root.js';
import { Lifecycle } from './session/lifecycle.js';
import type { Log } from './telemetry/log.js';
import type { Logs } from './telemetry/logs.js';
import type { Readings } from './telemetry/metrics.js';
import { Telemetry, type TelemetrySettings } from './telemetry/telemetry.js';
import { Connections } from './transport/connections.js';
import { TlsCredentials } from './transport/credentials.js';
import { deviceService, deviceServiceDefinition } from './transport/device-service.js';
import type { Edge } from './transport/edge.js';
import { deviceEventKind, sessionEventKind } from './transport/event-kinds.js';
import { Gate } from './transport/gate.js';
import { DriverKind, HostServiceService } from './transport/gen/wifidirect/v1/host_service.js';
import { hostService } from './transport/host-service.js';
import { limitFigures, limitsOf } from './transport/limits.js';
import { Observing } from './transport/observing.js';
import { Peers } from './transport/peers.js';
import { refusals } from './transport/refusals.js';
import { GatewayServer } from './transport/server.js';
import { OpenStreams } from './transport/server-stream.js';
import { sessionService, sessionServiceDefinition } from './transport/session-service.js';
import { simulatorService, simulatorServiceDefinition } from './transport/simulator-service.js';
import { Transit } from './transport/transit.js';

/** How long the start waits for Windows to answer before it serves all the same. */
const FIRST_ANSWER_MS = 300;
/** How many renewals that a later one has made superfluous are kept for watches that are a little behind. */
const SUPERSEDED_EVENTS_MAX = 1000;
/** What is kept of the grace for the last steps, when sessions have taken the rest. */
const LAST_STEPS_MS = 1500;
/** What is kept for the end of the process itself. */
const EXIT_MS = 300;

const allIn = (library: string) => ({ wlanapi: library, iphlpapi: library, cfgmgr32: library });
type Parts = Readonly<{
  telemetry: Telemetry;
  streams: OpenStreams;
  access: Access;
  tls: TlsCredentials | undefined;
  peers: Peers;
  logs: Pick<Logs, 'dropped'>;
  journal: OpenedJournal | undefined;
}>;

export class Daemon {
  readonly #config: Config;
  readonly #log: Log;
  readonly #native: NativeLibraries;
  readonly #driver: WlanDriver;
  readonly #lifecycle: Lifecycle;
  readonly #devices: Devices;
  readonly #streams: OpenStreams;
  readonly #telemetry: Telemetry;
  readonly #readings: Omit<Readings, 'spansLost'>;
  readonly #access: Access;
  readonly #tls: TlsCredentials | undefined;
  readonly #server: GatewayServer;
  readonly #simulator: SimulatorControl | undefined;
  readonly #journal: SessionJournal | undefined;
  #journalFault: Fault | undefined;
  #starting: Promise<void> = Promise.resolve();
  #isStopping = false;
  #ignoreSleep = () => {};

  /** Throws a StartFailure where the configuration names a file that can't be used. Without `logs` the audit goes to `log`. */
  static async compose(
    config: Config,
    version: string,
    log: Log,
    logs: Pick<Logs, 'audit' | 'dropped'> = { audit: log, dropped: () => [['log', 0]] },
  ): Promise<Daemon> {
    try {
      return await Daemon.#compose(config, version, log, logs);
    } catch (error) {
      const isOfConfig = error instanceof UnusableFiles || error instanceof JournalUnusable;
      throw isOfConfig ? new StartFailure(error.message, EXIT.config) : error;
    }
  }

  static async #compose(
    config: Config,
    version: string,
    log: Log,
    logs: Pick<Logs, 'audit' | 'dropped'>,
  ): Promise<Daemon> {
    const [telemetry, streams] = [new Telemetry(telemetrySettings(config, version), log), new OpenStreams()];
    let peers: Peers | undefined;
    const endRevoked = () => {
      streams.stop(revoked, (caller) => caller.isRevoked());
      peers?.closeLost();
    };
    const { observers } = telemetry;
    const reloads = { changed: endRevoked, reloadFailed: (what: string) => observers.reloadFailed(what) };
    const tls = config.tls.certFile === null ? undefined : new TlsCredentials(config.tls, log, reloads);
    peers = new Peers(config.access.principalFrom, tls);
    const access = await Access.open(config.access, log, observers, endRevoked, logs.audit);
    const journal = await journalOf(config);
    return new Daemon(config, version, log, { telemetry, streams, access, tls, peers, logs, journal });
  }

  private constructor(config: Config, version: string, log: Log, parts: Parts) {
    const { telemetry, streams, access, tls, peers, logs, journal } = parts;
    [this.#telemetry, this.#streams, this.#access, this.#tls] = [telemetry, streams, access, tls];
    this.#config = config;
    this.#log = log;
    const { observers } = telemetry;
    const { driver, session, events, keepalive } = config;
    const limits = limitsWithin(config.limits, openFilesMax(process.platform));
    const choice = chooseDriver(config, process.platform);
    const paths = choice.kind === 'wlanapi' ? windowsLibraryPaths() : allIn(choice.library);
    this.#native = loadLibraries(paths);
    this.#tellDriver(choice.kind, paths.wlanapi);
    this.#driver = new WlanDriver(this.#native, driver, observers);
    const logLimits = {
      eventsMax: events.logEventsMax,
      bytesMax: events.logBytesMax,
      ageMaxMs: events.logAgeMs,
      supersededMax: SUPERSEDED_EVENTS_MAX,
    };
    const sessionEvents = newStream(sessionEventKind(), logLimits, journal?.restored.epoch);
    const deviceEvents = newStream(deviceEventKind(), logLimits);
    this.#lifecycle = new Lifecycle(this.#driver, sessionEvents, { ...session, ...limits });
    this.#devices = new Devices(this.#driver, deviceEvents);
    sessionEvents.events.subscribe((event) => observers.sessionChanged(event));
    if (journal !== undefined) this.#journal = this.#beginJournal(journal, sessionEvents);

    const explain = refusals(limits.receiveMessageBytesMax, log);
    const { interceptor: observe, traceOf } = new Observing(observers, explain);
    const transit = new Transit(limits);
    const refuseConnection = (client: string, message: string) => access.denials.connection(client, message);
    const connections = new Connections(limits, refuseConnection);
    const calls = new Quota(
      { name: 'calls_max', max: limits.callsMax },
      { name: 'calls_per_principal_max', max: limits.callsPerPrincipalMax },
    );
    const gate = new Gate(this.#access, peers, { calls, transit, connections }, log, traceOf);
    const edge: Edge = {
      callerOf: gate.callerOf,
      traceOf,
      changes: new PrincipalRates('changes_per_second_per_principal', limits.changesPerSecondPerPrincipalMax),
      watches: new PrincipalRates('watches_per_second_per_principal', limits.watchesPerSecondPerPrincipalMax),
      requests: new Quota(
        { name: 'requests_in_flight_max', max: limits.requestsInFlightMax },
        { name: 'requests_in_flight_per_principal_max', max: limits.requestsPerPrincipalMax },
      ),
      watchers: new Quota(
        { name: 'watchers_max', max: limits.watchersMax },
        { name: 'watchers_per_principal_max', max: limits.watchersPerPrincipalMax },
      ),
      watchedIds: new Quota(
        { name: 'watched_ids_max', max: limits.watchedIdsMax },
        { name: 'watched_ids_per_principal_max', max: limits.watchedIdsPerPrincipalMax },
      ),
      transit,
      streams: this.#streams,
      observer: observers,
      log,
    };
    this.#server = new GatewayServer(
      {
        ...limits,
        keepaliveTimeMs: keepalive.timeMs,
        keepaliveTimeoutMs: keepalive.timeoutMs,
        socketMode: Number.parseInt(config.socketMode, 8),
      },
      connections,
      [observe, gate.interceptor],
      {
        connection: refuseConnection,
        unserved: () => observers.denied('unserved', 'UNIMPLEMENTED'),
        recognize: (stream, headers) => gate.recognize(stream, headers),
      },
      peers,
    );
    this.#server.addHealth(edge, events.watcherGraceMs);
    this.#server.addReflection(descriptors, edge);
    const facts = {
      hostId: config.hostId,
      hostname: hostname(),
      serviceVersion: version,
      driverKind: choice.kind === 'wlanapi' ? DriverKind.WLANAPI : DriverKind.SIMULATOR,
      libraryPath: paths.wlanapi,
      missing: this.#native.missing.map(({ library, function: name }) => ({ library, function: name ?? '' })),
      incomplete: incomplete(this.#native.missing),
      evidenceKinds: this.#driver.evidenceKinds,
      limits: limitsOf({ ...config, limits }),
      startTime: new Date(),
      previousEnd: journal?.restored.previousEnd ?? 'UNKNOWN',
      labels: config.labels,
    };
    this.#server.add(
      'wifidirect.v1.SessionService',
      sessionServiceDefinition,
      sessionService(edge, this.#lifecycle, { ...session, watch: events }),
    );
    this.#server.add(
      'wifidirect.v1.DeviceService',
      deviceServiceDefinition,
      deviceService(edge, this.#devices, events),
    );
    this.#server.add(
      'wifidirect.v1.HostService',
      HostServiceService,
      hostService(edge, facts, this.#lifecycle, () => ({
        driver: this.#driver.status,
        durability: this.#journal?.isKeeping ? this.#journal.durability : 'MEMORY',
        journalFault: this.#journalFault,
      })),
    );
    this.#simulator = choice.kind === 'simulator' ? openSimulatorControl(choice.library) : undefined;
    if (this.#simulator !== undefined && driver.simulatorService) {
      this.#server.add(
        'wifidirect.simulator.v1.SimulatorService',
        simulatorServiceDefinition,
        simulatorService(edge, this.#simulator),
      );
    }

    this.#readings = {
      sessionsByState: () => this.#lifecycle.registry.countByState(),
      watchers: () => edge.watchers.total,
      openStreams: () => this.#streams.size,
      watchedIds: () => edge.watchedIds.total,
      sessionsFollowed: () => sessionEvents.followed,
      callbackContexts: openContexts,
      requestsInFlight: () => edge.requests.total,
      connections: () => this.#server.connections,
      callsInFlight: () => calls.total,
      bytesInTransit: () => transit.bytes,
      nativeCallsInFlight: () => this.#driver.calls.inFlight,
      nativeCallsWaiting: () => this.#driver.calls.waiting,
      eventsWaitingMost: () => this.#streams.waitingMost,
      eventsLogged: () => sessionEvents.log.size,
      eventsTrimmed: () => sessionEvents.log.trimmed,
      isServing: () => this.#driver.status.fault === undefined && !this.#isStopping,
      degradation: () => (this.#driver.status.fault ?? this.#driver.status.devicesFault)?.reason,
      handlesLost: () => this.#driver.handlesLost,
      certificateExpireTimeMs: () => this.#tls?.expireTimeMs,
      rpcs: Object.keys(permissions),
      nativeFunctions: [this.#native.wlanapi, this.#native.iphlpapi, this.#native.cfgmgr32].flatMap(Object.keys),
      build: { version, node: process.version, driver: choice.kind },
      limits: limitFigures(facts.limits),
      logLinesDropped: () => logs.dropped(),
      journal: () => this.#journal?.status,
      misuse: () => Object.entries(this.#simulator?.misuse().counts ?? {}),
    };
  }

  /**
   * Who stops it meanwhile has it resolve early: what has not begun by then never does. Rejects where it can't serve, when what had
   * begun has ended.
   */
  async start(): Promise<void> {
    this.#starting = this.#start();
    try {
      await this.#starting;
    } catch (error) {
      if (!this.#isStopping) await this.stop();
      throw error;
    }
  }

  async #start(): Promise<void> {
    await servedAt(this.#config.metrics.listen ?? '', () => this.#telemetry.start(this.#readings));
    if (this.#isStopping) return;
    this.#ignoreSleep = awakeClock.onAwake((sleptMs) => {
      const sleptS = Math.round(sleptMs / 1000);
      this.#log.info('resumed', `The process has stood still for ${sleptS} s; every link is looked at anew.`, {
        sleptS,
      });
      this.resume();
    });
    const started = this.#driver.start();
    started.catch((error: unknown) => this.#log.error('driver-failed', 'The driver could not start.', { err: error }));
    await within(FIRST_ANSWER_MS, started);
    let told: string | undefined | null = null;
    this.#driver.statuses.subscribe(({ fault: serviceFault, devicesFault }) => {
      this.#tellHealth();
      const fault = serviceFault ?? devicesFault;
      if (fault?.message === told) return;
      told = fault?.message;
      if (fault !== undefined) this.#log.warn('degraded', fault.message, { reason: fault.reason, ...fault.metadata });
      else this.#log.info('ready', 'Wi-Fi Direct can be reached.');
    });
    for (const text of this.#config.listen) {
      if (this.#isStopping) return;
      const address = parseListenAddress(text);
      const tls = address.kind === 'tcp' ? this.#tls : undefined;
      await servedAt(text, () => this.#server.bind(bindTarget(address), tls));
    }
    const addresses = this.#server.addresses;
    this.#log.info('serving', `Serving on ${addresses.join(', ')}.`, { addresses });
  }

  /** The computer has slept, and nothing is as it was taken for: asks for the service and looks at every link. */
  resume(): void {
    this.#driver.resume();
  }

  /** True: everything has ended as it should. */
  async stop(): Promise<boolean> {
    const deadlineMs = performance.now() + this.#config.shutdown.graceMs - EXIT_MS;
    const left = () => Math.max(deadlineMs - performance.now(), 0);
    this.#isStopping = true;
    this.#ignoreSleep();
    this.#server.setServing(() => false);
    await isDoneWithin(left() - LAST_STEPS_MS, this.#starting);
    const drained = await this.#lifecycle.drain(left() - LAST_STEPS_MS);
    await isDoneWithin(left() - LAST_STEPS_MS, this.#lifecycle.events.untilKept() ?? Promise.resolve());
    this.#streams.stopAll(hostStopping());
    await this.#server.stop(Math.min(left(), LAST_STEPS_MS / 2));
    this.#access.close();
    this.#tls?.close();
    const isQuiet = await this.#driver.close(left());
    this.#lifecycle.dispose();
    this.#devices.dispose();
    await isDoneWithin(left(), this.#journal?.close() ?? Promise.resolve());
    await this.#telemetry.close(Math.min(left(), LAST_STEPS_MS / 2));
    this.#reportMisuse();
    const isClean = drained && isQuiet;
    const outcome = { sessionsEnded: drained, nativeQuiet: isQuiet };
    if (isClean) this.#log.info('stopped', 'Stopped cleanly.', outcome);
    else this.#log.error('stop-incomplete', 'Not everything ended in time; the process ends regardless.', outcome);
    return isClean;
  }

  /** Takes over what the life before has left, and begins to keep what happens in this one. */
  #beginJournal(opened: OpenedJournal, events: SessionStream): SessionJournal {
    const { previousEnd, newEpochBecause, sessions } = opened.restored;
    if (newEpochBecause !== undefined) {
      const message = `A new epoch begins, and cursors of the old one have expired: ${newEpochBecause}.`;
      this.#log.warn('journal-new-epoch', message, { folder: opened.settings.folder });
    }
    if (previousEnd === 'CRASHED') {
      const message = 'The daemon ended without a word the last time; sessions that were live then are LOST.';
      this.#log.warn('previous-end', message, { sessions: sessions.size });
    }
    restoreLog(events, opened.restored);
    restoreSessions(this.#lifecycle, opened.restored);
    return new SessionJournal(events, this.#lifecycle, opened, (error) => this.#onJournalState(error));
  }

  #onJournalState(error: Error | undefined): void {
    if (error === undefined) {
      this.#journalFault = undefined;
      this.#log.info('journal-recovered', 'The journal is kept again.');
      return;
    }
    const message = `The journal can't be written (${error.message}): events are kept in memory, under a new epoch.`;
    this.#journalFault = { reason: 'INTERNAL', message };
    this.#log.error('journal-failed', message, { err: error });
  }

  /** All are for Wi-Fi Direct, so none serves without it; devices need what tells of them besides. */
  #tellHealth(): void {
    const isReached = this.#driver.status.fault === undefined;
    const hasDevices = this.#driver.whyNotDevices() === undefined;
    const isServing = isReached && !this.#isStopping;
    this.#server.setServing((service) => isServing && (service !== 'wifidirect.v1.DeviceService' || hasDevices));
  }

  /** Whoever uses the simulator is told at the end what it counted, leaks included. */
  #reportMisuse(): void {
    if (this.#simulator === undefined || this.#native.missing.length > 0) return;
    this.#simulator.checkLeaks();
    const { counts, total } = this.#simulator.misuse();
    const misuse = Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
    const write = total === 0 ? this.#log.info : this.#log.error;
    write('simulator-report', `The simulator counted ${total} misuses of the native API.`, { misuse });
  }

  #tellDriver(kind: 'wlanapi' | 'simulator', path: string): void {
    if (kind === 'simulator') {
      this.#log.warn('simulated', 'The devices of this host are simulated: no radio is used.', { library: path });
    }
    const fault = incomplete(this.#native.missing);
    if (fault !== undefined) this.#log.error('library-incomplete', fault.message, { ...fault.metadata });
  }
}

/** What binds an address fails with a sentence about it. */
async function servedAt<T>(address: string, bind: () => Promise<T>): Promise<T> {
  try {
    return await bind();
  } catch (error) {
    if (address === '') throw error;
    throw await addressFailure(address, error, { platform: process.platform, excludedPorts: readExcludedPorts });
  }
}

function newStream<D, E, R extends Logged>(
  kind: EventKind<D, E, R>,
  limits: LogLimits,
  epoch = newEpoch(),
): EventStream<D, E, R> {
  return new EventStream(new EventLog(epoch, limits, kind), kind);
}

/** Undefined where none is configured. Throws JournalUnusable. */
async function journalOf({ journal, events }: Config): Promise<OpenedJournal | undefined> {
  const { folder, durability, bytesMax, ageMs } = journal;
  if (folder === null) return undefined;
  return openSessionJournal(
    { folder, durability: durability === 'disk' ? 'DISK' : 'PROCESS', bytesMax, ageMaxMs: ageMs },
    { eventsMax: events.logEventsMax, sinceMs: Date.now() - events.logAgeMs },
  );
}

/** Throws where the authority of the collector can't be read. */
function telemetrySettings({ hostId, metrics, traces }: Config, version: string): TelemetrySettings {
  const scraped = metrics.listen === null ? undefined : parseListenAddress(metrics.listen);
  const { endpoint, headers, caFile, exportIntervalMs, exportTimeoutMs, queueSpansMax, sampleRatio } = traces;
  const spans = endpoint !== null && {
    endpoint,
    headers: Object.fromEntries((headers ?? []).map(parseHeader)),
    ca: caFile === null ? undefined : readFileSync(caFile),
    queueSpansMax,
    intervalMs: exportIntervalMs,
    timeoutMs: exportTimeoutMs,
    sampleRatio,
    hostId,
    version,
  };
  const port = scraped?.kind === 'tcp' ? { ...scraped, hostNames: metrics.hostNames } : undefined;
  const sent = metrics.endpoint !== null && {
    endpoint: metrics.endpoint,
    headers: Object.fromEntries((metrics.headers ?? []).map(parseHeader)),
    ca: metrics.caFile === null ? undefined : readFileSync(metrics.caFile),
    intervalMs: metrics.exportIntervalMs,
    timeoutMs: metrics.exportTimeoutMs,
    hostId,
    version,
  };
  return { metrics: port, metricsExport: sent || undefined, traces: spans || undefined };
}
