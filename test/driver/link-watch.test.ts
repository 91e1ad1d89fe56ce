/**
 * Notifications are asked for and given back; what a link is remembered by. What looks see is
 * tested in `test/contract`.
 */
import test from 'ava';
import { firstValueFrom, ReplaySubject } from 'rxjs';
import * as c from '../../native/constants.js';
import type { Iphlpapi, NotificationHandle } from '../../native/iphlpapi.js';
import { macToBytes } from '../../native/types.js';
import type { DeviceProperties } from '../../service/driver/driver.js';
import { LinkWatch, restMs } from '../../service/driver/link-watch.js';
import { NativeCalls } from '../../service/driver/native-calls.js';

test('notifications that are granted while the watch is being closed are given back', async (t) => {
  let grant = () => {};
  const granted = new Promise<void>((resolve) => {
    grant = resolve;
  });
  const notify = async () => {
    await granted;
    return { code: 0, NotificationHandle: 7n as NotificationHandle };
  };
  const cancelled: bigint[] = [];
  const iphlpapi = {
    NotifyIpInterfaceChange: notify,
    NotifyUnicastIpAddressChange: notify,
    CancelMibChangeNotify2: async (handle: bigint) => {
      cancelled.push(handle);
      return { code: 0 };
    },
  } as unknown as Iphlpapi;
  const observer = { onNativeReturned: () => {}, onNativeSlow: () => {} };
  const calls = new NativeCalls({ nativeCallsMax: 4, slowCallsMax: 1, nativeCallWarnMs: 60_000 }, observer);
  const watch = new LinkWatch(iphlpapi, calls, 60_000, { devices: undefined, refresh: async () => {} });
  const started = watch.start();
  const closed = watch.close();
  grant();
  await Promise.all([started, closed]);
  t.deepEqual(cancelled, [7n, 7n]);
});

const HOUR = 3_600_000;
const guid = '5f1d0001-77d1-4c52-9b1e-02004c4f4f50';
const peer = '02:11:22:33:44:01';

/**
 * One interface, up until it is taken away, with one station on it; a table that has what the test
 * puts there.
 */
function linkTo() {
  const world = { isGone: false, looks: 0 };
  const devices = new Map<string, DeviceProperties>();
  const row = { InterfaceIndex: 12, Alias: 'Local Area Connection* 1', OperStatus: c.IfOperStatusUp };
  const neighbour = {
    Address: { family: c.AF_INET, address: '192.168.100.1' },
    InterfaceIndex: 12,
    InterfaceLuid: 7n,
    PhysicalAddress: macToBytes('02:11:22:33:44:81'),
    State: c.NlnsReachable,
  };
  const iphlpapi = {
    NotifyIpInterfaceChange: async () => ({ code: 0, NotificationHandle: 1n }),
    NotifyUnicastIpAddressChange: async () => ({ code: 0, NotificationHandle: 2n }),
    CancelMibChangeNotify2: async () => ({ code: 0 }),
    ConvertInterfaceGuidToLuid: async () => ({ code: 0, InterfaceLuid: 7n }),
    GetIfEntry2: async () => {
      world.looks += 1;
      const Row = { ...row, InterfaceAndOperStatusFlags: { NotMediaConnected: false } };
      return { code: world.isGone ? c.winerror.ERROR_FILE_NOT_FOUND : 0, Row };
    },
    GetUnicastIpAddressTable: async () => ({ code: 0, Table: [] }),
    GetIpNetTable2: async () => ({ code: 0, Table: [neighbour] }),
  } as unknown as Iphlpapi;
  const observer = { onNativeReturned: () => {}, onNativeSlow: () => {} };
  const calls = new NativeCalls({ nativeCallsMax: 6, slowCallsMax: 1, nativeCallWarnMs: HOUR }, observer);
  // No poll comes to the rescue.
  const watch = new LinkWatch(iphlpapi, calls, HOUR, { devices, refresh: async () => {} });
  const open = async (sessionId: string) => {
    const downs = new ReplaySubject<string>();
    const addresses = new ReplaySubject<readonly string[]>();
    watch.watch(sessionId, peer, await watch.resolve(guid), {
      onDown: (evidence) => downs.next(evidence),
      onChanged: ({ peerAddresses }) => addresses.next(peerAddresses),
    });
    return { down: firstValueFrom(downs), peerAddresses: firstValueFrom(addresses) };
  };
  return { world, devices, watch, open };
}

const device = (isConnected: boolean) => ({ address: peer, isConnected }) as DeviceProperties;

test('that a device was connected is kept, though it is no longer so when its link is looked at', async (t) => {
  const { devices, watch, open } = linkTo();
  const { down } = await open('one');
  // Both changes come before the look that the first one asks for.
  watch.onDeviceChanged(device(true));
  devices.set(peer, device(false));
  watch.onDeviceChanged(device(false));
  t.is(await down, 'DEVICE_DISCONNECTED');
  await watch.close();
});

test('a session that is forgotten no longer shares its interface: the next one learns the addresses of its peer', async (t) => {
  const { watch, open } = linkTo();
  const first = await open('one');
  t.deepEqual(await first.peerAddresses, ['192.168.100.1']);
  watch.forget('one');
  const second = await open('two');
  t.deepEqual(await second.peerAddresses, ['192.168.100.1']);
  await watch.close();
});

test('a close is looked at, without waiting for a notification or the poll', async (t) => {
  const { world, watch, open } = linkTo();
  const { down, peerAddresses } = await open('one');
  await peerAddresses;
  world.isGone = true;
  watch.onClosing('one');
  t.is(await down, 'INTERFACE_GONE');
  await watch.close();
});

test('work that takes longer is done less often, but never less than once a minute', (t) => {
  t.is(restMs(1, 0.1), 9);
  t.is(restMs(2, 0.01), 198);
  t.is(restMs(5000, 0.01), 60_000);
});

test('several changes of one interface in a row cost one look', async (t) => {
  const { world, devices, watch, open } = linkTo();
  await watch.start();
  const { down, peerAddresses } = await open('one');
  await peerAddresses;
  const before = world.looks;
  devices.set(peer, device(true));
  watch.onClosing('one');
  for (let change = 0; change < 3; change += 1) watch.onDeviceChanged(device(true));
  devices.set(peer, device(false));
  world.isGone = true;
  watch.onDeviceChanged(device(false));
  await down;
  t.is(world.looks - before, 1);
  await watch.close();
});
