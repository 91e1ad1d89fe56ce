/**
 * Composes the rooms: one function for each part. Nothing here starts anything that has to be
 * stopped, except readers of configured files.
 */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { openContexts } from '../native/callbacks.js';
import { loadLibraries, type NativeLibraries, windowsLibraryPaths } from '../native/load.js';
import { openSimulatorControl, type SimulatorControl } from '../native/simulator-control.js';
import { DriverKind } from '../proto/gen/wifidirect/v1/host_service.js';
import { Access, revoked } from './access/access.js';
import { permissions } from './access/permissions.js';
import { PrincipalRates } from './access/principal-rates.js';
import { Quota } from './access/quota.js';
import type { CallServices } from './api/call-services.js';
import { deviceService } from './api/device-service.js';
import { type HostFacts, hostService } from './api/host-service.js';
import { InFlightBytes } from './api/in-flight-bytes.js';
import type { Service } from './api/method.js';
import { OpenStreams } from './api/open-streams.js';
import { sessionService } from './api/session-service.js';
import { deviceEventKind, sessionEventKind } from './codec/event-kinds.js';
import { limitFigures, limitsOf } from './codec/limits.js';
import { EXIT } from './commands/command-line.js';
import { StartFailure } from './commands/start-failure.js';
import { parseHeader } from './config/collector.js';
import { chooseDriver } from './config/driver.js';
import { parseListenAddress } from './config/listen.js';
import { limitsWithin, openFilesMax } from './config/open-files.js';
import type { Config } from './config/schema.js';
import { Devices } from './device/devices.js';
import { incomplete } from './driver/availability.js';
import { WlanDriver } from './driver/wlan-driver.js';
import { EventLog, type Logged, type LogLimits } from './events/log.js';
import { type EventKind, EventStream } from './events/stream.js';
import type { Fault } from './fault.js';
import { UnusableFiles } from './files/watched-files.js';
import { Connections } from './grpc/connections.js';
import { TlsCredentials } from './grpc/credentials.js';
import { Gate } from './grpc/gate.js';
import { InFlightMessages } from './grpc/in-flight-messages.js';
import { Observing } from './grpc/observing.js';
import { Peers } from './grpc/peers.js';
import { refusals } from './grpc/refusals.js';
import { GatewayServer } from './grpc/server.js';
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
import { simulatorService } from './simulator/service.js';
import type { Log } from './telemetry/log.js';
import type { Logs } from './telemetry/logs.js';
import type { Readings } from './telemetry/metrics.js';
import { Telemetry, type TelemetrySettings } from './telemetry/telemetry.js';

/** How many superseded renewals are kept for watches that are slightly behind. */
const SUPERSEDED_EVENTS_MAX = 1000;

/** The parts of a daemon. */
export interface Composition {
  readonly config: Config;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly access: Access;
  readonly tls: TlsCredentials | undefined;
  readonly host: HostDriver;
  readonly sessions: Sessions;
  readonly calls: CallServices;
  /** The contract, which any wire can serve. */
  readonly services: readonly Service[];
  readonly server: GatewayServer;
  /** The values for metrics. The daemon provides `isStopping`. */
  readonly readings: (isStopping: () => boolean) => Omit<Readings, 'spansLost'>;
}

/**
 * Throws a StartFailure if the configuration names a file that can't be used. Without `logs` the
 * audit goes to `log`.
 */
export async function compose(
  config: Config,
  version: string,
  log: Log,
  logs: Pick<Logs, 'audit' | 'dropped'> = { audit: log, dropped: () => [['log', 0]] },
): Promise<Composition> {
  try {
    return await composeParts(config, version, log, logs);
  } catch (error) {
    const isOfConfig = error instanceof UnusableFiles || error instanceof JournalUnusable;
    throw isOfConfig ? new StartFailure(error.message, EXIT.config) : error;
  }
}

async function composeParts(
  config: Config,
  version: string,
  log: Log,
  logs: Pick<Logs, 'audit' | 'dropped'>,
): Promise<Composition> {
  const telemetry = new Telemetry(telemetrySettings(config, version), log);
  const { observers } = telemetry;
  const streams = new OpenStreams();
  let peers: Peers | undefined;
  const endRevoked = () => {
    streams.stop(revoked, (caller) => caller.isRevoked());
    peers?.closeLost();
  };
  const reloads = { changed: endRevoked, onReloadFailed: (what: string) => observers.onReloadFailed(what) };
  const tls = config.tls.certFile === null ? undefined : new TlsCredentials(config.tls, log, reloads);
  peers = new Peers(config.access.principalFrom, tls);
  const access = await Access.open(config.access, log, observers, endRevoked, logs.audit);
  const opened = await openJournal(config);

  const limits = limitsWithin(config.limits, openFilesMax(process.platform));
  const host = composeDriver(config, log, observers);
  const sessions = composeSessions(config, limits, host.driver, opened, log);
  sessions.events.events.subscribe((event) => observers.onSessionChanged(event));
  const calls = composeCalls(limits, { access, streams, observer: observers, log });
  const facts = factsOf(config, version, limits, host, opened);
  const services = composeServices(config, calls, host, sessions, facts);
  const { server, connections } = composeServer(config, limits, calls, services, peers);
  const readings = (isStopping: () => boolean) => ({
    ...readingsOf(host, sessions, calls, isStopping),
    connections: () => connections.total,
    certificateExpireTimeMs: () => tls?.expireTimeMs,
    build: { version, node: process.version, driver: host.kind },
    limits: limitFigures(facts.limits),
    logLinesDropped: () => logs.dropped(),
  });
  return { config, log, telemetry, access, tls, host, sessions, calls, services, server, readings };
}

/** The Windows libraries or the simulator, and the driver on top of them. */
interface HostDriver {
  readonly kind: 'wlanapi' | 'simulator';
  readonly native: NativeLibraries;
  readonly libraryPath: string;
  readonly driver: WlanDriver;
  readonly simulator: SimulatorControl | undefined;
}

function composeDriver(config: Config, log: Log, observers: Telemetry['observers']): HostDriver {
  const choice = chooseDriver(config, process.platform);
  const paths = choice.kind === 'wlanapi' ? windowsLibraryPaths() : allIn(choice.library);
  const native = loadLibraries(paths);
  if (choice.kind === 'simulator') {
    log.warn('simulated', 'The devices of this host are simulated: no radio is used.', { library: paths.wlanapi });
  }
  const fault = incomplete(native.missing);
  if (fault !== undefined) log.error('library-incomplete', fault.message, { ...fault.metadata });
  const simulator = choice.kind === 'simulator' ? openSimulatorControl(choice.library) : undefined;
  const driver = new WlanDriver(native, config.driver, observers);
  return { kind: choice.kind, native, libraryPath: paths.wlanapi, driver, simulator };
}

function allIn(library: string) {
  return { wlanapi: library, iphlpapi: library, cfgmgr32: library };
}

/** Sessions and devices, their events, and the journal that keeps them. */
export interface Sessions {
  readonly lifecycle: Lifecycle;
  readonly devices: Devices;
  readonly events: SessionStream;
  readonly journal: SessionJournal | undefined;
  /** Why the journal is not kept, if one is configured. */
  readonly journalFault: () => Fault | undefined;
}

function composeSessions(
  { events, session }: Config,
  limits: Config['limits'],
  driver: WlanDriver,
  opened: OpenedJournal | undefined,
  log: Log,
): Sessions {
  const logLimits = {
    eventsMax: events.logEventsMax,
    bytesMax: events.logBytesMax,
    ageMaxMs: events.logAgeMs,
    supersededMax: SUPERSEDED_EVENTS_MAX,
  };
  const sessionEvents = newStream(sessionEventKind(), logLimits, opened?.restored.epoch);
  const deviceEvents = newStream(deviceEventKind(), logLimits);
  const lifecycle = new Lifecycle(driver, sessionEvents, { ...session, ...limits });
  const devices = new Devices(driver, deviceEvents);
  let fault: Fault | undefined;
  const onJournalState = (error: Error | undefined) => {
    fault = error && journalFault(error);
    if (fault === undefined) log.info('journal-recovered', 'The journal is kept again.');
    else log.error('journal-failed', fault.message, { err: error });
  };
  const journal = opened && beginJournal(opened, sessionEvents, lifecycle, onJournalState, log);
  return { lifecycle, devices, events: sessionEvents, journal, journalFault: () => fault };
}

/** Restores what the previous life has left, and starts to record this one. */
function beginJournal(
  opened: OpenedJournal,
  events: SessionStream,
  lifecycle: Lifecycle,
  onState: (error: Error | undefined) => void,
  log: Log,
): SessionJournal {
  const { previousEnd, newEpochBecause, sessions } = opened.restored;
  if (newEpochBecause !== undefined) {
    const message = `A new epoch begins, and cursors of the old one have expired: ${newEpochBecause}.`;
    log.warn('journal-new-epoch', message, { folder: opened.settings.folder });
  }
  if (previousEnd === 'CRASHED') {
    const message = 'The daemon did not stop cleanly the last time; sessions that were live then are LOST.';
    log.warn('previous-end', message, { sessions: sessions.size });
  }
  restoreLog(events, opened.restored);
  restoreSessions(lifecycle, opened.restored);
  return new SessionJournal(events, lifecycle, opened, onState);
}

function journalFault({ message }: Error): Fault {
  return {
    reason: 'INTERNAL',
    message: `The journal can't be written (${message}): events are kept in memory, under a new epoch.`,
  };
}

function composeCalls(
  limits: Config['limits'],
  parts: Pick<CallServices, 'access' | 'streams' | 'observer' | 'log'>,
): CallServices {
  const quota = (name: string, max: number, perPrincipal: string, perPrincipalMax: number) =>
    new Quota({ name, max }, { name: perPrincipal, max: perPrincipalMax });
  return {
    ...parts,
    calls: quota('calls_max', limits.callsMax, 'calls_per_principal_max', limits.callsPerPrincipalMax),
    requests: quota(
      'requests_in_flight_max',
      limits.requestsInFlightMax,
      'requests_in_flight_per_principal_max',
      limits.requestsPerPrincipalMax,
    ),
    watchers: quota('watchers_max', limits.watchersMax, 'watchers_per_principal_max', limits.watchersPerPrincipalMax),
    watchedIds: quota(
      'watched_ids_max',
      limits.watchedIdsMax,
      'watched_ids_per_principal_max',
      limits.watchedIdsPerPrincipalMax,
    ),
    rates: {
      changes: new PrincipalRates('changes_per_second_per_principal', limits.changesPerSecondPerPrincipalMax),
      watches: new PrincipalRates('watches_per_second_per_principal', limits.watchesPerSecondPerPrincipalMax),
    },
    inFlight: new InFlightBytes(limits),
  };
}

function factsOf(
  config: Config,
  version: string,
  limits: Config['limits'],
  { kind, native, libraryPath, driver }: HostDriver,
  opened: OpenedJournal | undefined,
): HostFacts {
  return {
    hostId: config.hostId,
    hostname: hostname(),
    serviceVersion: version,
    driverKind: kind === 'wlanapi' ? DriverKind.WLANAPI : DriverKind.SIMULATOR,
    libraryPath,
    missing: native.missing.map(({ library, function: name }) => ({ library, function: name ?? '' })),
    incomplete: incomplete(native.missing),
    evidenceKinds: driver.evidenceKinds,
    limits: limitsOf({ ...config, limits }),
    startTime: new Date(),
    previousEnd: opened?.restored.previousEnd ?? 'UNKNOWN',
    labels: config.labels,
  };
}

function composeServices(
  { session, events, driver: { simulatorService: isSimulatorServed } }: Config,
  calls: CallServices,
  { driver, simulator }: HostDriver,
  { lifecycle, devices, journal, journalFault }: Sessions,
  facts: HostFacts,
): Service[] {
  const readings = () => ({
    driver: driver.status,
    durability: journal?.isKeeping ? journal.durability : ('MEMORY' as const),
    journalFault: journalFault(),
  });
  return [
    sessionService(calls, lifecycle, { ...session, watch: events }),
    deviceService(calls, devices, events),
    hostService(facts, lifecycle, readings),
    ...(simulator !== undefined && isSimulatorServed ? [simulatorService(simulator)] : []),
  ];
}

function composeServer(
  config: Config,
  limits: Config['limits'],
  calls: CallServices,
  services: readonly Service[],
  peers: Peers,
): { server: GatewayServer; connections: Connections } {
  const { access, observer, log } = calls;
  const { interceptor: observe, traceOf } = new Observing(observer, refusals(limits.receiveMessageBytesMax, log));
  const refuseConnection = (client: string, message: string) => access.denials.connection(client, message);
  const connections = new Connections(limits, refuseConnection);
  const inFlight = new InFlightMessages(calls.inFlight);
  const gate = new Gate(calls, peers, inFlight, connections, traceOf);
  const { keepalive, socketMode } = config;
  const server = new GatewayServer(
    {
      ...limits,
      keepaliveTimeMs: keepalive.timeMs,
      keepaliveTimeoutMs: keepalive.timeoutMs,
      socketMode: Number.parseInt(socketMode, 8),
    },
    connections,
    [observe, gate.interceptor],
    {
      connection: refuseConnection,
      unserved: () => observer.onDenied('unserved', 'UNIMPLEMENTED'),
      recognize: (stream, headers) => gate.recognize(stream, headers),
    },
    peers,
  );
  const interceptors = { gate, inFlight };
  server.addHealth(calls, interceptors, config.events.watcherGraceMs);
  server.addReflection(descriptors, calls, interceptors);
  for (const service of services) server.add(service, calls, interceptors);
  return { server, connections };
}

function readingsOf(
  { native, driver, simulator }: HostDriver,
  { lifecycle, events, journal }: Sessions,
  { watchers, watchedIds, requests, calls, streams, inFlight }: CallServices,
  isStopping: () => boolean,
) {
  return {
    sessionsByState: () => lifecycle.registry.countByState(),
    watchers: () => watchers.total,
    openStreams: () => streams.size,
    watchedIds: () => watchedIds.total,
    sessionsFollowed: () => events.followed,
    callbackContexts: openContexts,
    requestsInFlight: () => requests.total,
    callsInFlight: () => calls.total,
    bytesInTransit: () => inFlight.total,
    nativeCallsInFlight: () => driver.calls.inFlight,
    nativeCallsWaiting: () => driver.calls.waiting,
    eventsWaitingMost: () => streams.waitingMost,
    eventsLogged: () => events.log.size,
    eventsTrimmed: () => events.log.trimmed,
    isServing: () => driver.status.fault === undefined && !isStopping(),
    degradation: () => (driver.status.fault ?? driver.status.devicesFault)?.reason,
    handlesLost: () => driver.handlesLost,
    rpcs: Object.keys(permissions),
    nativeFunctions: [native.wlanapi, native.iphlpapi, native.cfgmgr32].flatMap(Object.keys),
    journal: () => journal?.status,
    misuse: () => Object.entries(simulator?.misuse().counts ?? {}),
  };
}

function newStream<D, E, R extends Logged>(
  kind: EventKind<D, E, R>,
  limits: LogLimits,
  epoch = newEpoch(),
): EventStream<D, E, R> {
  return new EventStream(new EventLog(epoch, limits, kind), kind);
}

/** Undefined if no journal is configured. Throws JournalUnusable. */
async function openJournal({ journal, events }: Config): Promise<OpenedJournal | undefined> {
  const { folder, durability, bytesMax, ageMs } = journal;
  if (folder === null) return undefined;
  return openSessionJournal(
    { folder, durability: durability === 'disk' ? 'DISK' : 'PROCESS', bytesMax, ageMaxMs: ageMs },
    { eventsMax: events.logEventsMax, sinceMs: Date.now() - events.logAgeMs },
  );
}

/** Throws if the CA file of the collector can't be read. */
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
