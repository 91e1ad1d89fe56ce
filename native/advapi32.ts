/**
 * advapi32.dll: Windows services from both sides (controlling services, and being one), the event
 * log, and the part of the registry that they need. Names and the order of parameters are
 * Microsoft's. Parameters that are never used here (load order groups, tags, passwords, other
 * machines) are left out. `code` is 0 or the value of GetLastError.
 *
 * Invariant: StartServiceCtrlDispatcherW is called asynchronously only. It returns when the service
 * has stopped, and HandlerEx is called from within it. It holds a thread of the pool for the life
 * of the service.
 *
 * Sources: learn.microsoft.com/windows/win32/api/winsvc, .../api/winbase (event log),
 * .../api/winreg
 */
import koffi from 'koffi';
import { type Library, lastError, openLibrary, system32 } from './library.js';
import { type Handle, toBigInt } from './types.js';
import {
  handlerCallbacks,
  multiSz,
  type ServiceStatus,
  type ServiceStatusProcess,
  serviceMainCallbacks,
  setServiceMainContext,
} from './winsvc.js';

export type ManagerHandle = Handle<'service control manager'>;
export type ServiceHandle = Handle<'service'>;
/** `hServiceStatus` of RegisterServiceCtrlHandlerExW; it is never closed. */
export type StatusHandle = Handle<'service status'>;
export type EventSourceHandle = Handle<'event source'>;

/** A predefined key: in C, a negative 32-bit number cast to a pointer. */
export const HKEY_LOCAL_MACHINE = 0xffff_ffff_8000_0002n;

// winnt.h
export const REG_SZ = 1;
export const REG_EXPAND_SZ = 2;
export const REG_DWORD = 4;
export const REG_MULTI_SZ = 7;
export const EVENTLOG_ERROR_TYPE = 1;
export const EVENTLOG_WARNING_TYPE = 2;
export const EVENTLOG_INFORMATION_TYPE = 4;

/** The settings of CreateServiceW and ChangeServiceConfigW. */
export interface ServiceConfig {
  readonly dwServiceType: number;
  readonly dwStartType: number;
  readonly dwErrorControl: number;
  readonly lpBinaryPathName: string;
  readonly lpDependencies: readonly string[];
  readonly lpServiceStartName: string;
  readonly lpDisplayName: string;
}

/** The struct for each `dwInfoLevel` of ChangeServiceConfig2W, by its number. */
const INFO_TYPES = [
  undefined,
  'SERVICE_DESCRIPTIONW *',
  'SERVICE_FAILURE_ACTIONSW *',
  'SERVICE_DELAYED_AUTO_START_INFO *',
  'SERVICE_FAILURE_ACTIONS_FLAG *',
  'SERVICE_SID_INFO *',
  'SERVICE_REQUIRED_PRIVILEGES_INFOW *',
  'SERVICE_PRESHUTDOWN_INFO *',
] as const;

/** "SC_STATUS_PROCESS_INFO", the only level of QueryServiceStatusEx. */
const SC_STATUS_PROCESS_INFO = 0;
/** The largest result of QueryServiceConfigW, in bytes. */
const QUERY_SERVICE_CONFIG_BYTES = 8192;

/** Longer values are ERROR_MORE_DATA. No value that is read here is nearly as long. */
const REG_VALUE_BYTES = 65_536;
/** `dwFlags` of RegGetValueW: of any type, expanded, and of the 64-bit registry. */
const RRF_RT_ANY = 0xffff;
const RRF_SUBKEY_WOW6464KEY = 0x1_0000;

/** The functions of advapi32.dll; see bindAdvapi32(). */
export type Advapi32 = ReturnType<typeof bindAdvapi32>;

/** advapi32.dll of this Windows. */
export function loadAdvapi32(): Advapi32 {
  return bindAdvapi32(openLibrary(system32('advapi32.dll')));
}

/** Binds advapi32.dll. What is missing stands in `library.missing`. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: an entry for each function of the library.
export function bindAdvapi32(library: Library) {
  /** Binds a function that returns FALSE or NULL if it fails. */
  const bind = <Args extends unknown[], Result extends number | bigint | null = number>(prototype: string) => {
    const call = library.bindWithLastError<Args, Result>(prototype);
    return async (...args: Args): Promise<{ code: number; result: bigint }> => {
      const { result, lastError: error } = await call(...args);
      return { code: result ? 0 : error, result: toBigInt(result) };
    };
  };

  const StartServiceCtrlDispatcherW = bind<[unknown[]]>(
    'BOOL __stdcall StartServiceCtrlDispatcherW(const SERVICE_TABLE_ENTRYW *lpServiceStartTable)',
  );
  const RegisterServiceCtrlHandlerExW = library.bindSync<[string, bigint, bigint], bigint | null>(
    'SERVICE_STATUS_HANDLE __stdcall RegisterServiceCtrlHandlerExW(LPWSTR lpServiceName, LPHANDLER_FUNCTION_EX lpHandlerProc, PVOID lpContext)',
  );
  const SetServiceStatus = library.bindSync<[StatusHandle, ServiceStatus]>(
    'BOOL __stdcall SetServiceStatus(SERVICE_STATUS_HANDLE hServiceStatus, SERVICE_STATUS *lpServiceStatus)',
  );

  const OpenSCManagerW = bind<[null, null, number], bigint | null>(
    'SC_HANDLE __stdcall OpenSCManagerW(LPWSTR lpMachineName, LPWSTR lpDatabaseName, DWORD dwDesiredAccess)',
  );
  const CreateServiceW = bind<
    [ManagerHandle, string, string, number, number, number, number, string, null, null, Buffer, string, null],
    bigint | null
  >(
    'SC_HANDLE __stdcall CreateServiceW(SC_HANDLE hSCManager, LPWSTR lpServiceName, LPWSTR lpDisplayName, DWORD dwDesiredAccess, DWORD dwServiceType, DWORD dwStartType, DWORD dwErrorControl, LPWSTR lpBinaryPathName, LPWSTR lpLoadOrderGroup, LPDWORD lpdwTagId, MULTI_SZ lpDependencies, LPWSTR lpServiceStartName, LPWSTR lpPassword)',
  );
  const OpenServiceW = bind<[ManagerHandle, string, number], bigint | null>(
    'SC_HANDLE __stdcall OpenServiceW(SC_HANDLE hSCManager, LPWSTR lpServiceName, DWORD dwDesiredAccess)',
  );
  const ChangeServiceConfigW = bind<
    [ServiceHandle, number, number, number, string, null, null, Buffer, string, null, string]
  >(
    'BOOL __stdcall ChangeServiceConfigW(SC_HANDLE hService, DWORD dwServiceType, DWORD dwStartType, DWORD dwErrorControl, LPWSTR lpBinaryPathName, LPWSTR lpLoadOrderGroup, LPDWORD lpdwTagId, MULTI_SZ lpDependencies, LPWSTR lpServiceStartName, LPWSTR lpPassword, LPWSTR lpDisplayName)',
  );
  const ChangeServiceConfig2W = bind<[ServiceHandle, number, unknown]>(
    'BOOL __stdcall ChangeServiceConfig2W(SC_HANDLE hService, DWORD dwInfoLevel, PVOID lpInfo)',
  );
  const QueryServiceConfigW = bind<[ServiceHandle, Buffer, number, number[]]>(
    'BOOL __stdcall QueryServiceConfigW(SC_HANDLE hService, PVOID lpServiceConfig, DWORD cbBufSize, _Out_ LPDWORD pcbBytesNeeded)',
  );
  const QueryServiceConfig2W = bind<[ServiceHandle, number, Buffer, number, number[]]>(
    'BOOL __stdcall QueryServiceConfig2W(SC_HANDLE hService, DWORD dwInfoLevel, PVOID lpBuffer, DWORD cbBufSize, _Out_ LPDWORD pcbBytesNeeded)',
  );
  const StartServiceW = bind<[ServiceHandle, number, string[] | null]>(
    'BOOL __stdcall StartServiceW(SC_HANDLE hService, DWORD dwNumServiceArgs, PCWSTR *lpServiceArgVectors)',
  );
  const ControlService = bind<[ServiceHandle, number, Buffer]>(
    'BOOL __stdcall ControlService(SC_HANDLE hService, DWORD dwControl, PVOID lpServiceStatus)',
  );
  const QueryServiceStatusEx = bind<[ServiceHandle, number, Buffer, number, number[]]>(
    'BOOL __stdcall QueryServiceStatusEx(SC_HANDLE hService, int32_t InfoLevel, PVOID lpBuffer, DWORD cbBufSize, _Out_ LPDWORD pcbBytesNeeded)',
  );
  const DeleteService = bind<[ServiceHandle]>('BOOL __stdcall DeleteService(SC_HANDLE hService)');
  const CloseServiceHandle = bind<[ManagerHandle | ServiceHandle]>(
    'BOOL __stdcall CloseServiceHandle(SC_HANDLE hSCObject)',
  );

  const RegisterEventSourceW = bind<[null, string], bigint | null>(
    'HANDLE __stdcall RegisterEventSourceW(LPWSTR lpUNCServerName, LPWSTR lpSourceName)',
  );
  const ReportEventW = bind<[EventSourceHandle, number, number, number, null, number, number, string[], null]>(
    'BOOL __stdcall ReportEventW(HANDLE hEventLog, USHORT wType, USHORT wCategory, DWORD dwEventID, PVOID lpUserSid, USHORT wNumStrings, DWORD dwDataSize, PCWSTR *lpStrings, PVOID lpRawData)',
  );
  const RegSetKeyValueW = library.bind<[bigint, string, string, number, Buffer, number]>(
    'int32_t __stdcall RegSetKeyValueW(PVOID hKey, LPWSTR lpSubKey, LPWSTR lpValueName, DWORD dwType, PVOID lpData, DWORD cbData)',
  );
  const RegGetValueW = library.bind<[bigint, string, string, number, number[], Buffer, number[]]>(
    'int32_t __stdcall RegGetValueW(PVOID hKey, LPWSTR lpSubKey, LPWSTR lpValue, DWORD dwFlags, _Out_ LPDWORD pdwType, PVOID pvData, _Inout_ LPDWORD pcbData)',
  );
  const RegDeleteTreeW = library.bind<[bigint, string]>(
    'int32_t __stdcall RegDeleteTreeW(PVOID hKey, LPWSTR lpSubKey)',
  );

  return {
    /**
     * Makes this process the service `lpServiceName`, and resolves when the service has stopped.
     * ServiceMain is delivered to `mainContext`, from serviceMainCallbacks.
     * ERROR_FAILED_SERVICE_CONTROLLER_CONNECT: the process was not started as a service.
     */
    async StartServiceCtrlDispatcherW(lpServiceName: string, mainContext: bigint) {
      setServiceMainContext(mainContext);
      const { code } = await StartServiceCtrlDispatcherW([
        { lpServiceName, lpServiceProc: serviceMainCallbacks.pointer },
        { lpServiceName: null, lpServiceProc: null },
      ]);
      return { code };
    },

    /**
     * Sets the listener for the controls of this service; `lpContext` is from handlerCallbacks. It
     * does not block, so it is synchronous.
     */
    RegisterServiceCtrlHandlerExW(lpServiceName: string, lpContext: bigint) {
      const handle = RegisterServiceCtrlHandlerExW(lpServiceName, handlerCallbacks.pointer, lpContext);
      return { code: handle === null ? lastError() : 0, hServiceStatus: toBigInt(handle) as StatusHandle };
    },

    /**
     * Reports the state of this service. Synchronous, so that it works even if no thread of the
     * pool is free.
     */
    SetServiceStatus(hServiceStatus: StatusHandle, status: ServiceStatus) {
      return { code: SetServiceStatus(hServiceStatus, status) ? 0 : lastError() };
    },

    /**
     * The service control manager of this machine. ERROR_ACCESS_DENIED: the caller is not elevated.
     */
    async OpenSCManagerW(dwDesiredAccess: number) {
      const { code, result } = await OpenSCManagerW(null, null, dwDesiredAccess);
      return { code, hSCManager: result as ManagerHandle };
    },

    async CreateServiceW(
      hSCManager: ManagerHandle,
      lpServiceName: string,
      dwDesiredAccess: number,
      config: ServiceConfig,
    ) {
      const { dwServiceType, dwStartType, dwErrorControl, lpBinaryPathName, lpServiceStartName, lpDisplayName } =
        config;
      const lpDependencies = multiSz(config.lpDependencies);
      const { code, result } = await CreateServiceW(
        ...([hSCManager, lpServiceName, lpDisplayName, dwDesiredAccess, dwServiceType, dwStartType] as const),
        ...([dwErrorControl, lpBinaryPathName, null, null, lpDependencies, lpServiceStartName, null] as const),
      );
      return { code, hService: result as ServiceHandle };
    },

    async OpenServiceW(hSCManager: ManagerHandle, lpServiceName: string, dwDesiredAccess: number) {
      const { code, result } = await OpenServiceW(hSCManager, lpServiceName, dwDesiredAccess);
      return { code, hService: result as ServiceHandle };
    },

    async ChangeServiceConfigW(hService: ServiceHandle, config: ServiceConfig) {
      const { dwServiceType, dwStartType, dwErrorControl, lpBinaryPathName, lpServiceStartName, lpDisplayName } =
        config;
      const lpDependencies = multiSz(config.lpDependencies);
      const { code } = await ChangeServiceConfigW(
        ...([hService, dwServiceType, dwStartType, dwErrorControl, lpBinaryPathName, null, null] as const),
        ...([lpDependencies, lpServiceStartName, null, lpDisplayName] as const),
      );
      return { code };
    },

    /**
     * `info` has the members of the struct of the level, and arrays as arrays. ERROR_INVALID_LEVEL:
     * this Windows does not know the level.
     */
    async ChangeServiceConfig2W(hService: ServiceHandle, dwInfoLevel: number, info: Readonly<Record<string, unknown>>) {
      const type = INFO_TYPES[dwInfoLevel];
      if (type === undefined) throw new RangeError(`No struct is known for level ${dwInfoLevel}`);
      const { code } = await ChangeServiceConfig2W(hService, dwInfoLevel, koffi.as(info, type));
      return { code };
    },

    /** Only the command line and the account. */
    async QueryServiceConfigW(hService: ServiceHandle) {
      const buffer = Buffer.alloc(QUERY_SERVICE_CONFIG_BYTES);
      const { code } = await QueryServiceConfigW(hService, buffer, buffer.length, [0]);
      const raw = code === 0 ? koffi.decode(buffer, 'QUERY_SERVICE_CONFIGW') : {};
      const { dwStartType = 0, lpBinaryPathName = '', lpServiceStartName = '' } = raw;
      return { code, dwStartType, lpBinaryPathName, lpServiceStartName } as const;
    },

    /** The first member of the struct of a level, if it is a DWORD. ERROR_INVALID_LEVEL. */
    async QueryServiceConfig2W(hService: ServiceHandle, dwInfoLevel: number) {
      const buffer = Buffer.alloc(QUERY_SERVICE_CONFIG_BYTES);
      const { code } = await QueryServiceConfig2W(hService, dwInfoLevel, buffer, buffer.length, [0]);
      return { code, first: buffer.readUInt32LE(0) };
    },

    /**
     * ServiceMain gets `args`. Returns when the process has connected to the service control
     * manager, or after half a minute.
     */
    async StartServiceW(hService: ServiceHandle, args: readonly string[] = []) {
      return { code: (await StartServiceW(hService, args.length, args.length === 0 ? null : [...args])).code };
    },

    /** Returns when HandlerEx of the service has returned. */
    async ControlService(hService: ServiceHandle, dwControl: number) {
      const status = Buffer.alloc(koffi.sizeof('SERVICE_STATUS'));
      return { code: (await ControlService(hService, dwControl, status)).code };
    },

    async QueryServiceStatusEx(hService: ServiceHandle) {
      const buffer = Buffer.alloc(koffi.sizeof('SERVICE_STATUS_PROCESS'));
      const { code } = await QueryServiceStatusEx(hService, SC_STATUS_PROCESS_INFO, buffer, buffer.length, [0]);
      return { code, status: koffi.decode(buffer, 'SERVICE_STATUS_PROCESS') as ServiceStatusProcess };
    },

    /** Marks the service for deletion. It is deleted when it has stopped and nobody has it open. */
    async DeleteService(hService: ServiceHandle) {
      return { code: (await DeleteService(hService)).code };
    },

    async CloseServiceHandle(handle: ManagerHandle | ServiceHandle) {
      return { code: (await CloseServiceHandle(handle)).code };
    },

    /** The source is closed when the process ends. */
    async RegisterEventSourceW(lpSourceName: string) {
      const { code, result } = await RegisterEventSourceW(null, lpSourceName);
      return { code, hEventLog: result as EventSourceHandle };
    },

    async ReportEventW(hEventLog: EventSourceHandle, wType: number, dwEventID: number, strings: readonly string[]) {
      return {
        code: (await ReportEventW(hEventLog, wType, 0, dwEventID, null, strings.length, 0, [...strings], null)).code,
      };
    },

    /** Sets a value of a key. Creates the key if it does not exist. */
    async RegSetKeyValueW(hKey: bigint, lpSubKey: string, lpValueName: string, dwType: number, data: Buffer) {
      return { code: await RegSetKeyValueW(hKey, lpSubKey, lpValueName, dwType, data, data.length) };
    },

    /**
     * A value of a key: text, a number, or the bytes of another type. ERROR_FILE_NOT_FOUND: it does
     * not exist.
     */
    async RegGetValueW(hKey: bigint, lpSubKey: string, lpValue: string) {
      const type = [0];
      const data = Buffer.alloc(REG_VALUE_BYTES);
      const size = [data.length];
      const flags = RRF_RT_ANY | RRF_SUBKEY_WOW6464KEY;
      const code = await RegGetValueW(hKey, lpSubKey, lpValue, flags, type, data, size);
      return { code, value: code === 0 ? registryValue(type[0] ?? 0, data.subarray(0, size[0])) : undefined };
    },

    /** Deletes a key and everything below it. ERROR_FILE_NOT_FOUND: it does not exist. */
    async RegDeleteTreeW(hKey: bigint, lpSubKey: string) {
      return { code: await RegDeleteTreeW(hKey, lpSubKey) };
    },
  };
}

function registryValue(type: number, bytes: Buffer): string | number | Buffer {
  if (type === REG_DWORD && bytes.length >= 4) return bytes.readUInt32LE(0);
  const isText = type === REG_SZ || type === REG_EXPAND_SZ || type === REG_MULTI_SZ;
  // The strings of a REG_MULTI_SZ, one a line.
  return isText ? bytes.toString('utf16le').replace(/\0+$/, '').replaceAll('\0', '\n') : Buffer.from(bytes);
}
