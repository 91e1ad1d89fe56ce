/**
 * What a Windows error code means to a client: the rows of the contract's error table that start
 * with a native code.
 *
 * A code means the same whether a call returned it or the callback of an open reported it, with two
 * exceptions. The codes 6 and 87 are about a handle only if a handle was passed. A code that is not
 * listed means OPEN_FAILED if it is the outcome of an open, otherwise NATIVE_ERROR.
 */

import { win32OfHresult, winerror, winerrorName } from '../../native/constants.js';
import type { LibraryNotAvailable } from '../../native/library.js';
import { codeAndName, type Fault, hexadecimal, type NativeResult, type Reason } from '../fault.js';
import type { NativeOutcome } from '../session/session.js';
import type { DeviceProperties } from './driver.js';

interface Meaning {
  readonly reason: Reason;
  /** The end of the message: what the code means, and what to do. */
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
  says: 'Windows no longer knows the handle; open the session again',
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
 * The Win32 code of a code. Windows documents Win32 codes for these functions, but components
 * behind them return HRESULTs: 0x80070490 is 1168 ERROR_NOT_FOUND. Any other code is returned
 * unchanged.
 */
export function win32Code(code: number): number {
  return win32OfHresult(code) ?? code >>> 0;
}

/** `code` is what Windows returned, `name` is the name of its Win32 code. */
export function nativeResult(fn: string, code: number, reasonCode = 0, reasonText = ''): NativeResult {
  const name = winerrorName(win32Code(code)) ?? hexadecimal(code);
  return { function: fn, code: code >>> 0, name, reasonCode, reasonText };
}

/** The functions to which the host passes a handle: 6 and 87 are about that handle. */
const takesHandle = new Set(['WFDStartOpenSession', 'WFDCancelOpenSession', 'WFDOpenLegacySession', 'WFDCloseSession']);

/**
 * The outcome of a native call, from its return value. `deviceAddress` is set if it is about a
 * device.
 */
export function callOutcome(fn: string, code: number, deviceAddress?: string): NativeOutcome {
  const win32 = win32Code(code);
  const isHandleCode = win32 === winerror.ERROR_INVALID_HANDLE || win32 === winerror.ERROR_INVALID_PARAMETER;
  const other: Meaning =
    isHandleCode && takesHandle.has(fn)
      ? handleLost
      : { reason: 'NATIVE_ERROR', says: 'Windows returned a code that is not documented for this function' };
  return outcomeOf(nativeResult(fn, code), meanings[win32] ?? other, deviceAddress);
}

/** The outcome of an open: of its callback, or of WFDOpenLegacySession, which has no callback. */
export function openOutcome(result: NativeResult, deviceAddress?: string): NativeOutcome {
  const other: Meaning = { reason: 'OPEN_FAILED', says: 'the session could not be opened' };
  return outcomeOf(result, meanings[win32Code(result.code)] ?? other, deviceAddress);
}

/** The fault of a call that can't be made, because its library or its export is missing. */
export function notAvailable(missing: LibraryNotAvailable): Fault {
  const what = missing.function === undefined ? missing.library : `${missing.function} of ${missing.library}`;
  return {
    reason: 'DRIVER_NOT_AVAILABLE',
    message: `This host has no ${what}: ${missing.message}`,
    metadata: { library: missing.library, function: missing.function ?? '' },
  };
}

/**
 * Windows has removed this device: it was unpaired, or forgotten at the end of its last session.
 */
export function notPaired({ address, isTransient }: DeviceProperties): Fault {
  const why =
    isTransient === true
      ? 'its pairing was not persistent, and Windows forgot it when the device disconnected; pair it again before each session'
      : 'pair it on the host, in the Windows settings';
  return {
    reason: 'DEVICE_NOT_PAIRED',
    message: `${address} is no longer paired with this host: ${why}.`,
    metadata: { device_address: address },
  };
}

/** Adds to the outcome of a failed open what may explain it: the state of the device in Windows. */
export function withDevice(outcome: NativeOutcome, device: DeviceProperties | undefined): NativeOutcome {
  const { fault } = outcome;
  if (fault === undefined || !(fault.reason === 'OPEN_FAILED' || fault.reason === 'DEVICE_NOT_PAIRED')) return outcome;
  const notes = [
    ...(device?.isPresent === false
      ? ['Windows lists the device as not present: it may be switched off or out of reach.']
      : []),
    ...(device?.isTransient === true
      ? ['Its pairing is not persistent: Windows forgets it when the device disconnects, so pair it again.']
      : []),
  ];
  if (notes.length === 0) return outcome;
  return { ...outcome, fault: { ...fault, message: [fault.message, ...notes].join(' ') } };
}

/** Whether the outcome suggests that the WLAN service itself is down. */
export function suggestsServiceDown(outcome: NativeOutcome): boolean {
  const reason = outcome.fault?.reason;
  return reason === 'WLAN_SERVICE_NOT_RUNNING' || reason === 'WLAN_SERVICE_UNREACHABLE';
}

/**
 * Whether Windows refuses this host as a whole although the service runs: because of the account,
 * or by policy. A single such result is a reason to probe the service.
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
