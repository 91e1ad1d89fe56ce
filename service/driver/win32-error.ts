/**
 * What a code of Windows means to a client: the rows of the contract's error table that begin with a native code.
 *
 * A code that a call returned and a code that the open's callback carried are read alike but for two: 6 and 87 speak of a handle
 * only where a handle was passed, and an unlisted code of a finished open says that the open failed, not that the service did.
 */

import { win32OfHresult, winerror, winerrorName } from '../../native/constants.js';
import type { LibraryNotAvailable } from '../../native/library.js';
import { codeAndName, type Fault, hexadecimal, type NativeResult, type Reason } from '../fault.js';
import type { NativeOutcome } from '../session/session.js';
import type { DeviceProperties } from './driver.js';

interface Meaning {
  readonly reason: Reason;
  readonly says: string;
}

const notRunning: Meaning = {
  reason: 'WLAN_SERVICE_NOT_RUNNING',
  says: 'the WLAN AutoConfig service (WlanSvc) is not running on the host; start it, or retry later',
};
const unreachable: Meaning = {
  reason: 'WLAN_SERVICE_UNREACHABLE',
  says: 'the WLAN service of the host does not answer; retry later',
};
const limitReached: Meaning = {
  reason: 'NATIVE_LIMIT_REACHED',
  says: 'Windows has no room for another session; close some',
};
const handleLost: Meaning = {
  reason: 'NATIVE_HANDLE_LOST',
  says: 'Windows no longer knows the handle; open the session anew',
};

const meanings: Readonly<Record<number, Meaning>> = {
  [winerror.ERROR_INVALID_STATE]: {
    reason: 'WIFI_DIRECT_DISABLED_BY_POLICY',
    says: 'Wi-Fi Direct is disabled by group policy on the host; ask its operator',
  },
  [winerror.ERROR_SERVICE_NOT_ACTIVE]: notRunning,
  [winerror.RPC_S_SERVER_UNAVAILABLE]: unreachable,
  [winerror.RPC_S_SERVER_TOO_BUSY]: unreachable,
  [winerror.RPC_S_CALL_FAILED]: unreachable,
  [winerror.RPC_S_CALL_FAILED_DNE]: unreachable,
  [winerror.EPT_S_NOT_REGISTERED]: unreachable,
  [winerror.ERROR_REMOTE_SESSION_LIMIT_EXCEEDED]: limitReached,
  [winerror.ERROR_NOT_ENOUGH_MEMORY]: limitReached,
  [winerror.ERROR_OUTOFMEMORY]: limitReached,
  [winerror.ERROR_ACCESS_DENIED]: {
    reason: 'HOST_ACCESS_DENIED',
    says:
      'Windows denies this to the account that wfdd runs as; run it as another, such as LocalSystem ' +
      '(wfdd service install --account LocalSystem). Windows 11 24H2 and later also refuse some WLAN calls while ' +
      'location access is off (Settings, Privacy & security, Location)',
  },
  [winerror.ERROR_NOT_FOUND]: {
    reason: 'DEVICE_NOT_PAIRED',
    says: 'the host has no stored profile of this device; pair it on the host',
  },
};

/**
 * The Win32 code that a code stands for. Windows documents plain Win32 codes for these functions, but components
 * behind them return HRESULTs: 0x80070490 is 1168 ERROR_NOT_FOUND. What is no such HRESULT is returned as it is.
 */
export function win32Code(code: number): number {
  return win32OfHresult(code) ?? code >>> 0;
}

/** `code` stays what Windows returned; `name` is that of the Win32 code it stands for. */
export function nativeResult(fn: string, code: number, reasonCode = 0, reasonText = ''): NativeResult {
  const name = winerrorName(win32Code(code)) ?? hexadecimal(code);
  return { function: fn, code: code >>> 0, name, reasonCode, reasonText };
}

/** The functions that are given a handle which the host holds: their 6 and 87 speak of it. */
const takesHandle = new Set(['WFDStartOpenSession', 'WFDCancelOpenSession', 'WFDOpenLegacySession', 'WFDCloseSession']);

/** The outcome of a native call, about this device where it is about one, by its return value. */
export function callOutcome(fn: string, code: number, deviceAddress?: string): NativeOutcome {
  const win32 = win32Code(code);
  const isHandleCode = win32 === winerror.ERROR_INVALID_HANDLE || win32 === winerror.ERROR_INVALID_PARAMETER;
  const other: Meaning =
    isHandleCode && takesHandle.has(fn)
      ? handleLost
      : { reason: 'NATIVE_ERROR', says: 'Windows gave a code that is not documented for it' };
  return outcomeOf(nativeResult(fn, code), meanings[win32] ?? other, deviceAddress);
}

/** The outcome of an open: of the callback, or of WFDOpenLegacySession, which has none. */
export function openOutcome(result: NativeResult, deviceAddress?: string): NativeOutcome {
  const other: Meaning = { reason: 'OPEN_FAILED', says: 'the session could not be opened' };
  return outcomeOf(result, meanings[win32Code(result.code)] ?? other, deviceAddress);
}

/** A call that could not be made at all: the library or the export is not there. */
export function notAvailable(missing: LibraryNotAvailable): Fault {
  const what = missing.function === undefined ? missing.library : `${missing.function} of ${missing.library}`;
  return {
    reason: 'DRIVER_NOT_AVAILABLE',
    message: `This host has no ${what}: ${missing.message}`,
    metadata: { library: missing.library, function: missing.function ?? '' },
  };
}

/** Windows has said that this device was removed: unpaired, or forgotten at the end of its last session. */
export function notPaired({ address, isTransient }: DeviceProperties): Fault {
  const why =
    isTransient === true
      ? 'its pairing was not persistent, and Windows forgot it when the device disconnected; pair it anew for each session'
      : 'pair it on the host, in the Windows settings';
  return {
    reason: 'DEVICE_NOT_PAIRED',
    message: `${address} is no longer paired with this host: ${why}.`,
    metadata: { device_address: address },
  };
}

/** The outcome of an open, with what Windows says of the device where that may be why it failed. */
export function withDevice(outcome: NativeOutcome, device: DeviceProperties | undefined): NativeOutcome {
  const { fault } = outcome;
  if (fault === undefined || !(fault.reason === 'OPEN_FAILED' || fault.reason === 'DEVICE_NOT_PAIRED')) return outcome;
  const notes = [
    ...(device?.isPresent === false
      ? ['Windows lists the device as not present: it may be switched off or out of reach.']
      : []),
    ...(device?.isTransient === true
      ? ['Its pairing is not persistent: Windows forgets it when the device disconnects, and it must be paired anew.']
      : []),
  ];
  if (notes.length === 0) return outcome;
  return { ...outcome, fault: { ...fault, message: [fault.message, ...notes].join(' ') } };
}

/** Whether the code puts the WLAN service itself in doubt. */
export function doubtsService(outcome: NativeOutcome): boolean {
  const reason = outcome.fault?.reason;
  return reason === 'WLAN_SERVICE_NOT_RUNNING' || reason === 'WLAN_SERVICE_UNREACHABLE';
}

/**
 * Whether Windows refuses this host as a whole, though the service runs: to its account or by policy. Such an answer
 * of one call is worth asking the service again.
 */
export function refusesHost(outcome: NativeOutcome): boolean {
  const reason = outcome.fault?.reason;
  return reason === 'HOST_ACCESS_DENIED' || reason === 'WIFI_DIRECT_DISABLED_BY_POLICY';
}

function outcomeOf(result: NativeResult, meaning: Meaning, deviceAddress: string | undefined): NativeOutcome {
  if (result.code === winerror.ERROR_SUCCESS) return { result, fault: undefined };
  const detail = result.reasonText === '' ? '' : ` (${result.reasonText})`;
  const isAboutDevice = meaning.reason === 'DEVICE_NOT_PAIRED' && deviceAddress !== undefined;
  return {
    result,
    fault: {
      reason: meaning.reason,
      message: `${result.function}: ${codeAndName(result)}${detail}: ${meaning.says}.`,
      metadata: {
        win32_code: String(result.code),
        win32_name: result.name,
        reason_code: String(result.reasonCode),
        reason_text: result.reasonText,
        ...(isAboutDevice ? { device_address: deviceAddress } : {}),
      },
      native: result,
    },
  };
}
