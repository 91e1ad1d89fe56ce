/** What the codes of Windows mean: every row of the contract's error table that begins with one. */
import test from 'ava';
import { winerror, winerrorName } from '../../native/constants.js';
import { LibraryNotAvailable } from '../../native/library.js';
import {
  callOutcome,
  doubtsService,
  nativeResult,
  notAvailable,
  notPaired,
  openOutcome,
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

test('a device that is not paired is named, whoever found it out', (t) => {
  const address = '02:11:22:33:44:01';
  const faults = [
    notPaired(address),
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
    t.is(doubtsService(callOutcome('WFDCloseSession', code)), reason.startsWith('WLAN_SERVICE_'), String(code));
  }
  for (const code of [0, 6, 87, 1460]) t.false(doubtsService(callOutcome('WFDCloseSession', code)));
});

test('what is missing is named with its library', (t) => {
  const fault = notAvailable(new LibraryNotAvailable('wlanapi.dll', 'WFDOpenHandle', 'no such export'));
  t.is(fault.reason, 'DRIVER_NOT_AVAILABLE');
  t.regex(fault.message, /WFDOpenHandle of wlanapi\.dll/);
  t.deepEqual(fault.metadata, { library: 'wlanapi.dll', function: 'WFDOpenHandle' });
  const whole = notAvailable(new LibraryNotAvailable('wlanapi.dll', undefined, 'no such file'));
  t.deepEqual(whole.metadata, { library: 'wlanapi.dll', function: '' });
});
