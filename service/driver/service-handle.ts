/**
 * The client handle of the Wi-Fi Direct service: opened, watched over, and opened anew with back-off when it is lost.
 *
 * Nothing reports that the WLAN service has stopped, so it is asked: by opening and closing a second handle, regularly and whenever an
 * answer puts it in doubt. A service that runs but refuses the host, by its rights or by policy, is no loss: the status tells of it
 * until a probe succeeds. Invariant: a lost handle is closed once and never used again.
 */
import { BehaviorSubject, distinctUntilChanged, type Observable } from 'rxjs';
import { WFD_API_VERSION, winerror } from '../../native/constants.js';
import type { LibraryNotAvailable } from '../../native/library.js';
import type { ClientHandle, Wlanapi } from '../../native/wlanapi.js';
import { within } from '../deadline.js';
import type { NativeOutcome } from '../session/session.js';
import type { DriverStatus } from './driver.js';
import type { NativeCalls } from './native-calls.js';
import { callOutcome, doubtsService, notAvailable, win32Code } from './win32-error.js';

/** How long `verifySoon` waits. */
const ANSWER_MS = 2000;

/** What of the driver's status is about the service. */
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
  readonly #lost: (outcome: NativeOutcome) => Promise<void>;
  readonly #statuses: BehaviorSubject<ServiceStatus>;
  #handle: ClientHandle | undefined;
  #opening: Promise<NativeOutcome> | undefined;
  #verifying: Promise<void> | undefined;
  #verifyingNext: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #backoffMs: number;
  #isClosed = false;
  #losses = 0;

  /** `lost` is called once for each handle that is lost, and resolves when no call uses it any more. */
  constructor(
    wlanapi: Wlanapi,
    calls: NativeCalls,
    settings: ServiceHandleSettings,
    lost: (outcome: NativeOutcome) => Promise<void>,
  ) {
    this.#wlanapi = wlanapi;
    this.#calls = calls;
    this.#settings = settings;
    this.#lost = lost;
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

  /** How many handles were lost. */
  get losses(): number {
    return this.#losses;
  }

  /** The open handle; undefined while there is none. */
  get current(): ClientHandle | undefined {
    return this.#handle;
  }

  /** Wi-Fi Direct can never be reached here: nothing is opened or asked. */
  disable(missing: LibraryNotAvailable): void {
    this.#isClosed = true;
    this.#statuses.next({ fault: notAvailable(missing), negotiatedVersion: 0 });
  }

  /** Opens the handle where there is none; attempts that come together share one call. */
  open(): Promise<NativeOutcome> {
    if (this.#handle !== undefined) return Promise.resolve(callOutcome('WFDOpenHandle', winerror.ERROR_SUCCESS));
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /**
   * Asks whether the service still answers; if not, the handle is lost. Who asks while a question is under way shares the next one,
   * as that one may be answered with what was so before. Where there is no handle it is opened: no question is about another one.
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

  /** The same, for those who can't wait: a service that takes its time is taken to live. */
  async verifySoon(): Promise<void> {
    await within(ANSWER_MS, this.verify()).catch(() => {});
  }

  /** Windows no longer knows the handle: forget it, and open another. */
  lose(outcome: NativeOutcome): void {
    const handle = this.#handle;
    if (handle === undefined) return;
    this.#handle = undefined;
    this.#losses += 1;
    this.#statuses.next({ fault: outcome.fault, negotiatedVersion: 0 });
    // It frees what the DLL keeps for us; what it answers no longer matters.
    this.#lost(outcome)
      .then(() => this.#calls.run('slow', 'WFDCloseHandle', () => this.#wlanapi.WFDCloseHandle(handle)))
      .catch(() => {});
    this.#schedule(doubtsService(outcome) ? this.#backoffMs : 0);
  }

  /** Closes the handle; resolves when Windows has let go of it. */
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
    const asked = this.#handle;
    const { outcome, handle, version } = await this.#openHandle();
    // Meanwhile the handle may have been lost otherwise, and replaced; then the answer is about no handle of ours.
    if (this.#handle === asked) this.#assess(outcome, version);
    if (handle === undefined) return;
    await this.#calls.run('end', 'WFDCloseHandle', () => this.#wlanapi.WFDCloseHandle(handle));
  }

  /**
   * What a probe says of the handle in use. A service that is too busy, or has no room for a second handle, says
   * nothing against it. One that refuses the host is told in the status, and the sessions are left alone: they may
   * well live on.
   */
  #assess(outcome: NativeOutcome, version: number): void {
    const { fault, result } = outcome;
    const isBusy = win32Code(result.code) === winerror.RPC_S_SERVER_TOO_BUSY;
    if (isBusy || fault?.reason === 'NATIVE_LIMIT_REACHED') return;
    if (doubtsService(outcome)) this.lose(outcome);
    else
      this.#statuses.next({ fault, negotiatedVersion: fault === undefined ? version : this.status.negotiatedVersion });
  }

  async #openHandle() {
    const opened = await this.#calls.run('end', 'WFDOpenHandle', () => this.#wlanapi.WFDOpenHandle(WFD_API_VERSION));
    const outcome = callOutcome('WFDOpenHandle', opened.code);
    const handle = outcome.fault === undefined ? opened.hClientHandle : undefined;
    return { outcome, handle, version: opened.dwNegotiatedVersion };
  }

  /** The next look at the service, with jitter so that the hosts of a fleet do not ask in step. */
  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    const look = async () => {
      const isAsked = await this.verify().then(
        () => true,
        () => false,
      );
      // Where there is no handle, the attempt to open one has set the next look.
      if (this.#handle !== undefined || !isAsked) this.#schedule(this.#settings.probeIntervalMs);
    };
    this.#timer = setTimeout(() => void look(), delayMs * (0.8 + 0.4 * Math.random()));
    this.#timer.unref();
  }
}

/** One failed attempt after another is no change. */
function isSameStatus(a: ServiceStatus, b: ServiceStatus): boolean {
  return a.fault?.message === b.fault?.message && a.negotiatedVersion === b.negotiatedVersion;
}
