/**
 * Other facts about Windows that `wfdd doctor` needs: WLAN settings and adapters, signatures of
 * files, kinds of sleep. Names are Microsoft's; `code` is what the function returned.
 *
 * Invariant: nothing here scans, connects, or needs consent to location. What WlanApi allocates is
 * freed here, and no pointer leaves this file.
 *
 * Source: learn.microsoft.com/windows/win32/api/wlanapi, .../api/wintrust, .../api/powerbase
 */
import koffi from 'koffi';
import { type Library, openLibrary, system32 } from './library.js';
import { type GuidStruct, guidFromStruct, type Handle, toBigInt } from './types.js';
import './aclapi.js';

/** `dwClientVersion` of WlanOpenHandle since Windows Vista. */
const WLAN_API_VERSION = 2;
/** WLAN_SECURABLE_OBJECT: who may use Wi-Fi Direct with elevated access. */
export const wlan_secure_wfd_elevated_access = 16;
/** WLAN_INTERFACE_STATE */
export const wlan_interface_state_not_ready = 0;
/** POWER_INFORMATION_LEVEL */
export const SystemPowerCapabilities = 4;

// wintrust.h
const WTD_UI_NONE = 2;
const WTD_REVOKE_NONE = 0;
const WTD_CHOICE_FILE = 1;
const WTD_STATEACTION_IGNORE = 0;
/** Use only what is cached, and ask no server. */
const WTD_CACHE_ONLY_URL_RETRIEVAL = 0x1000;
/** WINTRUST_ACTION_GENERIC_VERIFY_V2, a GUID in its memory layout. */
const GENERIC_VERIFY_V2 = Buffer.from('64c5aa0044cdd0118cc200c04fc295ee', 'hex');
/** No window: nobody may be in front of the screen. */
const INVALID_HANDLE_VALUE = -1n;

type WlanHandle = Handle<'WLAN client'>;

/** An enumeration, so an `int` in C. */
koffi.alias('WLAN_OPCODE_VALUE_TYPE', 'int32_t');
koffi.struct('WLAN_INTERFACE_INFO', {
  InterfaceGuid: 'GUID',
  strInterfaceDescription: koffi.array('WCHAR', 256, 'String'),
  isState: 'int32_t',
});
koffi.struct('WLAN_INTERFACE_INFO_LIST', {
  dwNumberOfItems: 'DWORD',
  dwIndex: 'DWORD',
  InterfaceInfo: koffi.array('WLAN_INTERFACE_INFO', 1),
});
koffi.struct('WINTRUST_FILE_INFO', {
  cbStruct: 'DWORD',
  pcwszFilePath: 'LPWSTR',
  hFile: 'HANDLE',
  pgKnownSubject: 'PVOID',
});
koffi.struct('WINTRUST_DATA', {
  cbStruct: 'DWORD',
  pPolicyCallbackData: 'PVOID',
  pSIPClientData: 'PVOID',
  dwUIChoice: 'DWORD',
  fdwRevocationChecks: 'DWORD',
  dwUnionChoice: 'DWORD',
  pFile: 'WINTRUST_FILE_INFO *',
  dwStateAction: 'DWORD',
  hWVTStateData: 'HANDLE',
  pwszURLReference: 'LPWSTR',
  dwProvFlags: 'DWORD',
  dwUIContext: 'DWORD',
  pSignatureSettings: 'PVOID',
});
/** The first 24 of its 76 bytes, each a flag. The rest is not used here. */
const SYSTEM_POWER_CAPABILITIES_BYTES = 76;
/** The offsets of the flags in SYSTEM_POWER_CAPABILITIES that are read here. */
export const powerOffsets = { SystemS3: 5, SystemS4: 6, Hiberboot: 18, AoAc: 20 } as const;

/** The functions of bindHostFacts(). */
export type HostFacts = ReturnType<typeof bindHostFacts>;

/** The functions of this Windows. */
export function loadHostFacts(): HostFacts {
  const open = (name: string) => openLibrary(system32(name));
  return bindHostFacts({
    wlanapi: open('wlanapi.dll'),
    wintrust: open('wintrust.dll'),
    powrprof: open('powrprof.dll'),
  });
}

interface HostLibraries {
  readonly wlanapi: Library;
  readonly wintrust: Library;
  readonly powrprof: Library;
}

/** Binds the functions. A missing one rejects with LibraryNotAvailable. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: an entry for each function of the library.
export function bindHostFacts({ wlanapi, wintrust, powrprof }: HostLibraries) {
  const WlanOpenHandle = wlanapi.bind<[number, null, number[], (bigint | null)[]]>(
    'DWORD __stdcall WlanOpenHandle(DWORD dwClientVersion, PVOID pReserved, _Out_ PDWORD pdwNegotiatedVersion, _Out_ PHANDLE phClientHandle)',
  );
  const WlanCloseHandle = wlanapi.bind<[WlanHandle, null]>(
    'DWORD __stdcall WlanCloseHandle(HANDLE hClientHandle, PVOID pReserved)',
  );
  const WlanEnumInterfaces = wlanapi.bind<[WlanHandle, null, (bigint | null)[]]>(
    'DWORD __stdcall WlanEnumInterfaces(HANDLE hClientHandle, PVOID pReserved, _Out_ WLAN_INTERFACE_INFO_LIST **ppInterfaceList)',
  );
  const WlanGetSecuritySettings = wlanapi.bind<[WlanHandle, number, number[], (bigint | null)[], number[]]>(
    'DWORD __stdcall WlanGetSecuritySettings(HANDLE hClientHandle, int32_t SecurableObject, _Out_ WLAN_OPCODE_VALUE_TYPE *pValueType, _Out_ LOCAL_LPWSTR *pstrCurrentSDDL, _Out_ PDWORD pdwGrantedAccess)',
  );
  const WlanFreeMemory = wlanapi.bindSync<[bigint], void>('VOID __stdcall WlanFreeMemory(PVOID pMemory)');
  const WinVerifyTrust = wintrust.bind<[bigint, Buffer, unknown]>(
    'int32_t __stdcall WinVerifyTrust(HANDLE hwnd, PVOID pgActionID, PVOID pWVTData)',
  );
  const CallNtPowerInformation = powrprof.bind<[number, null, number, Buffer, number]>(
    'int32_t __stdcall CallNtPowerInformation(int32_t InformationLevel, PVOID InputBuffer, ULONG InputBufferLength, PVOID OutputBuffer, ULONG OutputBufferLength)',
  );

  return {
    /** A WLAN client handle; close it with WlanCloseHandle. */
    async WlanOpenHandle() {
      const phClientHandle: (bigint | null)[] = [null];
      const code = await WlanOpenHandle(WLAN_API_VERSION, null, [0], phClientHandle);
      return { code, hClientHandle: toBigInt(phClientHandle[0]) as WlanHandle };
    },

    WlanCloseHandle: (hClientHandle: WlanHandle) => WlanCloseHandle(hClientHandle, null),

    /** The WLAN adapters, without the networks that they are connected to. */
    async WlanEnumInterfaces(hClientHandle: WlanHandle) {
      const out: (bigint | null)[] = [null];
      const code = await WlanEnumInterfaces(hClientHandle, null, out);
      const list = out[0] ?? null;
      if (code !== 0 || list === null) return { code, interfaces: [] };
      try {
        const count: number = koffi.decode(list, 'DWORD');
        const offset = koffi.offsetof('WLAN_INTERFACE_INFO_LIST', 'InterfaceInfo');
        const raw: RawInterface[] = koffi.decode(list, offset, 'WLAN_INTERFACE_INFO', count);
        const interfaces = raw.map(({ InterfaceGuid, strInterfaceDescription: description, isState }) => {
          return { guid: guidFromStruct(InterfaceGuid), description, isState };
        });
        return { code, interfaces };
      } finally {
        WlanFreeMemory(list);
      }
    },

    /** Who may access an object, as SDDL, and which rights this process has. */
    async WlanGetSecuritySettings(hClientHandle: WlanHandle, SecurableObject: number) {
      const text: (bigint | null)[] = [null];
      const granted = [0];
      const code = await WlanGetSecuritySettings(hClientHandle, SecurableObject, [0], text, granted);
      const pointer = text[0] ?? null;
      if (code !== 0 || pointer === null) return { code, sddl: '', granted: 0 };
      try {
        return { code, sddl: koffi.decode(pointer, 'WCHAR', -1) as string, granted: granted[0] ?? 0 };
      } finally {
        WlanFreeMemory(pointer);
      }
    },

    /**
     * 0 if the file has a signature that Windows trusts, otherwise a HRESULT. It does not use the
     * network.
     */
    async WinVerifyTrust(pcwszFilePath: string) {
      const cbStruct = koffi.sizeof('WINTRUST_DATA');
      const file = { cbStruct: koffi.sizeof('WINTRUST_FILE_INFO'), pcwszFilePath, hFile: null, pgKnownSubject: null };
      const data = {
        ...{ cbStruct, pPolicyCallbackData: null, pSIPClientData: null, dwUIChoice: WTD_UI_NONE },
        ...{ fdwRevocationChecks: WTD_REVOKE_NONE, dwUnionChoice: WTD_CHOICE_FILE, pFile: file },
        ...{ dwStateAction: WTD_STATEACTION_IGNORE, hWVTStateData: null, pwszURLReference: null },
        ...{ dwProvFlags: WTD_CACHE_ONLY_URL_RETRIEVAL, dwUIContext: 0, pSignatureSettings: null },
      };
      const code = await WinVerifyTrust(INVALID_HANDLE_VALUE, GENERIC_VERIFY_V2, koffi.as(data, 'WINTRUST_DATA *'));
      return { code: code >>> 0 };
    },

    /** Which kinds of sleep the computer has. `code` is an NTSTATUS. */
    async SystemPowerCapabilities() {
      const bytes = Buffer.alloc(SYSTEM_POWER_CAPABILITIES_BYTES);
      const code = await CallNtPowerInformation(SystemPowerCapabilities, null, 0, bytes, bytes.length);
      const has = (name: keyof typeof powerOffsets) => bytes[powerOffsets[name]] !== 0;
      return { code: code >>> 0, modernStandby: has('AoAc'), s3: has('SystemS3'), fastStartup: has('Hiberboot') };
    },
  };
}

interface RawInterface {
  readonly InterfaceGuid: GuidStruct;
  readonly strInterfaceDescription: string;
  readonly isState: number;
}

/** Blocks one thread of libuv's pool for a time, to find out how many threads there are. */
export function blockThread(ms: number): Promise<unknown> {
  const isWindows = process.platform === 'win32';
  const library = isWindows ? koffi.load('kernel32.dll') : koffi.load(null);
  const sleep = library.func(isWindows ? 'void __stdcall Sleep(uint32_t ms)' : 'int usleep(uint32_t us)');
  return new Promise((resolve, reject) =>
    sleep.async(isWindows ? ms : ms * 1000, (error: Error | null, result: unknown) =>
      error ? reject(error) : resolve(result),
    ),
  );
}
