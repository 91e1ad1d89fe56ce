/** What the codes of Windows mean: every row of the contract's error table that begins with one. */
import test from 'ava';
import { winerror, winerrorName } from '../../native/constants.js';
import { LibraryNotAvailable } from '../../native/library.js';
import type { DeviceProperties } from '../../service/driver/driver.js';
import {
  callOutcome,
  nativeResult,
  notAvailable,
  notPaired,
  openOutcome,
  suggestsServiceDown,
  withDevice,
} from '../../service/driver/win32-error.js';
import type { Reason } from '../../service/fault.js';

/** The same, whether a call returned it or the callback carried it. */
const everywhere: readonly [number, Reason][] = [
  [winerror.ERROR_INVALID_STATE, 'WIFI_DIRECT_DISABLED_BY_POLICY'],
  [winerror.ERROR_SERVICE_NOT_ACTIVE, 'WLAN_SERVICE_NOT_RUNNING'],
  [winerror.RPC_S_SERVER_UNAVAILABLE, 'WLAN_SERVICE_UNREACHABLE'],
  [winerror.RPC_S_SERVER_TOO_BUSY, 'WLAN_SERVICE_UNREACHABLE'],
  [winerror.RPC_S_CALL_FAILED, 'WLAN_SERVICE_UNREACHABLE'],
  [winerror.RPC_S_CALL_FAILED_DNE, 'WLAN_SERVICE_UNREACHABLE'],
  [winerror.EPT_S_NOT_REGISTERED, 'WLAN_SERVICE_UNREACHABLE'],
  [winerror.ERROR_REMOTE_SESSION_LIMIT_EXCEEDED, 'NATIVE_LIMIT_REACHED'],
  [winerror.ERROR_NOT_ENOUGH_MEMORY, 'NATIVE_LIMIT_REACHED'],
  [winerror.ERROR_OUTOFMEMORY, 'NATIVE_LIMIT_REACHED'],
  [winerror.ERROR_ACCESS_DENIED, 'HOST_ACCESS_DENIED'],
  [winerror.ERROR_NOT_FOUND, 'DEVICE_NOT_PAIRED'],
];

const openCallback = (code: number) => nativeResult('WFD_OPEN_SESSION_COMPLETE_CALLBACK', code, 0x38002, 'no peer');

for (const [code, reason] of everywhere) {
  test(`${code} ${winerrorName(code)} is ${reason}`, (t) => {
    t.is(callOutcome('WFDStartOpenSession', code).fault?.reason, reason);
    t.is(callOutcome('WFDOpenHandle', code).fault?.reason, reason);
    t.is(openOutcome(openCallback(code)).fault?.reason, reason);
  });
}

const takeHandles = ['WFDStartOpenSession', 'WFDCancelOpenSession', 'WFDOpenLegacySession', 'WFDCloseSession'];
const takeNone = ['WFDOpenHandle', 'WFDUpdateDeviceVisibility'];

for (const code of [winerror.ERROR_INVALID_HANDLE, winerror.ERROR_INVALID_PARAMETER]) {
  test(`${code} speaks of a handle where one was passed, and of an open that failed in its callback`, (t) => {
    for (const fn of takeHandles) t.is(callOutcome(fn, code).fault?.reason, 'NATIVE_HANDLE_LOST', fn);
    for (const fn of takeNone) t.is(callOutcome(fn, code).fault?.reason, 'NATIVE_ERROR', fn);
    t.is(openOutcome(openCallback(code)).fault?.reason, 'OPEN_FAILED');
  });
}

for (const [code, reason] of everywhere) {
  test(`the HRESULT of ${winerrorName(code)} means the same, and keeps its number`, (t) => {
    const hresult = 0x8007_0000 + code;
    for (const outcome of [callOutcome('WFDStartOpenSession', hresult), openOutcome(openCallback(hresult))]) {
      t.is(outcome.fault?.reason, reason);
      t.like(outcome.result, { code: hresult, name: winerrorName(code) });
      t.is(outcome.fault?.metadata?.['win32_code'], String(hresult));
      const text = `0x8007${code.toString(16).padStart(4, '0')} ${winerrorName(code)}`;
      t.true(outcome.fault?.message.includes(text), outcome.fault?.message);
    }
  });
}

test('the HRESULTs of 6 and 87 speak of a handle as these do', (t) => {
  for (const code of [0x8007_0006, 0x8007_0057]) {
    t.is(callOutcome('WFDCloseSession', code).fault?.reason, 'NATIVE_HANDLE_LOST');
    t.is(callOutcome('WFDOpenHandle', code).fault?.reason, 'NATIVE_ERROR');
    t.is(openOutcome(openCallback(code)).fault?.reason, 'OPEN_FAILED');
  }
});

test('a HRESULT of another facility, or without a code, is nothing but itself', (t) => {
  for (const [code, name] of [
    [0x8000_4005, '0x80004005'],
    [0x8001_0108, '0x80010108'],
    [0x8007_0000, '0x80070000'],
    [0xffff_ffff, '0xffffffff'],
  ] as const) {
    const { fault, result } = callOutcome('WFDOpenHandle', code);
    t.is(fault?.reason, 'NATIVE_ERROR');
    t.like(result, { code, name });
    t.true(fault?.message.startsWith(`WFDOpenHandle: ${name}: `), fault?.message);
  }
});

test('a code that came as a negative number is the same', (t) => {
  t.like(callOutcome('WFDOpenHandle', -2147023728), { result: { code: 0x8007_0490, name: 'ERROR_NOT_FOUND' } });
});

test('whoever is denied access is told the account first, and then the location access of Windows 11', (t) => {
  const message = callOutcome('WFDOpenHandle', 5).fault?.message ?? '';
  t.regex(message, /account that wfdd runs as; .*--account LocalSystem.* location access is off/);
});

test('success is no fault', (t) => {
  t.deepEqual(callOutcome('WFDCloseSession', 0), {
    result: { function: 'WFDCloseSession', code: 0, name: 'ERROR_SUCCESS', reasonCode: 0, reasonText: '' },
    fault: undefined,
  });
  t.is(openOutcome(openCallback(0)).fault, undefined);
});

test('any other code is NATIVE_ERROR of a call, OPEN_FAILED of an open, and keeps its number', (t) => {
  for (const code of [winerror.ERROR_TIMEOUT, winerror.ERROR_CANCELLED, 424_242]) {
    t.is(callOutcome('WFDCloseSession', code).fault?.reason, 'NATIVE_ERROR');
    const { fault, result } = openOutcome(openCallback(code));
    t.is(fault?.reason, 'OPEN_FAILED');
    t.is(result.code, code);
  }
  t.is(callOutcome('WFDCloseSession', 424_242).result.name, '0x67932');
});

test('a fault tells what Windows said, in words and in fields', (t) => {
  const { fault } = openOutcome(openCallback(winerror.ERROR_TIMEOUT));
  t.is(
    fault?.message,
    'WFD_OPEN_SESSION_COMPLETE_CALLBACK: 1460 ERROR_TIMEOUT (no peer): the session could not be opened.',
  );
  t.deepEqual(fault?.metadata, {
    win32_code: '1460',
    win32_name: 'ERROR_TIMEOUT',
    reason_code: '229378',
    reason_text: 'no peer',
  });
  t.is(fault?.native?.reasonText, 'no peer');
});

const deviceOf = (address: string, more: Partial<DeviceProperties> = {}): DeviceProperties => ({
  address,
  name: '',
  isConnected: undefined,
  isVisible: undefined,
  isLegacy: undefined,
  linkQuality: undefined,
  interfaceGuid: undefined,
  interfaceAddress: undefined,
  groupId: undefined,
  isPresent: undefined,
  isTransient: undefined,
  ...more,
});

test('a fault says what Windows knows of the device: forgotten with its session, not present, not persistent', (t) => {
  const address = '02:11:22:33:44:01';
  t.regex(notPaired(deviceOf(address)).message, /no longer paired with this host: pair it on the host/);
  t.regex(notPaired(deviceOf(address, { isTransient: true })).message, /not persistent, and Windows forgot it/);
  const failed = openOutcome(openCallback(winerror.ERROR_TIMEOUT));
  t.is(withDevice(failed, undefined), failed);
  t.is(withDevice(failed, deviceOf(address, { isPresent: true, isTransient: false })), failed);
  const absent = withDevice(failed, deviceOf(address, { isPresent: false })).fault?.message ?? '';
  t.true(absent.startsWith(failed.fault?.message ?? '?'));
  t.regex(absent, /not present: it may be switched off or out of reach\.$/);
  const phone = withDevice(openOutcome(openCallback(1168), address), deviceOf(address, { isTransient: true }));
  t.regex(phone.fault?.message ?? '', /pairing is not persistent/);
  const denied = callOutcome('WFDStartOpenSession', 5);
  t.is(withDevice(denied, deviceOf(address, { isPresent: false })), denied, 'another reason has nothing to do with it');
});

test('a device that is not paired is named, whoever found it out', (t) => {
  const address = '02:11:22:33:44:01';
  const faults = [
    notPaired(deviceOf(address)),
    callOutcome('WFDUpdateDeviceVisibility', winerror.ERROR_NOT_FOUND, address).fault,
    openOutcome(openCallback(winerror.ERROR_NOT_FOUND), address).fault,
  ];
  for (const fault of faults) {
    t.is(fault?.reason, 'DEVICE_NOT_PAIRED');
    t.is(fault?.metadata?.['device_address'], address);
  }
  t.is(
    callOutcome('WFDStartOpenSession', winerror.ERROR_ACCESS_DENIED, address).fault?.metadata?.['device_address'],
    undefined,
  );
});

test('only the codes of a service that is gone put the service in doubt', (t) => {
  for (const [code, reason] of everywhere) {
    t.is(suggestsServiceDown(callOutcome('WFDCloseSession', code)), reason.startsWith('WLAN_SERVICE_'), String(code));
  }
  for (const code of [0, 6, 87, 1460]) t.false(suggestsServiceDown(callOutcome('WFDCloseSession', code)));
});

test('what is missing is named with its library', (t) => {
  const fault = notAvailable(new LibraryNotAvailable('wlanapi.dll', 'WFDOpenHandle', 'no such export'));
  t.is(fault.reason, 'DRIVER_NOT_AVAILABLE');
  t.regex(fault.message, /WFDOpenHandle of wlanapi\.dll/);
  t.deepEqual(fault.metadata, { library: 'wlanapi.dll', function: 'WFDOpenHandle' });
  const whole = notAvailable(new LibraryNotAvailable('wlanapi.dll', undefined, 'no such file'));
  t.deepEqual(whole.metadata, { library: 'wlanapi.dll', function: '' });
});
