/**
 * The connection of this process to the service control manager: it reports states and receives
 * controls.
 *
 *     START_PENDING --running()--> RUNNING --stopPending()--> STOP_PENDING --stopped()--> STOPPED
 *           |                                                                               ^
 *           +------------------------------------- stopped() -------------------------------+
 *
 * Windows treats a process that exits before it reports STOPPED as crashed, and restarts it.
 *
 * Invariant: in a pending state the event loop reports a checkpoint every second, so that Windows
 * notices a daemon that hangs.
 */
import type { Advapi32, StatusHandle } from '../../native/advapi32.js';
import * as svc from '../../native/winsvc.js';

/** A control of the service control manager. */
export type Demand = 'stop' | 'shutdown' | 'suspend' | 'resume';

/** The functions of advapi32.dll that this needs. */
export type ServiceFunctions = Pick<
  Advapi32,
  'StartServiceCtrlDispatcherW' | 'RegisterServiceCtrlHandlerExW' | 'SetServiceStatus'
>;

const CHECKPOINT_MS = 1000;
/**
 * The promised time until the next checkpoint: ten times the interval, because a computer is busy
 * while it starts.
 */
const WAIT_HINT_MS = 10_000;

const ACCEPTED =
  svc.SERVICE_ACCEPT_STOP |
  svc.SERVICE_ACCEPT_SHUTDOWN |
  svc.SERVICE_ACCEPT_PRESHUTDOWN |
  svc.SERVICE_ACCEPT_POWEREVENT;

interface Connected {
  readonly advapi32: ServiceFunctions;
  readonly handle: StatusHandle;
  readonly released: Promise<void>;
  readonly args: readonly string[];
}

export class ServiceConnection {
  /** Resolves when the service control manager has disconnected, after STOPPED. */
  readonly released: Promise<void>;
  /** The start arguments: the service name, then arguments of the program that started it. */
  readonly args: readonly string[];
  readonly #advapi32: ServiceFunctions;
  readonly #handle: StatusHandle;
  readonly #checkpointMs: number;
  #timer: NodeJS.Timeout | undefined;
  #state = svc.SERVICE_START_PENDING;
  #checkpoint = 0;

  /**
   * Connects to the service control manager and reports START_PENDING. Returns undefined if Windows
   * did not start this process as that service. `onDemand` is called for each control, possibly
   * more than once for the same one.
   */
  static async open(
    advapi32: ServiceFunctions,
    name: string,
    onDemand: (demand: Demand) => void,
    checkpointMs = CHECKPOINT_MS,
  ): Promise<ServiceConnection | undefined> {
    let main = 0n;
    const started = new Promise<readonly string[]>((resolve) => {
      main = svc.serviceMainCallbacks.registerContext(resolve);
    });
    const dispatched = advapi32.StartServiceCtrlDispatcherW(name, main);
    const args = await Promise.race([started, dispatched.then(() => undefined)]);
    if (args === undefined) {
      svc.serviceMainCallbacks.forgetContext(main);
      return undefined;
    }
    const control = svc.handlerCallbacks.registerContext((event) => {
      const demand = demandOf(event);
      if (demand !== undefined) onDemand(demand);
    });
    const { code, hServiceStatus } = advapi32.RegisterServiceCtrlHandlerExW(name, control);
    if (code !== 0) return undefined;
    const released = dispatched.then(() => {
      svc.serviceMainCallbacks.forgetContext(main);
      svc.handlerCallbacks.forgetContext(control);
    });
    return new ServiceConnection({ advapi32, handle: hServiceStatus, released, args }, checkpointMs);
  }

  private constructor({ advapi32, handle, released, args }: Connected, checkpointMs: number) {
    this.#advapi32 = advapi32;
    this.#handle = handle;
    this.released = released;
    this.args = args;
    this.#checkpointMs = checkpointMs;
    this.#enter(svc.SERVICE_START_PENDING);
  }

  running(): void {
    this.#enter(svc.SERVICE_RUNNING);
  }

  stopPending(): void {
    this.#enter(svc.SERVICE_STOP_PENDING);
  }

  /**
   * The last report, with an exit code of wfdd. Any code except 0 is a failure, and Windows
   * restarts the service.
   */
  stopped(exitCode: number): void {
    this.#enter(svc.SERVICE_STOPPED, exitCode);
  }

  #enter(state: number, exitCode = 0): void {
    clearInterval(this.#timer);
    this.#state = state;
    this.#checkpoint = 0;
    this.#report(exitCode);
    if (this.#isPending) this.#timer = setInterval(() => this.#report(0), this.#checkpointMs);
  }

  get #isPending(): boolean {
    return this.#state === svc.SERVICE_START_PENDING || this.#state === svc.SERVICE_STOP_PENDING;
  }

  #report(exitCode: number): void {
    if (this.#isPending) this.#checkpoint += 1;
    this.#advapi32.SetServiceStatus(this.#handle, {
      dwServiceType: svc.SERVICE_WIN32_OWN_PROCESS,
      dwCurrentState: this.#state,
      dwControlsAccepted: this.#state === svc.SERVICE_RUNNING ? ACCEPTED : 0,
      dwWin32ExitCode: exitCode === 0 ? 0 : svc.ERROR_SERVICE_SPECIFIC_ERROR,
      dwServiceSpecificExitCode: exitCode,
      dwCheckPoint: this.#checkpoint,
      dwWaitHint: this.#isPending ? WAIT_HINT_MS : 0,
    });
  }
}

/** INTERROGATE needs no action: the service control manager knows the last report. */
function demandOf({ dwControl, dwEventType }: svc.ServiceControl): Demand | undefined {
  switch (dwControl) {
    case svc.SERVICE_CONTROL_STOP:
      return 'stop';
    case svc.SERVICE_CONTROL_SHUTDOWN:
    case svc.SERVICE_CONTROL_PRESHUTDOWN:
      return 'shutdown';
    case svc.SERVICE_CONTROL_POWEREVENT:
      if (dwEventType === svc.PBT_APMSUSPEND) return 'suspend';
      return dwEventType === svc.PBT_APMRESUMEAUTOMATIC ? 'resume' : undefined;
    default:
      return undefined;
  }
}
