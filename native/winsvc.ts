/**
 * `winsvc.h` and what belongs to it: the structs and constants of Windows services, and the two
 * callbacks by which the service control manager calls a service. Names and values are those of the
 * SDK.
 *
 * Invariant: HandlerEx answers from the control alone, and does not wait for its effect. The
 * service control manager waits for the answer, and so do all other services. The work is done
 * afterwards.
 *
 * Source: learn.microsoft.com/windows/win32/api/winsvc
 */
import koffi from 'koffi';
import { Callbacks } from './callbacks.js';
import { winerror } from './constants.js';

// winerror.h: the errors of the functions for services.
export const ERROR_INVALID_LEVEL = 124;
export const ERROR_SERVICE_REQUEST_TIMEOUT = 1053;
export const ERROR_SERVICE_ALREADY_RUNNING = 1056;
export const ERROR_INVALID_SERVICE_ACCOUNT = 1057;
export const ERROR_SERVICE_DISABLED = 1058;
export const ERROR_SERVICE_DOES_NOT_EXIST = 1060;
export const ERROR_SERVICE_CANNOT_ACCEPT_CTRL = 1061;
export const ERROR_SERVICE_NOT_ACTIVE = 1062;
export const ERROR_FAILED_SERVICE_CONTROLLER_CONNECT = 1063;
export const ERROR_SERVICE_SPECIFIC_ERROR = 1066;
export const ERROR_PROCESS_ABORTED = 1067;
export const ERROR_SERVICE_DEPENDENCY_FAIL = 1068;
export const ERROR_SERVICE_LOGON_FAILED = 1069;
export const ERROR_SERVICE_MARKED_FOR_DELETE = 1072;
export const ERROR_SERVICE_EXISTS = 1073;
export const ERROR_SERVICE_DEPENDENCY_DELETED = 1075;
export const ERROR_SERVICE_NEVER_STARTED = 1077;
export const ERROR_DUPLICATE_SERVICE_NAME = 1078;

// Access rights.
export const SC_MANAGER_CONNECT = 0x0001;
export const SC_MANAGER_CREATE_SERVICE = 0x0002;
export const SERVICE_QUERY_CONFIG = 0x0001;
export const SERVICE_CHANGE_CONFIG = 0x0002;
export const SERVICE_QUERY_STATUS = 0x0004;
export const SERVICE_START = 0x0010;
export const SERVICE_STOP = 0x0020;
export const DELETE = 0x00010000;

// Parameters of CreateServiceW and ChangeServiceConfigW.
export const SERVICE_WIN32_OWN_PROCESS = 0x10;
export const SERVICE_AUTO_START = 2;
export const SERVICE_DISABLED = 4;
export const SERVICE_ERROR_NORMAL = 1;

/** `dwInfoLevel` of ChangeServiceConfig2W. */
export const SERVICE_CONFIG_DESCRIPTION = 1;
export const SERVICE_CONFIG_FAILURE_ACTIONS = 2;
export const SERVICE_CONFIG_DELAYED_AUTO_START_INFO = 3;
export const SERVICE_CONFIG_FAILURE_ACTIONS_FLAG = 4;
export const SERVICE_CONFIG_SERVICE_SID_INFO = 5;
export const SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO = 6;
export const SERVICE_CONFIG_PRESHUTDOWN_INFO = 7;
export const SERVICE_SID_TYPE_UNRESTRICTED = 1;
export const SC_ACTION_RESTART = 1;

/** `dwCurrentState` */
export const SERVICE_STOPPED = 1;
export const SERVICE_START_PENDING = 2;
export const SERVICE_STOP_PENDING = 3;
export const SERVICE_RUNNING = 4;
export const SERVICE_CONTINUE_PENDING = 5;
export const SERVICE_PAUSE_PENDING = 6;
export const SERVICE_PAUSED = 7;

/** `dwControlsAccepted` */
export const SERVICE_ACCEPT_STOP = 0x1;
export const SERVICE_ACCEPT_SHUTDOWN = 0x4;
export const SERVICE_ACCEPT_POWEREVENT = 0x40;
export const SERVICE_ACCEPT_PRESHUTDOWN = 0x100;

/** `dwControl` */
export const SERVICE_CONTROL_STOP = 1;
export const SERVICE_CONTROL_INTERROGATE = 4;
export const SERVICE_CONTROL_SHUTDOWN = 5;
export const SERVICE_CONTROL_POWEREVENT = 0xd;
export const SERVICE_CONTROL_PRESHUTDOWN = 0xf;

/**
 * `dwEventType` of SERVICE_CONTROL_POWEREVENT (`pbt.h`). The last one reports every resume, the
 * second one only a resume by a user.
 */
export const PBT_APMSUSPEND = 0x4;
export const PBT_APMRESUMESUSPEND = 0x7;
export const PBT_APMRESUMEAUTOMATIC = 0x12;

koffi.alias('BOOL', 'int32_t');
koffi.alias('LPWSTR', 'str16');
koffi.alias('LPDWORD', 'DWORD *');
koffi.alias('SC_HANDLE', 'HANDLE');
koffi.alias('SERVICE_STATUS_HANDLE', 'HANDLE');

/** A Buffer, because its text has NULs in it. */
koffi.alias('MULTI_SZ', 'PVOID');

/** A SERVICE_STATUS. */
export interface ServiceStatus {
  readonly dwServiceType: number;
  readonly dwCurrentState: number;
  readonly dwControlsAccepted: number;
  readonly dwWin32ExitCode: number;
  readonly dwServiceSpecificExitCode: number;
  readonly dwCheckPoint: number;
  /** Milliseconds. */
  readonly dwWaitHint: number;
}

/** A SERVICE_STATUS_PROCESS. */
export interface ServiceStatusProcess extends ServiceStatus {
  /** 0 if no process runs. */
  readonly dwProcessId: number;
  readonly dwServiceFlags: number;
}

const status = {
  dwServiceType: 'DWORD',
  dwCurrentState: 'DWORD',
  dwControlsAccepted: 'DWORD',
  dwWin32ExitCode: 'DWORD',
  dwServiceSpecificExitCode: 'DWORD',
  dwCheckPoint: 'DWORD',
  dwWaitHint: 'DWORD',
};
koffi.struct('SERVICE_STATUS', status);
koffi.struct('SERVICE_STATUS_PROCESS', { ...status, dwProcessId: 'DWORD', dwServiceFlags: 'DWORD' });
koffi.struct('QUERY_SERVICE_CONFIGW', {
  dwServiceType: 'DWORD',
  dwStartType: 'DWORD',
  dwErrorControl: 'DWORD',
  lpBinaryPathName: 'LPWSTR',
  lpLoadOrderGroup: 'LPWSTR',
  dwTagId: 'DWORD',
  lpDependencies: 'MULTI_SZ',
  lpServiceStartName: 'LPWSTR',
  lpDisplayName: 'LPWSTR',
});

/** An enumeration, so an `int` in C. */
koffi.alias('SC_ACTION_TYPE', 'int32_t');
koffi.struct('SC_ACTION', { Type: 'SC_ACTION_TYPE', Delay: 'DWORD' });
koffi.struct('SERVICE_DESCRIPTIONW', { lpDescription: 'LPWSTR' });
koffi.struct('SERVICE_FAILURE_ACTIONSW', {
  dwResetPeriod: 'DWORD',
  lpRebootMsg: 'LPWSTR',
  lpCommand: 'LPWSTR',
  cActions: 'DWORD',
  lpsaActions: 'SC_ACTION *',
});
koffi.struct('SERVICE_DELAYED_AUTO_START_INFO', { fDelayedAutostart: 'BOOL' });
koffi.struct('SERVICE_FAILURE_ACTIONS_FLAG', { fFailureActionsOnNonCrashFailures: 'BOOL' });
koffi.struct('SERVICE_SID_INFO', { dwServiceSidType: 'DWORD' });
koffi.struct('SERVICE_REQUIRED_PRIVILEGES_INFOW', { pmszRequiredPrivileges: 'MULTI_SZ' });
koffi.struct('SERVICE_PRESHUTDOWN_INFO', { dwPreshutdownTimeout: 'DWORD' });

/** The only service of this process: ServiceMain gets no context. */
let serviceMainContext = 0n;

/** Sets the context of serviceMainCallbacks for the ServiceMain of this process. */
export function setServiceMainContext(context: bigint): void {
  serviceMainContext = context;
}

/**
 * Listeners for ServiceMain, which get its arguments. There is one call, on a thread of its own,
 * when the service control manager has connected to the process.
 */
export const serviceMainCallbacks = new Callbacks<readonly string[]>(
  'LPSERVICE_MAIN_FUNCTIONW',
  'VOID __stdcall (DWORD dwNumServicesArgs, PVOID lpServiceArgVectors)',
  (deliver) => (dwNumServicesArgs: number, lpServiceArgVectors: bigint | null) =>
    deliver(serviceMainContext, () =>
      lpServiceArgVectors === null ? [] : koffi.decode(lpServiceArgVectors, 'LPWSTR', dwNumServicesArgs),
    ),
);
koffi.struct('SERVICE_TABLE_ENTRYW', { lpServiceName: 'LPWSTR', lpServiceProc: 'LPSERVICE_MAIN_FUNCTIONW' });

/** One call of HandlerEx. */
export interface ServiceControl {
  /** SERVICE_CONTROL_... */
  readonly dwControl: number;
  /** More about the control: PBT_APM... for a power event. */
  readonly dwEventType: number;
}

const handled: ReadonlySet<number> = new Set([
  SERVICE_CONTROL_STOP,
  SERVICE_CONTROL_INTERROGATE,
  SERVICE_CONTROL_SHUTDOWN,
  SERVICE_CONTROL_POWEREVENT,
  SERVICE_CONTROL_PRESHUTDOWN,
]);

/**
 * Listeners for HandlerEx, on the thread of StartServiceCtrlDispatcherW. Power events are always
 * granted.
 */
export const handlerCallbacks = new Callbacks<ServiceControl>(
  'LPHANDLER_FUNCTION_EX',
  'DWORD __stdcall (DWORD dwControl, DWORD dwEventType, PVOID lpEventData, PVOID lpContext)',
  (deliver) => (dwControl: number, dwEventType: number, _lpEventData: bigint | null, lpContext: bigint | null) => {
    deliver(lpContext, () => ({ dwControl, dwEventType }));
    return handled.has(dwControl) ? winerror.ERROR_SUCCESS : winerror.ERROR_CALL_NOT_IMPLEMENTED;
  },
);

/** Strings as one MULTI_SZ: each ends with a NUL, and there is one more NUL at the end. */
export function multiSz(strings: readonly string[]): Buffer {
  return Buffer.from(`${strings.map((text) => `${text}\0`).join('')}\0`, 'utf16le');
}
