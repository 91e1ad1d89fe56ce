/**
 * Callbacks from a foreign thread, value by value: GUID by value, NULL rows, unions, and copies
 * that outlive the call.
 */
import test from 'ava';
import { type DevQueryResult, devQueryResultCallbacks } from '../../native/cfgmgr32.js';
import * as c from '../../native/constants.js';
import { ipInterfaceChangeCallbacks, type MibChange, unicastIpAddressChangeCallbacks } from '../../native/iphlpapi.js';
import { loadLibraries } from '../../native/load.js';
import { type ClientHandle, type OpenSessionComplete, openSessionCallbacks } from '../../native/wlanapi.js';
import { buildLibrary } from './compiler.js';

const path = buildLibrary('native/echo.c');
const { wlanapi, iphlpapi, cfgmgr32 } = loadLibraries({ wlanapi: path, iphlpapi: path, cfgmgr32: path });
const guid = '01020304-0506-0708-090a-0b0c0d0e0f10';
const client = 0x11n as ClientHandle;

test('the open callback brings its five values, before WFDStartOpenSession has returned', async (t) => {
  const events: OpenSessionComplete[] = [];
  const context = openSessionCallbacks.registerContext((event) => events.push(event));
  const opened = wlanapi
    .WFDStartOpenSession(client, '02:11:22:33:44:FF', context)
    .finally(() => t.is(events.length, 1));
  t.deepEqual(await opened, { code: 0, hSessionHandle: 0x7fff0000ffff0001n });
  openSessionCallbacks.forgetContext(context);
  t.deepEqual<unknown, unknown>(events, [
    {
      hSessionHandle: 0x7fff0000ffff0001n,
      guidSessionInterface: guid,
      dwError: 0x80070005,
      dwReasonCode: 0xdeadbeef,
    },
  ]);
});

test('each callback goes to the listener of its context', async (t) => {
  const heard: string[] = [];
  const [first, second] = ['first', 'second'].map((name) =>
    openSessionCallbacks.registerContext(() => heard.push(name)),
  );
  await wlanapi.WFDStartOpenSession(client, '02:11:22:33:44:ff', second ?? 0n);
  t.deepEqual(heard, ['second']);
  await wlanapi.WFDStartOpenSession(client, '02:11:22:33:44:ff', first ?? 0n);
  t.deepEqual(heard, ['second', 'first']);
  for (const context of [first, second]) openSessionCallbacks.forgetContext(context ?? 0n);
});

test('a callback for a context that was forgotten is counted and dropped', async (t) => {
  const context = openSessionCallbacks.registerContext(() => t.fail());
  openSessionCallbacks.forgetContext(context);
  const before = openSessionCallbacks.strayCallbacks;
  t.is((await wlanapi.WFDStartOpenSession(client, '02:11:22:33:44:ff', context)).code, 0);
  t.is(openSessionCallbacks.strayCallbacks, before + 1);
});

test('a context is never used twice, not even for another signature', (t) => {
  const contexts = [openSessionCallbacks, ipInterfaceChangeCallbacks, devQueryResultCallbacks].map((callbacks) => {
    const context = callbacks.registerContext(() => {});
    callbacks.forgetContext(context);
    return context;
  });
  t.is(new Set(contexts).size, contexts.length);
  t.true(contexts.every((context) => context > 0n));
});

test('an interface change says which interface, or nothing where there is no row', async (t) => {
  const events: MibChange[] = [];
  const context = ipInterfaceChangeCallbacks.registerContext((event) => events.push(event));
  const { code, NotificationHandle } = await iphlpapi.NotifyIpInterfaceChange(c.AF_INET6, context, true);
  ipInterfaceChangeCallbacks.forgetContext(context);
  t.deepEqual<unknown, unknown>([code, NotificationHandle], [0, 0x22n]);
  t.deepEqual(events, [
    { NotificationType: c.MibInitialNotification, Row: null },
    {
      NotificationType: c.MibDeleteInstance,
      Row: { Family: c.AF_INET6, InterfaceLuid: 0xfedcba9876543210n, InterfaceIndex: 7 },
    },
  ]);
});

test('an address change says which interface', async (t) => {
  const events: MibChange[] = [];
  const context = unicastIpAddressChangeCallbacks.registerContext((event) => events.push(event));
  const { code, NotificationHandle } = await iphlpapi.NotifyUnicastIpAddressChange(c.AF_UNSPEC, context, false);
  unicastIpAddressChangeCallbacks.forgetContext(context);
  t.deepEqual<unknown, unknown>([code, NotificationHandle], [0, 0x33n]);
  const Row = { Family: c.AF_INET, InterfaceLuid: 5n, InterfaceIndex: 8 };
  t.deepEqual(events, [{ NotificationType: c.MibAddInstance, Row }]);
});

test('a device query brings objects that outlive their memory, and states', async (t) => {
  const events: DevQueryResult[] = [];
  const context = devQueryResultCallbacks.registerContext((event) => events.push(event));
  const keys = [c.DEVPKEY_WiFiDirect_IsConnected, { fmtid: guid, pid: 6 }];
  const query = cfgmgr32.DevCreateObjectQuery(c.DevObjectTypeDevice, c.DevQueryFlagUpdateResults, keys, [], context);
  t.deepEqual<unknown, unknown>(await query, { code: 0, hDevQuery: 0x44n });
  devQueryResultCallbacks.forgetContext(context);
  const connected = { Key: { fmtid: guid, pid: 5 }, Type: c.DEVPROP_TYPE_BOOLEAN, Value: true };
  t.deepEqual(events, [
    {
      Action: c.DevQueryResultAdd,
      DeviceObject: { ObjectType: c.DevObjectTypeDevice, ObjectId: 'query', Properties: [connected] },
    },
    { Action: c.DevQueryResultStateChange, State: c.DevQueryStateAborted },
  ]);
});
