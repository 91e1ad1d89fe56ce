/**
 * What goes into a struct and comes out of one: arguments, out parameters, tables and device
 * properties.
 */
import test from 'ava';
import { type DevProperty, findProperty } from '../../native/cfgmgr32.js';
import * as c from '../../native/constants.js';
import { openLibrary } from '../../native/library.js';
import { loadLibraries } from '../../native/load.js';
import type { ClientHandle } from '../../native/wlanapi.js';
import { buildLibrary } from './compiler.js';

const path = buildLibrary('native/echo.c');
const { wlanapi, iphlpapi, cfgmgr32 } = loadLibraries({ wlanapi: path, iphlpapi: path, cfgmgr32: path });
const liveAllocations = openLibrary(path).bindSync<[]>('uint32_t EchoLiveAllocations()');
const guid = '01020304-0506-0708-090a-0b0c0d0e0f10';

test.serial('a legacy session comes back with its handle and GUID, beside the code', async (t) => {
  t.deepEqual<unknown, unknown>(await wlanapi.WFDOpenLegacySession(0x11n as ClientHandle, '00-00-00-00-00-05'), {
    code: 5,
    hSessionHandle: 0x11n,
    guidSessionInterface: guid,
  });
});

test.serial('a LUID keeps all of its 64 bits', async (t) => {
  const { code, InterfaceLuid } = await iphlpapi.ConvertInterfaceGuidToLuid(guid);
  t.deepEqual([code, InterfaceLuid], [0, 0x100f0e0d0c0b0a09n]);
  t.is((await iphlpapi.ConvertInterfaceGuidToLuid(c.GUID_DEVINTERFACE_WIFIDIRECT_DEVICE)).code, 87);
});

test.serial('an interface is asked for by its LUID and comes as plain values', async (t) => {
  const { code, Row } = await iphlpapi.GetIfEntry2(0xfedcba9876543210n);
  t.is(code, 0);
  t.deepEqual(Row, {
    InterfaceLuid: 0xfedcba9876543210n,
    InterfaceIndex: 7,
    InterfaceGuid: guid,
    Alias: 'Wi\u2011Fi 2',
    InterfaceAndOperStatusFlags: { NotMediaConnected: true },
    OperStatus: c.IfOperStatusDown,
    MediaConnectState: c.MediaConnectStateDisconnected,
  });
  t.is((await iphlpapi.GetIfEntry2(1n)).code, c.winerror.ERROR_FILE_NOT_FOUND);
});

test.serial('local addresses are read from the table, which is freed', async (t) => {
  const { code, Table } = await iphlpapi.GetUnicastIpAddressTable(c.AF_UNSPEC);
  t.is(code, 0);
  t.deepEqual(Table, [
    {
      Address: { family: c.AF_INET, address: '192.168.137.1', scopeId: 0 },
      InterfaceLuid: 5n,
      InterfaceIndex: 8,
      OnLinkPrefixLength: 24,
      DadState: c.IpDadStatePreferred,
    },
    {
      Address: { family: c.AF_INET6, address: 'fe80::1', scopeId: 12 },
      InterfaceLuid: 0xfedcba9876543210n,
      InterfaceIndex: 7,
      OnLinkPrefixLength: 64,
      DadState: c.IpDadStateInvalid,
    },
  ]);
  t.is(liveAllocations(), 0);
});

test.serial('neighbours are read from the table, which is freed', async (t) => {
  const { code, Table } = await iphlpapi.GetIpNetTable2(c.AF_INET);
  t.is(code, 0);
  t.deepEqual(Table, [
    {
      Address: { family: c.AF_INET, address: '192.168.137.77', scopeId: 0 },
      InterfaceLuid: 5n,
      InterfaceIndex: 8,
      PhysicalAddress: Buffer.from('0211223344ff', 'hex'),
      State: c.NlnsReachable,
    },
  ]);
  t.is(liveAllocations(), 0);
});

test.serial('a call that fails gives its code and no rows', async (t) => {
  t.deepEqual(await iphlpapi.GetIpNetTable2(c.AF_INET6), { code: c.winerror.ERROR_NOT_FOUND, Table: [] });
});

test.serial('device properties of every type go in and come out, and the objects are freed', async (t) => {
  const property = (Key: c.DevPropKey, Type: number, Value: DevProperty['Value']) => ({ Key, Type, Value });
  const Properties = [
    property(c.DEVPKEY_WiFiDirect_DeviceAddress, c.DEVPROP_TYPE_BINARY, Buffer.from('0211223344ff', 'hex')),
    property(c.DEVPKEY_WiFiDirect_InterfaceGuid, c.DEVPROP_TYPE_GUID, guid),
    property(c.DEVPKEY_WiFiDirect_IsConnected, c.DEVPROP_TYPE_BOOLEAN, true),
    property(c.DEVPKEY_WiFiDirect_IsLegacyDevice, c.DEVPROP_TYPE_BOOLEAN, false),
    property(c.DEVPKEY_WiFiDirect_LinkQuality, c.DEVPROP_TYPE_UINT32, 0xfffffffe),
    property(c.DEVPKEY_NAME, c.DEVPROP_TYPE_STRING, 'Küche \u{1f4fa}'),
    property(c.DEVPKEY_WiFiDirect_IsVisible, c.DEVPROP_TYPE_EMPTY, null),
  ];
  const filter = Properties.map((Property) => ({ Operator: c.DEVPROP_OPERATOR_EQUALS, Property }));
  const { code, Objects } = await cfgmgr32.DevGetObjects(c.DevObjectTypeDevice, c.DevQueryFlagNone, [], filter);
  t.is(code, 0);
  t.deepEqual(Objects, [{ ObjectType: c.DevObjectTypeDevice, ObjectId: 'echo', Properties }]);
  t.is(liveAllocations(), 0);

  const [object] = Objects;
  t.truthy(object);
  if (object === undefined) return;
  t.is(findProperty(object, c.DEVPKEY_WiFiDirect_LinkQuality), 0xfffffffe);
  t.is(findProperty(object, c.DEVPKEY_WiFiDirect_IsVisible), null);
  t.is(findProperty(object, c.DEVPKEY_WiFiDirect_GroupId), undefined);
});

test.serial('a property that is shorter than its type is the bytes that there are', async (t) => {
  const types = [c.DEVPROP_TYPE_BOOLEAN, c.DEVPROP_TYPE_UINT32, c.DEVPROP_TYPE_GUID];
  const Properties = types.map((Type) => ({ Key: c.DEVPKEY_NAME, Type, Value: Buffer.alloc(0) }));
  const filter = Properties.map((Property) => ({ Operator: c.DEVPROP_OPERATOR_EQUALS, Property }));
  const { Objects } = await cfgmgr32.DevGetObjects(c.DevObjectTypeDevice, c.DevQueryFlagNone, [], filter);
  t.deepEqual(Objects[0]?.Properties, Properties);
});

test.serial('a HRESULT is an unsigned number', async (t) => {
  const keys = [c.DEVPKEY_NAME];
  const { code, Objects } = await cfgmgr32.DevGetObjects(c.DevObjectTypeDevice, c.DevQueryFlagNone, keys, []);
  t.deepEqual([code, Objects], [0x80070057, []]);
});
