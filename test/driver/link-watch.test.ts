/** Asking Windows for notifications, and giving them back. What a look sees is tested on the wire, in `test/contract`. */
import test from 'ava';
import type { Iphlpapi, NotificationHandle } from '../../native/iphlpapi.js';
import { LinkWatch } from '../../service/driver/link-watch.js';
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
  const observer = { nativeReturned: () => {}, nativeSlow: () => {} };
  const calls = new NativeCalls({ nativeCallsMax: 4, slowCallsMax: 1, nativeCallWarnMs: 60_000 }, observer);
  const watch = new LinkWatch(iphlpapi, calls, 60_000, { devices: undefined, refresh: async () => {} });
  const started = watch.start();
  const closed = watch.close();
  grant();
  await Promise.all([started, closed]);
  t.deepEqual(cancelled, [7n, 7n]);
});
