/**
 * The service control manager, as one who controls services sees it: one service at a time, by name.
 *
 * The rule that must not be broken: **every handle is closed when its use is over.** A handle that stays open keeps a service that was
 * deleted "marked for deletion", for everybody, until the next start of Windows.
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

export type ServiceState = (typeof STATES)[keyof typeof STATES];

export interface ServiceSight {
  readonly state: ServiceState;
  /** Undefined where no process runs. */
  readonly processId: number | undefined;
  /** Why it stopped: 0, a Win32 code, or 1066, and then `serviceExitCode` is an exit code of wfdd. */
  readonly exitCode: number;
  readonly serviceExitCode: number;
  /** Of a pending state: rises with each sign of life, the next of which comes within `waitHintMs`. */
  readonly checkPoint: number;
  readonly waitHintMs: number;
}

/** What is to be done with the service. Whoever only looks needs no elevation. */
export type Purpose = 'look' | 'start' | 'stop' | 'change';

const LOOK = svc.SERVICE_QUERY_STATUS | svc.SERVICE_QUERY_CONFIG;
const ACCESS: Readonly<Record<Purpose, number>> = {
  look: LOOK,
  start: LOOK | svc.SERVICE_START,
  stop: LOOK | svc.SERVICE_STOP,
  // That a service be restarted after a failure can be set only by somebody who may start it.
  change: LOOK | svc.SERVICE_CHANGE_CONFIG | svc.SERVICE_START | svc.DELETE,
};

/** How often a pending state is looked at. */
const POLL_MS = 250;
/** A pending service that shows no sign of life for this longer than it promised has hung. */
const PATIENCE_MS = 10_000;

export class Services {
  readonly #advapi32: Advapi32;

  constructor(advapi32: Advapi32) {
    this.#advapi32 = advapi32;
  }

  /** Opens the service for the time of `use`; undefined where it is not installed. */
  async find<T>(name: string, purpose: Purpose, use: (service: Service) => Promise<T>): Promise<T | undefined> {
    return this.#withManager(svc.SC_MANAGER_CONNECT, async (manager) => {
      const { code, hService } = await this.#advapi32.OpenServiceW(manager, name, ACCESS[purpose]);
      if (code === svc.ERROR_SERVICE_DOES_NOT_EXIST) return undefined;
      check('OpenServiceW', code);
      return this.#with(hService, () => use(new Service(this.#advapi32, hService)));
    });
  }

  /** Creates the service, and opens it for the time of `use`. If that fails, it is deleted again. */
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

/** An open service. What Windows refuses is thrown as a ServiceError. */
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

  /** Its command line, its account, and whether it starts with Windows. */
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

  /** False: this Windows does not know such a setting. */
  async changeInfo(level: number, info: Readonly<Record<string, unknown>>): Promise<boolean> {
    const { code } = await this.#advapi32.ChangeServiceConfig2W(this.#handle, level, info);
    if (code === svc.ERROR_INVALID_LEVEL) return false;
    check('ChangeServiceConfig2W', code);
    return true;
  }

  /** The first number of a setting of changeInfo(); undefined: this Windows does not know such a setting. */
  async settingNumber(level: number): Promise<number | undefined> {
    const { code, first } = await this.#advapi32.QueryServiceConfig2W(this.#handle, level);
    if (code === svc.ERROR_INVALID_LEVEL) return undefined;
    check('QueryServiceConfig2W', code);
    return first;
  }

  /** Starts it with these arguments, unless it has been started already. */
  async start(args: readonly string[] = []): Promise<void> {
    const { code } = await this.#advapi32.StartServiceW(this.#handle, args);
    if (code !== svc.ERROR_SERVICE_ALREADY_RUNNING) check('StartServiceW', code);
  }

  /** Asks it to stop, unless it has stopped already. */
  async stop(): Promise<void> {
    const { code } = await this.#advapi32.ControlService(this.#handle, svc.SERVICE_CONTROL_STOP);
    if (code !== svc.ERROR_SERVICE_NOT_ACTIVE) check('ControlService', code);
  }

  async delete(): Promise<void> {
    const { code } = await this.#advapi32.DeleteService(this.#handle);
    if (code !== svc.ERROR_SERVICE_MARKED_FOR_DELETE) check('DeleteService', code);
  }

  /**
   * Waits while it is pending, for as long as it shows signs of life; `tell` is called at each. So does one that is still in the state
   * `from`, since a service that was asked to leave it may take a moment to say so.
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
