/**
 * Controls Windows services through the service control manager, one service at a time, by name.
 *
 * Invariant: every handle is closed after use. A handle that stays open keeps a deleted service
 * "marked for deletion" for everyone until Windows restarts.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Advapi32, ManagerHandle, ServiceConfig, ServiceHandle } from '../../native/advapi32.js';
import * as svc from '../../native/winsvc.js';
import { ServiceError } from './service-error.js';

const STATES = {
  [svc.SERVICE_STOPPED]: 'stopped',
  [svc.SERVICE_START_PENDING]: 'starting',
  [svc.SERVICE_STOP_PENDING]: 'stopping',
  [svc.SERVICE_RUNNING]: 'running',
  [svc.SERVICE_CONTINUE_PENDING]: 'continuing',
  [svc.SERVICE_PAUSE_PENDING]: 'pausing',
  [svc.SERVICE_PAUSED]: 'paused',
} as const;

type ServiceState = (typeof STATES)[keyof typeof STATES];

export interface ServiceSight {
  readonly state: ServiceState;
  /** Undefined if no process is running. */
  readonly processId: number | undefined;
  /**
   * Why the service stopped: 0 or a Win32 code. With 1066, `serviceExitCode` is an exit code of
   * wfdd.
   */
  readonly exitCode: number;
  readonly serviceExitCode: number;
  /** In a pending state, increases at least every `waitHintMs` while the service makes progress. */
  readonly checkPoint: number;
  readonly waitHintMs: number;
}

/** The access that is needed. `look` needs no elevation. */
export type Purpose = 'look' | 'start' | 'stop' | 'change';

const LOOK = svc.SERVICE_QUERY_STATUS | svc.SERVICE_QUERY_CONFIG;
const ACCESS: Readonly<Record<Purpose, number>> = {
  look: LOOK,
  start: LOOK | svc.SERVICE_START,
  stop: LOOK | svc.SERVICE_STOP,
  // Setting restart on failure requires the right to start the service.
  change: LOOK | svc.SERVICE_CHANGE_CONFIG | svc.SERVICE_START | svc.DELETE,
};

/** How often a pending state is polled. */
const POLL_MS = 250;
/** A pending service without progress for this much longer than its wait hint has hung. */
const PATIENCE_MS = 10_000;

export class Services {
  readonly #advapi32: Advapi32;

  constructor(advapi32: Advapi32) {
    this.#advapi32 = advapi32;
  }

  /** Opens the service while `use` runs; undefined if it is not installed. */
  async find<T>(name: string, purpose: Purpose, use: (service: Service) => Promise<T>): Promise<T | undefined> {
    return this.#withManager(svc.SC_MANAGER_CONNECT, async (manager) => {
      const { code, hService } = await this.#advapi32.OpenServiceW(manager, name, ACCESS[purpose]);
      if (code === svc.ERROR_SERVICE_DOES_NOT_EXIST) return undefined;
      check('OpenServiceW', code);
      return this.#with(hService, () => use(new Service(this.#advapi32, hService)));
    });
  }

  /**
   * Creates the service and opens it while `use` runs. If `use` fails, the service is deleted
   * again.
   */
  async create(name: string, config: ServiceConfig, use: (service: Service) => Promise<void>): Promise<void> {
    await this.#withManager(svc.SC_MANAGER_CREATE_SERVICE, async (manager) => {
      const { code, hService } = await this.#advapi32.CreateServiceW(manager, name, ACCESS.change, config);
      check('CreateServiceW', code);
      const service = new Service(this.#advapi32, hService);
      await this.#with(hService, async () => {
        try {
          await use(service);
        } catch (error) {
          await service.delete().catch(() => {});
          throw error;
        }
      });
    });
  }

  async #withManager<T>(access: number, use: (manager: ManagerHandle) => Promise<T>): Promise<T> {
    const { code, hSCManager } = await this.#advapi32.OpenSCManagerW(access);
    check('OpenSCManagerW', code);
    return this.#with(hSCManager, () => use(hSCManager));
  }

  async #with<T>(handle: ManagerHandle | ServiceHandle, use: () => Promise<T>): Promise<T> {
    try {
      return await use();
    } finally {
      await this.#advapi32.CloseServiceHandle(handle);
    }
  }
}

/** An open service. Methods throw a ServiceError if Windows reports an error. */
export class Service {
  readonly #advapi32: Advapi32;
  readonly #handle: ServiceHandle;

  constructor(advapi32: Advapi32, handle: ServiceHandle) {
    this.#advapi32 = advapi32;
    this.#handle = handle;
  }

  async look(): Promise<ServiceSight> {
    const { code, status } = await this.#advapi32.QueryServiceStatusEx(this.#handle);
    check('QueryServiceStatusEx', code);
    return {
      state: STATES[status.dwCurrentState as keyof typeof STATES],
      processId: status.dwProcessId || undefined,
      exitCode: status.dwWin32ExitCode,
      serviceExitCode: status.dwServiceSpecificExitCode,
      checkPoint: status.dwCheckPoint,
      waitHintMs: status.dwWaitHint,
    };
  }

  /** The command line, the account, and whether the service starts with Windows. */
  async settings(): Promise<{ command: string; account: string; isAutomatic: boolean; startType: number }> {
    const answer = await this.#advapi32.QueryServiceConfigW(this.#handle);
    check('QueryServiceConfigW', answer.code);
    const { lpBinaryPathName, lpServiceStartName, dwStartType } = answer;
    return {
      command: lpBinaryPathName,
      account: lpServiceStartName,
      isAutomatic: dwStartType === svc.SERVICE_AUTO_START,
      startType: dwStartType,
    };
  }

  async change(config: ServiceConfig): Promise<void> {
    check('ChangeServiceConfigW', (await this.#advapi32.ChangeServiceConfigW(this.#handle, config)).code);
  }

  /** Returns false if this version of Windows does not have the setting. */
  async changeInfo(level: number, info: Readonly<Record<string, unknown>>): Promise<boolean> {
    const { code } = await this.#advapi32.ChangeServiceConfig2W(this.#handle, level, info);
    if (code === svc.ERROR_INVALID_LEVEL) return false;
    check('ChangeServiceConfig2W', code);
    return true;
  }

  /**
   * The first number of a setting of changeInfo(); undefined if this version of Windows does not
   * have the setting.
   */
  async settingNumber(level: number): Promise<number | undefined> {
    const { code, first } = await this.#advapi32.QueryServiceConfig2W(this.#handle, level);
    if (code === svc.ERROR_INVALID_LEVEL) return undefined;
    check('QueryServiceConfig2W', code);
    return first;
  }

  /** Starts the service with these arguments, unless it is already running. */
  async start(args: readonly string[] = []): Promise<void> {
    const { code } = await this.#advapi32.StartServiceW(this.#handle, args);
    if (code !== svc.ERROR_SERVICE_ALREADY_RUNNING) check('StartServiceW', code);
  }

  /** Asks the service to stop, unless it has already stopped. */
  async stop(): Promise<void> {
    const { code } = await this.#advapi32.ControlService(this.#handle, svc.SERVICE_CONTROL_STOP);
    if (code !== svc.ERROR_SERVICE_NOT_ACTIVE) check('ControlService', code);
  }

  async delete(): Promise<void> {
    const { code } = await this.#advapi32.DeleteService(this.#handle);
    if (code !== svc.ERROR_SERVICE_MARKED_FOR_DELETE) check('DeleteService', code);
  }

  /**
   * Waits while the service is pending and makes progress; `tell` is called at each change. Also
   * waits while it is still in the state `from`, because a service may take a moment to report that
   * it leaves it.
   */
  async settle(tell: (sight: ServiceSight) => void, from?: ServiceState): Promise<ServiceSight> {
    let last: ServiceSight | undefined;
    let lastMs = 0;
    for (;;) {
      const sight = await this.look();
      if (!isPending(sight) && sight.state !== from) return sight;
      const hasMoved = sight.state !== last?.state || sight.checkPoint !== last.checkPoint;
      if (hasMoved) {
        last = sight;
        lastMs = performance.now();
        if (isPending(sight)) tell(sight);
      } else if (performance.now() - lastMs > sight.waitHintMs + PATIENCE_MS) return sight;
      await wait(POLL_MS);
    }
  }
}

export function isPending({ state }: ServiceSight): boolean {
  return state.endsWith('ing') && state !== 'running';
}

function check(fn: string, code: number): void {
  if (code !== 0) throw new ServiceError(fn, code);
}
