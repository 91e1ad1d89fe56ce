/**
 * The rooms put together, and the order in which they start and stop.
 *
 * Stopping: health NOT_SERVING; no new sessions; opens are cancelled, sessions closed; streams end with HOST_STOPPING; the server ends;
 * native calls and callbacks come to rest; the client handle is closed; the last spans are sent. All within `shutdown.graceMs`, whatever
 * the DLL does.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { hostname } from 'node:os';
import { loadLibraries, type NativeLibraries, windowsLibraryPaths } from '../native/load.js';
import { openSimulatorControl, type SimulatorControl } from '../native/simulator-control.js';
import { Access, revoked } from './access/access.js';
import { Quota } from './access/quota.js';
import { parseHeader } from './config/collector.js';
import { chooseDriver } from './config/driver.js';
import { bindTarget, parseListenAddress } from './config/listen.js';
import type { Config } from './config/schema.js';
import type { DeviceEvent, DeviceEventDraft } from './device/device.js';
import { Devices } from './device/devices.js';
import { incomplete } from './driver/availability.js';
import { WlanDriver } from './driver/wlan-driver.js';
import { EventLog } from './events/log.js';
import { EventStream } from './events/stream.js';
import { descriptors } from './root.js';
import { hostStopping, Lifecycle } from './session/lifecycle.js';
import type { SessionEvent, SessionEventDraft } from './session/session.js';
import type { Log } from './telemetry/log.js';
import { Observers } from './telemetry/observer.js';
import { observingLog } from './telemetry/observing-log.js';
import type { Traces } from './telemetry/traces.js';
import { TlsCredentials } from './transport/credentials.js';
import { deviceService, deviceServiceDefinition } from './transport/device-service.js';
import type { Edge } from './transport/edge.js';
import { Gate } from './transport/gate.js';
import { DriverKind, HostServiceService } from './transport/gen/wifidirect/v1/host_service.js';
import { hostService } from './transport/host-service.js';
import { limitsOf } from './transport/limits.js';
import { Observing } from './transport/observing.js';
import { refusals } from './transport/refusals.js';
import { GatewayServer } from './transport/server.js';
import { OpenStreams } from './transport/server-stream.js';
import { sessionService, sessionServiceDefinition } from './transport/session-service.js';
import { simulatorService, simulatorServiceDefinition } from './transport/simulator-service.js';
import { Transit } from './transport/transit.js';

/** How long the start waits for Windows to answer before it serves all the same. */
const FIRST_ANSWER_MS = 300;
/** What is kept of the grace for the last steps, when sessions have taken the rest. */
const LAST_STEPS_MS = 1500;
/** What is kept for the end of the process itself. */
const EXIT_MS = 300;

const newEpoch = (): string => randomBytes(8).toString('hex');
const allIn = (library: string) => ({ wlanapi: library, iphlpapi: library, cfgmgr32: library });
type Parts = Readonly<{ observers: Observers; streams: OpenStreams; access: Access }>;

export class Daemon {
  readonly #config: Config;
  readonly #version: string;
  readonly #log: Log;
  readonly #native: NativeLibraries;
  readonly #driver: WlanDriver;
  readonly #lifecycle: Lifecycle;
  readonly #devices: Devices;
  readonly #streams: OpenStreams;
  readonly #observers: Observers;
  readonly #edge: Edge;
  #metrics: Server | undefined;
  #traces: Traces | undefined;
  readonly #access: Access;
  readonly #tls: TlsCredentials | undefined;
  readonly #server: GatewayServer;
  readonly #simulator: SimulatorControl | undefined;

  /** Throws where the configuration names a file that can't be used. */
  static async compose(config: Config, version: string, log: Log): Promise<Daemon> {
    const [observers, streams] = [new Observers(), new OpenStreams()];
    const endRevoked = () => streams.stop(revoked, (caller) => caller.isRevoked());
    const access = await Access.open(config.access, log, observers, endRevoked);
    return new Daemon(config, version, log, { observers, streams, access });
  }

  private constructor(config: Config, version: string, log: Log, { observers, streams, access }: Parts) {
    [this.#observers, this.#streams, this.#access] = [observers, streams, access];
    this.#config = config;
    this.#version = version;
    this.#log = log;
    const { driver, session, events, limits, keepalive } = config;
    const choice = chooseDriver(config, process.platform);
    const paths = choice.kind === 'wlanapi' ? windowsLibraryPaths() : allIn(choice.library);
    this.#native = loadLibraries(paths);
    this.#tellDriver(choice.kind, paths.wlanapi);
    this.#driver = new WlanDriver(this.#native, driver, this.#observers);
    const logLimits = { eventsMax: events.logEventsMax, ageMaxMs: events.logAgeMs };
    const sessionEvents = new EventStream<SessionEventDraft, SessionEvent>(new EventLog(newEpoch(), logLimits), {
      stamp: (draft, sequence, epoch) => ({ ...draft, sequence, epoch }),
      topicOf: (event) => event.session.id,
    });
    const deviceEvents = new EventStream<DeviceEventDraft, DeviceEvent>(new EventLog(newEpoch(), logLimits), {
      stamp: (draft, sequence, epoch) => ({ ...draft, sequence, epoch }),
      topicOf: (event) => event.change.device.address,
    });
    this.#lifecycle = new Lifecycle(this.#driver, sessionEvents, { ...session, ...limits });
    this.#devices = new Devices(this.#driver, deviceEvents);
    this.#observers.add(observingLog(log));
    sessionEvents.events.subscribe((event) => this.#observers.sessionChanged(event));

    this.#tls = config.tls.certFile === null ? undefined : new TlsCredentials(config.tls, log);
    const explain = refusals(limits.receiveMessageBytesMax, log);
    const { interceptor: observe, traceOf } = new Observing(this.#observers, explain);
    const transit = new Transit(limits);
    const calls = new Quota(
      { name: 'calls_max', max: limits.callsMax },
      { name: 'calls_per_principal_max', max: limits.callsPerPrincipalMax },
    );
    const gate = new Gate(this.#access, config.access.principalFrom, { calls, transit }, log, traceOf);
    const edge: Edge = {
      callerOf: gate.callerOf,
      traceOf,
      requests: new Quota(
        { name: 'requests_in_flight_max', max: limits.requestsInFlightMax },
        { name: 'requests_in_flight_per_principal_max', max: limits.requestsPerPrincipalMax },
      ),
      watchers: new Quota(
        { name: 'watchers_max', max: limits.watchersMax },
        { name: 'watchers_per_principal_max', max: limits.watchersPerPrincipalMax },
      ),
      transit,
      streams: this.#streams,
      observer: this.#observers,
      log,
    };
    this.#edge = edge;
    this.#server = new GatewayServer(
      { ...limits, keepaliveTimeMs: keepalive.timeMs, keepaliveTimeoutMs: keepalive.timeoutMs },
      [observe, gate.interceptor],
      (client, message) => this.#access.denials.connection(client, message),
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
      limits: limitsOf(config),
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
      hostService(edge, facts, this.#lifecycle, () => this.#driver.status),
    );
    this.#simulator = choice.kind === 'simulator' ? openSimulatorControl(choice.library) : undefined;
    if (this.#simulator !== undefined && driver.simulatorService) {
      this.#server.add(
        'wifidirect.simulator.v1.SimulatorService',
        simulatorServiceDefinition,
        simulatorService(edge, this.#simulator),
      );
    }
  }

  async start(): Promise<void> {
    await this.#startTraces();
    await this.#serveMetrics();
    const started = this.#driver.start();
    started.catch((error: unknown) => this.#log.error('driver-failed', 'The driver could not start.', { err: error }));
    await Promise.race([started, new Promise((resolve) => setTimeout(resolve, FIRST_ANSWER_MS))]);
    this.#driver.statuses.subscribe(({ fault }) => {
      this.#tellHealth();
      if (fault !== undefined) this.#log.warn('degraded', fault.message, { reason: fault.reason, ...fault.metadata });
      else this.#log.info('ready', 'Wi-Fi Direct can be reached.');
    });
    for (const address of this.#config.listen.map(parseListenAddress)) {
      await this.#server.bind(bindTarget(address), address.kind === 'tcp' ? this.#tls : undefined);
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
    this.#server.setServing(() => false);
    const drained = await this.#lifecycle.drain(left() - LAST_STEPS_MS);
    this.#streams.stop(hostStopping());
    await this.#server.stop(Math.min(left(), LAST_STEPS_MS / 2));
    this.#access.close();
    this.#tls?.close();
    const isQuiet = await this.#driver.close(left());
    this.#lifecycle.dispose();
    this.#devices.dispose();
    await this.#traces?.close(Math.min(left(), LAST_STEPS_MS / 2));
    this.#metrics?.close();
    this.#reportMisuse();
    const isClean = drained && isQuiet;
    const outcome = { sessionsEnded: drained, nativeQuiet: isQuiet };
    if (isClean) this.#log.info('stopped', 'All sessions have ended and Windows has let go.', outcome);
    else this.#log.error('stop-incomplete', 'Not everything ended in time; the process ends regardless.', outcome);
    return isClean;
  }

  /** All are for Wi-Fi Direct, so none serves without it; devices need what tells of them besides. */
  #tellHealth(): void {
    const isReached = this.#driver.status.fault === undefined;
    const hasDevices = this.#driver.whyNotDevices() === undefined;
    const isServing = isReached && !this.#lifecycle.isStopping;
    this.#server.setServing((service) => isServing && (service !== 'wifidirect.v1.DeviceService' || hasDevices));
  }

  /** Loaded only where spans are sent somewhere, for the same reason as the metrics. */
  async #startTraces(): Promise<void> {
    const { hostId, traces: settings } = this.#config;
    const { endpoint, headers, caFile, sampleRatio } = settings;
    if (endpoint === null) return;
    const { SpanExport } = await import('./telemetry/span-export.js');
    const { Traces } = await import('./telemetry/traces.js');
    const spans = new SpanExport(
      {
        endpoint,
        headers: Object.fromEntries((headers ?? []).map(parseHeader)),
        ca: caFile === null ? undefined : readFileSync(caFile),
        queueSpansMax: settings.queueSpansMax,
        intervalMs: settings.exportIntervalMs,
        timeoutMs: settings.exportTimeoutMs,
      },
      this.#log,
    );
    this.#traces = new Traces({ sampleRatio, hostId, version: this.#version }, spans);
    this.#observers.add(this.#traces);
    this.#log.info('traces-on', `Traces are sent to ${endpoint}.`, { endpoint, sampleRatio });
  }

  /** Loaded only where somebody scrapes: it is a tenth of the daemon's memory. */
  async #serveMetrics(): Promise<void> {
    const { listen } = this.#config.metrics;
    const address = listen === null ? undefined : parseListenAddress(listen);
    if (address?.kind !== 'tcp') return;
    const { Metrics } = await import('./telemetry/metrics.js');
    const { registry, events } = this.#lifecycle;
    const metrics = new Metrics({
      sessionsByState: () => registry.countByState(),
      watchers: () => this.#edge.watchers.total,
      openStreams: () => this.#streams.size,
      requestsInFlight: () => this.#edge.requests.total,
      nativeCallsInFlight: () => this.#driver.calls.inFlight,
      nativeCallsWaiting: () => this.#driver.calls.waiting,
      eventsWaitingMost: () => this.#streams.waitingMost,
      spansLost: () => this.#traces?.spansLost ?? 0,
      eventsLogged: () => events.log.newest - events.log.oldest,
      eventsTrimmed: () => events.log.oldest,
      isServing: () => this.#driver.status.fault === undefined && !this.#lifecycle.isStopping,
      misuse: () => Object.entries(this.#simulator?.misuse().counts ?? {}),
    });
    this.#observers.add(metrics);
    this.#metrics = await metrics.serve(address.host, address.port);
    const bound = this.#metrics.address();
    this.#log.info('metrics-serving', 'Metrics are served at /metrics.', { address: bound });
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
