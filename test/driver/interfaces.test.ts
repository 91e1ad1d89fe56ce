/** What is known of an interface without asking, and when Windows is asked again. */
import test from 'ava';
import * as c from '../../native/constants.js';
import type { Iphlpapi } from '../../native/iphlpapi.js';
import { Interfaces } from '../../service/driver/interfaces.js';
import { NativeCalls } from '../../service/driver/native-calls.js';

const HOUR = 3_600_000;
const guid = '5f1d0001-77d1-4c52-9b1e-02004c4f4f50';
const LUID = 7n;

/** Windows with one interface. Each read of it waits for `answer`, if the test has set that. */
function host({ refuses = false } = {}) {
  const world = { reads: 0, tables: 0, answer: Promise.resolve(), isUp: true };
  const notify = async () => ({ code: refuses ? c.winerror.ERROR_NOT_SUPPORTED : 0, NotificationHandle: 1n });
  const iphlpapi = {
    NotifyIpInterfaceChange: notify,
    NotifyUnicastIpAddressChange: notify,
    CancelMibChangeNotify2: async () => ({ code: 0 }),
    ConvertInterfaceGuidToLuid: async () => ({ code: 0, InterfaceLuid: LUID }),
    GetIfEntry2: async () => {
      world.reads += 1;
      const OperStatus = world.isUp ? c.IfOperStatusUp : c.IfOperStatusDown;
      await world.answer;
      return { code: 0, Row: { OperStatus, InterfaceAndOperStatusFlags: { NotMediaConnected: false } } };
    },
    GetUnicastIpAddressTable: async () => {
      world.tables += 1;
      return { code: 0, Table: [] };
    },
    GetIpNetTable2: async () => ({ code: 0, Table: [] }),
  } as unknown as Iphlpapi;
  const observer = { onNativeReturned: () => {}, onNativeSlow: () => {} };
  const calls = new NativeCalls({ nativeCallsMax: 6, slowCallsMax: 1, nativeCallWarnMs: HOUR }, observer);
  return { world, interfaces: new Interfaces(iphlpapi, calls, () => {}) };
}

test('an interface is read once, until it changes', async (t) => {
  const { world, interfaces } = host();
  await interfaces.start();
  t.is((await interfaces.read(guid, 0n)).status, 'UP');
  await interfaces.read(guid, LUID);
  t.is(world.reads, 1);
  world.isUp = false;
  interfaces.invalidate(LUID);
  t.is((await interfaces.read(guid, LUID)).status, 'DOWN');
  t.is(world.reads, 2);
  await interfaces.close();
});

test('what was read before a change is not kept after it', async (t) => {
  const { world, interfaces } = host();
  await interfaces.start();
  let answer = () => {};
  world.answer = new Promise((resolve) => {
    answer = resolve;
  });
  const overtaken = interfaces.read(guid, LUID);
  await Promise.resolve();
  world.isUp = false;
  interfaces.invalidate(LUID);
  answer();
  t.is((await overtaken).status, 'UP');
  t.is((await interfaces.read(guid, LUID)).status, 'DOWN');
  await interfaces.close();
});

test('the address tables are read for interfaces whose addresses are not known', async (t) => {
  const { world, interfaces } = host();
  await interfaces.start();
  t.truthy(await interfaces.addresses(new Set([LUID])));
  await interfaces.addresses(new Set([LUID]));
  t.is(world.tables, 1);
  await interfaces.addresses(new Set([LUID, 8n]));
  t.is(world.tables, 2);
  interfaces.invalidateAddresses(LUID);
  await interfaces.addresses(new Set([LUID]));
  t.is(world.tables, 3);
  await interfaces.close();
});

test('if Windows grants no notifications, nothing is kept', async (t) => {
  const { world, interfaces } = host({ refuses: true });
  await interfaces.start();
  for (let read = 0; read < 2; read += 1) {
    await interfaces.read(guid, LUID);
    await interfaces.addresses(new Set([LUID]));
  }
  t.is(world.reads, 2);
  t.is(world.tables, 2);
});
