/**
 * The client handle of the Wi-Fi Direct service. It is opened, checked by probes, and opened again
 * with back-off after it has become invalid.
 *
 * Windows does not report that the WLAN service has stopped. A probe finds out: it opens and closes
 * a second handle (D-69). Probes run regularly, and whenever a result suggests that the service is
 * down. If the service runs but refuses this host, by access rights or by policy, the handle stays
 * valid; the status has the fault until a probe succeeds.
 *
 * Invariant: an invalid handle is closed once and never used again.
 */
import { BehaviorSubject, distinctUntilChanged, type Observable } from 'rxjs';
import { WFD_API_VERSION, winerror } from '../../native/constants.js';
import type { LibraryNotAvailable } from '../../native/library.js';
import type { ClientHandle, Wlanapi } from '../../native/wlanapi.js';
import { within } from '../deadline.js';
import type { NativeOutcome } from '../session/session.js';
import type { DriverStatus } from './driver.js';
import type { NativeCalls } from './native-calls.js';
import { callOutcome, notAvailable, suggestsServiceDown, win32Code } from './win32-error.js';

/** How long `verifySoon` waits for the probe. */
const ANSWER_MS = 2000;

/** The part of the driver's status that is about the service. */
export type ServiceStatus = Omit<DriverStatus, 'devicesFault'>;

export interface ServiceHandleSettings {
  readonly probeIntervalMs: number;
  readonly reopenBackoffMinMs: number;
  readonly reopenBackoffMaxMs: number;
}

export class ServiceHandle {
  readonly #wlanapi: Wlanapi;
  readonly #calls: NativeCalls;
  readonly #settings: ServiceHandleSettings;
  readonly #onHandleLost: (outcome: NativeOutcome) => Promise<void>;
  readonly #statuses: BehaviorSubject<ServiceStatus>;
  #handle: ClientHandle | undefined;
  #opening: Promise<NativeOutcome> | undefined;
  #verifying: Promise<void> | undefined;
  #verifyingNext: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #backoffMs: number;
  #isClosed = false;
  #losses = 0;

  /**
   * `onHandleLost` is called once for each handle that becomes invalid. It resolves when no call
   * uses the handle any more.
   */
  constructor(
    wlanapi: Wlanapi,
    calls: NativeCalls,
    settings: ServiceHandleSettings,
    onHandleLost: (outcome: NativeOutcome) => Promise<void>,
  ) {
    this.#wlanapi = wlanapi;
    this.#calls = calls;
    this.#settings = settings;
    this.#onHandleLost = onHandleLost;
    this.#backoffMs = settings.reopenBackoffMinMs;
    const fault = callOutcome('WFDOpenHandle', winerror.ERROR_SERVICE_NOT_ACTIVE).fault;
    this.#statuses = new BehaviorSubject<ServiceStatus>({ fault, negotiatedVersion: 0 });
  }

  get statuses(): Observable<ServiceStatus> {
    return this.#statuses.pipe(distinctUntilChanged(isSameStatus));
  }

  get status(): ServiceStatus {
    return this.#statuses.value;
  }

  /** How many handles have become invalid. */
  get losses(): number {
    return this.#losses;
  }

  /** The open handle; undefined if there is none. */
  get current(): ClientHandle | undefined {
    return this.#handle;
  }

  /** This host has no Wi-Fi Direct: no handle is opened, and no probe runs. */
  disable(missing: LibraryNotAvailable): void {
    this.#isClosed = true;
    this.#statuses.next({ fault: notAvailable(missing), negotiatedVersion: 0 });
  }

  /** Opens the handle if there is none. Concurrent callers share one native call. */
  open(): Promise<NativeOutcome> {
    if (this.#handle !== undefined) return Promise.resolve(callOutcome('WFDOpenHandle', winerror.ERROR_SUCCESS));
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /**
   * Probes the service, and invalidates the handle if the service does not answer. Callers that
   * arrive during a probe share the *next* probe: the running one may report an older state. If
   * there is no handle, it is opened instead.
   */
  verify(): Promise<void> {
    if (this.#handle === undefined) return this.open().then(() => {});
    if (this.#verifying === undefined) {
      this.#verifying = this.#verify().finally(() => {
        this.#verifying = undefined;
      });
      return this.#verifying;
    }
    this.#verifyingNext ??= this.#verifying
      .catch(() => {})
      .then(() => {
        this.#verifyingNext = undefined;
        return this.#handle === undefined ? undefined : this.verify();
      });
    return this.#verifyingNext;
  }

  /** Like `verify`, with a time limit. A service that answers slowly counts as running. */
  async verifySoon(): Promise<void> {
    await within(ANSWER_MS, this.verify()).catch(() => {});
  }

  /** Windows no longer knows the handle: forgets it, and opens another. */
  invalidate(outcome: NativeOutcome): void {
    const handle = this.#handle;
    if (handle === undefined) return;
    this.#handle = undefined;
    this.#losses += 1;
    this.#statuses.next({ fault: outcome.fault, negotiatedVersion: 0 });
    // This frees what the DLL keeps for the handle. Its result does not matter.
    this.#onHandleLost(outcome)
      .then(() => this.#calls.run('slow', 'WFDCloseHandle', () => this.#wlanapi.WFDCloseHandle(handle)))
      .catch(() => {});
    this.#schedule(suggestsServiceDown(outcome) ? this.#backoffMs : 0);
  }

  /** Closes the handle; resolves when Windows has closed it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#verifying;
    await this.#opening;
    const handle = this.#handle;
    this.#handle = undefined;
    if (handle !== undefined) {
      await this.#calls.run('slow', 'WFDCloseHandle', () => this.#wlanapi.WFDCloseHandle(handle));
    }
  }

  async #open(): Promise<NativeOutcome> {
    const { outcome, handle, version } = await this.#openHandle();
    if (handle !== undefined && this.#isClosed) {
      await this.#calls.run('slow', 'WFDCloseHandle', () => this.#wlanapi.WFDCloseHandle(handle));
      return outcome;
    }
    this.#handle = handle;
    const { reopenBackoffMinMs, reopenBackoffMaxMs, probeIntervalMs } = this.#settings;
    if (handle === undefined) {
      this.#statuses.next({ fault: outcome.fault, negotiatedVersion: 0 });
      this.#schedule(this.#backoffMs);
      this.#backoffMs = Math.min(this.#backoffMs * 2, reopenBackoffMaxMs);
    } else {
      this.#statuses.next({ fault: undefined, negotiatedVersion: version });
      this.#backoffMs = reopenBackoffMinMs;
      this.#schedule(probeIntervalMs);
    }
    return outcome;
  }

  async #verify(): Promise<void> {
    const probed = this.#handle;
    const { outcome, handle, version } = await this.#openHandle();
    // If the handle was replaced meanwhile, the result says nothing about the new one.
    if (this.#handle === probed) this.#applyProbe(outcome, version);
    if (handle === undefined) return;
    await this.#calls.run('end', 'WFDCloseHandle', () => this.#wlanapi.WFDCloseHandle(handle));
  }

  /**
   * Applies the result of a probe. A service that is too busy, or has no room for a second handle,
   * is running, so nothing changes. If the service refuses this host, only the status changes: open
   * sessions may still work.
   */
  #applyProbe(outcome: NativeOutcome, version: number): void {
    const { fault, result } = outcome;
    const isBusy = win32Code(result.code) === winerror.RPC_S_SERVER_TOO_BUSY;
    if (isBusy || fault?.reason === 'NATIVE_LIMIT_REACHED') return;
    if (suggestsServiceDown(outcome)) this.invalidate(outcome);
    else
      this.#statuses.next({ fault, negotiatedVersion: fault === undefined ? version : this.status.negotiatedVersion });
  }

  async #openHandle() {
    const opened = await this.#calls.run('end', 'WFDOpenHandle', () => this.#wlanapi.WFDOpenHandle(WFD_API_VERSION));
    const outcome = callOutcome('WFDOpenHandle', opened.code);
    const handle = outcome.fault === undefined ? opened.hClientHandle : undefined;
    return { outcome, handle, version: opened.dwNegotiatedVersion };
  }

  /** Schedules the next probe. Jitter keeps the hosts of a fleet from probing at the same time. */
  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    const probe = async () => {
      const hasRun = await this.verify().then(
        () => true,
        () => false,
      );
      // If there is no handle, the attempt to open one has scheduled the next probe.
      if (this.#handle !== undefined || !hasRun) this.#schedule(this.#settings.probeIntervalMs);
    };
    this.#timer = setTimeout(() => void probe(), delayMs * (0.8 + 0.4 * Math.random()));
    this.#timer.unref();
  }
}

/** A failed attempt that follows a failed attempt is not a change. */
function isSameStatus(a: ServiceStatus, b: ServiceStatus): boolean {
  return a.fault?.message === b.fault?.message && a.negotiatedVersion === b.negotiatedVersion;
}
