/**
 * The life of the daemon: the order in which its parts start and stop.
 *
 * A stop sets health to NOT_SERVING and refuses new sessions. It cancels pending opens and closes
 * sessions. It ends streams with HOST_STOPPING, then the server. It waits for native calls and
 * callbacks, closes the client handle, and sends the last spans. All of this takes at most
 * `shutdown.graceMs`, whatever the DLL does.
 */
import { awakeClock } from './awake-clock.js';
import { addressFailure, readExcludedPorts } from './commands/start-failure.js';
import type { Composition } from './composition.js';
import { bindTarget, parseListenAddress } from './config/listen.js';
import { isDoneWithin, within } from './deadline.js';
import { hostStopping } from './fault.js';

/** How long a start waits for Windows to answer before it serves without an answer. */
const FIRST_ANSWER_MS = 300;
/** The part of the grace that is reserved for the last steps. */
const LAST_STEPS_MS = 1500;
/** The part of the grace that is reserved for the end of the process. */
const EXIT_MS = 300;

export class Daemon {
  readonly #parts: Composition;
  #starting: Promise<void> = Promise.resolve();
  #isStopping = false;
  #ignoreSleep = () => {};

  constructor(parts: Composition) {
    this.#parts = parts;
  }

  /**
   * If `stop` is called meanwhile, it resolves early and skips its remaining steps. Rejects, after
   * cleaning up, if the daemon can't serve.
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
    const { config, log, telemetry, tls, host, server, readings } = this.#parts;
    await servedAt(config.metrics.listen ?? '', () => telemetry.start(readings(() => this.#isStopping)));
    if (this.#isStopping) return;
    this.#ignoreSleep = awakeClock.onAwake((sleptMs) => {
      const sleptS = Math.round(sleptMs / 1000);
      log.info('resumed', `The process has stood still for ${sleptS} s; every link is looked at anew.`, {
        sleptS,
      });
      this.resume();
    });
    const started = host.driver.start();
    started.catch((error: unknown) => log.error('driver-failed', 'The driver could not start.', { err: error }));
    await within(FIRST_ANSWER_MS, started);
    let told: string | undefined | null = null;
    host.driver.statuses.subscribe(({ fault: serviceFault, devicesFault }) => {
      this.#updateHealth();
      const fault = serviceFault ?? devicesFault;
      if (fault?.message === told) return;
      told = fault?.message;
      if (fault !== undefined) log.warn('degraded', fault.message, { reason: fault.reason, ...fault.metadata });
      else log.info('ready', 'Wi-Fi Direct can be reached.');
    });
    for (const text of config.listen) {
      if (this.#isStopping) return;
      const address = parseListenAddress(text);
      const credentials = address.kind === 'tcp' ? tls : undefined;
      await servedAt(text, () => server.bind(bindTarget(address), credentials));
    }
    const addresses = server.addresses;
    log.info('serving', `Serving on ${addresses.join(', ')}.`, { addresses });
  }

  /**
   * The computer has slept, so earlier observations may be wrong: checks the service and every
   * link.
   */
  resume(): void {
    this.#parts.host.driver.resume();
  }

  /** Returns true if everything has ended in time. */
  async stop(): Promise<boolean> {
    const { config, log, telemetry, access, tls, host, sessions, calls, server } = this.#parts;
    const { lifecycle, devices, events, journal } = sessions;
    const deadlineMs = performance.now() + config.shutdown.graceMs - EXIT_MS;
    const left = () => Math.max(deadlineMs - performance.now(), 0);
    this.#isStopping = true;
    this.#ignoreSleep();
    server.setServing(() => false);
    await isDoneWithin(left() - LAST_STEPS_MS, this.#starting);
    const drained = await lifecycle.drain(left() - LAST_STEPS_MS);
    await isDoneWithin(left() - LAST_STEPS_MS, events.untilKept() ?? Promise.resolve());
    calls.streams.stopAll(hostStopping());
    await server.stop(Math.min(left(), LAST_STEPS_MS / 2));
    access.close();
    tls?.close();
    const isQuiet = await host.driver.close(left());
    lifecycle.dispose();
    devices.dispose();
    await isDoneWithin(left(), journal?.close() ?? Promise.resolve());
    await telemetry.close(Math.min(left(), LAST_STEPS_MS / 2));
    this.#reportMisuse();
    const isClean = drained && isQuiet;
    const outcome = { sessionsEnded: drained, nativeQuiet: isQuiet };
    if (isClean) log.info('stopped', 'Stopped cleanly.', outcome);
    else log.error('stop-incomplete', 'Not everything ended in time; the process ends regardless.', outcome);
    return isClean;
  }

  /** Every service needs Wi-Fi Direct; DeviceService also needs the API of device queries. */
  #updateHealth(): void {
    const { driver } = this.#parts.host;
    const isReached = driver.status.fault === undefined;
    const hasDevices = driver.whyNotDevices() === undefined;
    const isServing = isReached && !this.#isStopping;
    this.#parts.server.setServing((service) => isServing && (service !== 'wifidirect.v1.DeviceService' || hasDevices));
  }

  /** Reports, at the end, what the simulator counted, leaks included. */
  #reportMisuse(): void {
    const { host, log } = this.#parts;
    if (host.simulator === undefined || host.native.missing.length > 0) return;
    host.simulator.checkLeaks();
    const { counts, total } = host.simulator.misuse();
    const misuse = Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
    const write = total === 0 ? log.info : log.error;
    write('simulator-report', `The simulator counted ${total} misuses of the native API.`, { misuse });
  }
}

/** Runs `bind`. A failure is rejected with a sentence about the address. */
async function servedAt<T>(address: string, bind: () => Promise<T>): Promise<T> {
  try {
    return await bind();
  } catch (error) {
    if (address === '') throw error;
    throw await addressFailure(address, error, { platform: process.platform, excludedPorts: readExcludedPorts });
  }
}
