/**
 * wlanapi.dll: the seven Wi-Fi Direct functions and the text of a reason code. Names, the order of
 * parameters and codes are Microsoft's (`wlanapi.h`). An out parameter `phX` is returned as `hX`
 * beside `code`, and has no meaning unless `code` is 0.
 *
 * Invariant: no policy here. Nothing is checked, repeated or remembered. The caller must know when
 * a handle can be used: cancel only while the open is pending; close exactly once, and only after a
 * successful open.
 */
import { Callbacks } from './callbacks.js';
import type { Library } from './library.js';
import {
  type GuidStruct,
  guidFromBytes,
  guidFromStruct,
  type Handle,
  macToBytes,
  toBigInt,
  wideText,
} from './types.js';

/** The `hClientHandle` of WFDOpenHandle. */
export type ClientHandle = Handle<'WFD client'>;
/** The `hSessionHandle` of WFDStartOpenSession or WFDOpenLegacySession. */
export type SessionHandle = Handle<'WFD session'>;

/** The values of one WFD_OPEN_SESSION_COMPLETE_CALLBACK. */
export interface OpenSessionComplete {
  readonly hSessionHandle: SessionHandle;
  /** The GUID of the local network interface; garbage unless `dwError` is 0. */
  readonly guidSessionInterface: string;
  readonly dwError: number;
  readonly dwReasonCode: number;
}

/** The longest text of a reason code, in characters, with its terminating NUL. */
const REASON_TEXT_CHARACTERS = 1024;

/**
 * Listeners for the completion of WFDStartOpenSession. There is exactly one call for each start
 * that returned 0, also after a cancel. It comes on any thread, possibly before WFDStartOpenSession
 * returns. So register first. Forget the context after the call, or if WFDStartOpenSession did not
 * return 0.
 */
export const openSessionCallbacks = new Callbacks<OpenSessionComplete>(
  'WFD_OPEN_SESSION_COMPLETE_CALLBACK',
  'VOID __stdcall (HANDLE hSessionHandle, PVOID pvContext, GUID guidSessionInterface, DWORD dwError, DWORD dwReasonCode)',
  (deliver) =>
    (
      hSessionHandle: bigint | null,
      pvContext: bigint | null,
      guidSessionInterface: GuidStruct,
      dwError: number,
      dwReasonCode: number,
    ) =>
      deliver(pvContext, () => ({
        hSessionHandle: toBigInt(hSessionHandle) as SessionHandle,
        guidSessionInterface: guidFromStruct(guidSessionInterface),
        dwError,
        dwReasonCode,
      })),
);

/** The functions of wlanapi.dll; see bindWlanapi(). */
export type Wlanapi = ReturnType<typeof bindWlanapi>;

/** Binds wlanapi.dll, or a library with its exports. `library.missing` lists what is missing. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: an entry for each function of the library.
export function bindWlanapi(library: Library) {
  const WFDOpenHandle = library.bind<[number, number[], (bigint | null)[]]>(
    'DWORD __stdcall WFDOpenHandle(DWORD dwClientVersion, _Out_ PDWORD pdwNegotiatedVersion, _Out_ PHANDLE phClientHandle)',
  );
  const WFDCloseHandle = library.bind<[ClientHandle]>('DWORD __stdcall WFDCloseHandle(HANDLE hClientHandle)');
  const WFDStartOpenSession = library.bind<[ClientHandle, Buffer, bigint, bigint, (bigint | null)[]]>(
    'DWORD __stdcall WFDStartOpenSession(HANDLE hClientHandle, PDOT11_MAC_ADDRESS pDeviceAddress, PVOID pvContext, WFD_OPEN_SESSION_COMPLETE_CALLBACK pfnCallback, _Out_ PHANDLE phSessionHandle)',
  );
  const WFDCancelOpenSession = library.bind<[SessionHandle]>(
    'DWORD __stdcall WFDCancelOpenSession(HANDLE hSessionHandle)',
  );
  const WFDOpenLegacySession = library.bind<[ClientHandle, Buffer, (bigint | null)[], Buffer]>(
    'DWORD __stdcall WFDOpenLegacySession(HANDLE hClientHandle, PDOT11_MAC_ADDRESS pLegacyMacAddress, _Out_ HANDLE *phSessionHandle, _Out_ GUID *pGuidSessionInterface)',
  );
  const WFDCloseSession = library.bind<[SessionHandle]>('DWORD __stdcall WFDCloseSession(HANDLE hSessionHandle)');
  const WFDUpdateDeviceVisibility = library.bind<[Buffer]>(
    'DWORD __stdcall WFDUpdateDeviceVisibility(PDOT11_MAC_ADDRESS pDeviceAddress)',
  );
  const WlanReasonCodeToString = library.bind<[number, number, Buffer, null]>(
    'DWORD __stdcall WlanReasonCodeToString(DWORD dwReasonCode, DWORD dwBufferSize, _Out_ PWCHAR pStringBuffer, PVOID pReserved)',
  );

  return {
    /**
     * Opens the Wi-Fi Direct service. `dwClientVersion` must be WFD_API_VERSION, otherwise
     * ERROR_INVALID_PARAMETER. ERROR_REMOTE_SESSION_LIMIT_EXCEEDED: too many handles;
     * ERROR_NOT_ENOUGH_MEMORY.
     */
    async WFDOpenHandle(dwClientVersion: number) {
      const pdwNegotiatedVersion = [0];
      const phClientHandle = [null];
      const code = await WFDOpenHandle(dwClientVersion, pdwNegotiatedVersion, phClientHandle);
      return {
        code,
        dwNegotiatedVersion: pdwNegotiatedVersion[0] ?? 0,
        hClientHandle: toBigInt(phClientHandle[0]) as ClientHandle,
      };
    },

    /**
     * Closes a client handle. Waits without a bound until every pending open of the handle has
     * completed. ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER: not a client handle.
     */
    async WFDCloseHandle(hClientHandle: ClientHandle) {
      return { code: await WFDCloseHandle(hClientHandle) };
    },

    /**
     * Starts to connect to a paired device. `pvContext` comes from openSessionCallbacks, which
     * reports the outcome. ERROR_INVALID_STATE: disabled by group policy; ERROR_SERVICE_NOT_ACTIVE:
     * WLAN AutoConfig does not run; ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER.
     */
    async WFDStartOpenSession(hClientHandle: ClientHandle, pDeviceAddress: string, pvContext: bigint) {
      const phSessionHandle = [null];
      const { pointer } = openSessionCallbacks;
      const address = macToBytes(pDeviceAddress);
      const code = await WFDStartOpenSession(hClientHandle, address, pvContext, pointer, phSessionHandle);
      return { code, hSessionHandle: toBigInt(phSessionHandle[0]) as SessionHandle };
    },

    /**
     * Requests to stop a pending open. The completion still comes, and can report success.
     * ERROR_INVALID_HANDLE.
     */
    async WFDCancelOpenSession(hSessionHandle: SessionHandle) {
      return { code: await WFDCancelOpenSession(hSessionHandle) };
    },

    /**
     * Connects to a legacy device by its stored profile. It has no callback and no cancel, and can
     * block for long.
     */
    async WFDOpenLegacySession(hClientHandle: ClientHandle, pLegacyMacAddress: string) {
      const phSessionHandle = [null];
      const pGuidSessionInterface = Buffer.alloc(16);
      const address = macToBytes(pLegacyMacAddress);
      const code = await WFDOpenLegacySession(hClientHandle, address, phSessionHandle, pGuidSessionInterface);
      return {
        code,
        hSessionHandle: toBigInt(phSessionHandle[0]) as SessionHandle,
        guidSessionInterface: guidFromBytes(pGuidSessionInterface),
      };
    },

    /**
     * Queues the close of an open session. The disconnection happens later, and nothing reports it.
     * The call does nothing while the open is pending. With an invalid handle its effect is
     * undefined. ERROR_INVALID_HANDLE, ERROR_INVALID_STATE.
     */
    async WFDCloseSession(hSessionHandle: SessionHandle) {
      return { code: await WFDCloseSession(hSessionHandle) };
    },

    /**
     * Looks for one paired device over the air. DEVPKEY_WiFiDirect_IsVisible of its device node has
     * the result; `code` does not. ERROR_NOT_ENOUGH_MEMORY.
     */
    async WFDUpdateDeviceVisibility(pDeviceAddress: string) {
      return { code: await WFDUpdateDeviceVisibility(macToBytes(pDeviceAddress)) };
    },

    /** The system's text for a WLAN_REASON_CODE, in the system's language. */
    async WlanReasonCodeToString(dwReasonCode: number) {
      const pStringBuffer = Buffer.alloc(REASON_TEXT_CHARACTERS * 2);
      const code = await WlanReasonCodeToString(dwReasonCode, REASON_TEXT_CHARACTERS, pStringBuffer, null);
      return { code, stringBuffer: wideText(pStringBuffer) };
    },
  };
}
