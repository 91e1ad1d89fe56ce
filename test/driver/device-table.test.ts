/** The device query on the real ABI: created anew when it fails or is aborted, ever more rarely while nothing comes of it. */
import test from 'ava';
import { filter, firstValueFrom, ReplaySubject, take, toArray } from 'rxjs';
import type { Cfgmgr32 } from '../../native/cfgmgr32.js';
import { loadLibraries } from '../../native/load.js';
import { DeviceTable } from '../../service/driver/device-table.js';
import { NativeCalls } from '../../service/driver/native-calls.js';
import { library, world } from '../session/rig.js';

const E_FAIL = 0x80004005;
const HOUR = 3_600_000;
/** Timers may be this early by rounding. */
const EARLY_MS = 2;

function make(reopenBackoffMinMs: number, reopenBackoffMaxMs: number) {
  world.reset();
  const { cfgmgr32 } = loadLibraries({ wlanapi: library, iphlpapi: library, cfgmgr32: library });
  const returns = new ReplaySubject<{ fn: string; timeMs: number }>();
  const calls = new NativeCalls(
    { nativeCallsMax: 4, slowCallsMax: 1, nativeCallWarnMs: HOUR },
    { nativeReturned: (fn) => returns.next({ fn, timeMs: performance.now() }), nativeSlow: () => {} },
  );
  const created = returns.pipe(filter(({ fn }) => fn === 'DevCreateObjectQuery'));
  return { table: new DeviceTable(cfgmgr32, calls, { reopenBackoffMinMs, reopenBackoffMaxMs }), created };
}

test.serial.afterEach.always((t) => {
  world.checkLeaks();
  t.deepEqual(world.misuse().records, []);
});

test.serial('while it fails it is asked for after twice the time, up to the longest', async (t) => {
  const { table, created } = make(20, 70);
  // A wait for the next query keeps no process alive.
  const alive = setInterval(() => {}, HOUR);
  t.teardown(() => clearInterval(alive));
  world.scriptCall({ function: 'DevCreateObjectQuery', code: E_FAIL, count: 5 });
  await table.start();
  const times = await firstValueFrom(created.pipe(take(6), toArray()));
  const gaps = times.slice(1).map(({ timeMs }, index) => timeMs - (times[index]?.timeMs ?? 0));
  for (const [index, least] of [20, 40, 70, 70, 70].entries())
    t.true((gaps[index] ?? 0) >= least - EARLY_MS, `${gaps}`);
  await table.close();
});

test.serial(
  'once it has told the devices, an abort is no failure: the next one comes as soon as the first did',
  async (t) => {
    const { table, created } = make(5, HOUR);
    await table.start();
    // With a wait that doubled each time, the last would take most of a minute.
    for (let aborts = 1; aborts <= 14; aborts += 1) {
      world.abortDeviceQueries();
      await firstValueFrom(created.pipe(take(aborts + 1), toArray()));
      await world.waitIdle(10_000);
    }
    t.true((table.devices?.size ?? 0) > 0);
    await table.close();
  },
);

test.serial('a read that a newer result has overtaken is repeated, and never put back what was', async (t) => {
  world.reset();
  const { cfgmgr32 } = loadLibraries({ wlanapi: library, iphlpapi: library, cfgmgr32: library });
  let reads = 0;
  const wasRead = new ReplaySubject<void>(1);
  let letGo = () => {};
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const slow: Cfgmgr32 = {
    ...cfgmgr32,
    DevGetObjects: async (...query) => {
      const read = await cfgmgr32.DevGetObjects(...query);
      reads += 1;
      wasRead.next();
      if (reads === 1) await gate;
      return read;
    },
  };
  const calls = new NativeCalls(
    { nativeCallsMax: 6, slowCallsMax: 1, nativeCallWarnMs: HOUR },
    { nativeReturned: () => {}, nativeSlow: () => {} },
  );
  const table = new DeviceTable(slow, calls, { reopenBackoffMinMs: HOUR, reopenBackoffMaxMs: HOUR });
  await table.start();
  const address = '02:11:22:33:44:01';
  const told: (number | undefined)[] = [];
  table.changes.subscribe(({ device }) => told.push(device.linkQuality));
  const refreshing = table.refresh(new Set([address]));
  await firstValueFrom(wasRead);
  // What was read is old by now, and the query tells so first.
  world.updateDevice(address, { linkQuality: 5 });
  await world.waitIdle(10_000);
  letGo();
  await refreshing;
  t.deepEqual(told, [5]);
  t.is(reads, 2);
  t.is(table.devices?.get(address)?.linkQuality, 5);
  await table.close();
});

test.serial('while Windows refuses the query the table says why, and nothing any more once it does not', async (t) => {
  const { table, created } = make(5, 5);
  const alive = setInterval(() => {}, HOUR);
  t.teardown(() => clearInterval(alive));
  const faults: (string | undefined)[] = [];
  table.faults.subscribe((fault) => faults.push(fault?.message));
  world.scriptCall({ function: 'DevCreateObjectQuery', code: 0x8007_0057, count: 3 });
  await table.start();
  t.is(table.devices, undefined, 'no answer is not an empty one');
  t.is(table.fault?.reason, 'NATIVE_ERROR');
  await firstValueFrom(created.pipe(take(4), toArray()));
  await world.waitIdle(10_000);
  t.is(table.fault, undefined);
  t.is(table.devices?.size, 6);
  t.is(faults.length, 3, `${faults}`);
  t.regex(faults[1] ?? '', /^DevCreateObjectQuery: 0x80070057 ERROR_INVALID_PARAMETER/);
  await table.close();
});

test.serial('where neither nodes nor interfaces have devices the list is empty, and no proof', async (t) => {
  const { table } = make(5, 5);
  world.setNodeProperties({ onDevices: false, onInterfaces: false });
  await table.start();
  t.is(table.devices?.size, 0);
  t.is(table.removedDevice('02:11:22:33:44:01'), undefined);
  world.setNodeProperties({ onDevices: false, onInterfaces: true });
  await world.waitIdle(10_000);
  t.is(table.devices?.size, 6);
  world.removeDevice('02:11:22:33:44:01');
  await world.waitIdle(10_000);
  t.is(table.removedDevice('02:11:22:33:44:01')?.name, 'Meeting Room Display');
  world.addDevice('02:11:22:33:44:01');
  await world.waitIdle(10_000);
  t.is(table.removedDevice('02:11:22:33:44:01'), undefined, 'it is back');
  await table.close();
});

test.serial(
  'a change that is undone before a query tells it does not stay in the table, though a read has seen it',
  async (t) => {
    const { table } = make(1, 5);
    const alive = setInterval(() => {}, HOUR);
    t.teardown(() => clearInterval(alive));
    const [gone, changed] = ['02:11:22:33:44:01', '02:11:22:33:44:02'];
    await table.start();
    const back = firstValueFrom(table.changes.pipe(filter(({ type }) => type === 'ADDED')));
    const { linkQuality } = table.devices?.get(changed) ?? {};
    world.setNotifications({ devices: false });
    world.removeDevice(gone);
    world.updateDevice(changed, { linkQuality: 5 });
    await table.refresh();
    t.false(table.devices?.has(gone));
    t.is(table.devices?.get(changed)?.linkQuality, 5);
    world.addDevice(gone);
    world.updateDevice(changed, { linkQuality: linkQuality ?? 0 });
    await back;
    t.true(table.devices?.has(gone));
    t.is(table.devices?.get(changed)?.linkQuality, linkQuality);
    await table.close();
  },
);

test.serial('closing waits for a query that is just being replaced', async (t) => {
  world.reset();
  const { cfgmgr32 } = loadLibraries({ wlanapi: library, iphlpapi: library, cfgmgr32: library });
  const closing = new ReplaySubject<void>(1);
  let letGo = () => {};
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const slow: Cfgmgr32 = {
    ...cfgmgr32,
    DevCloseObjectQuery: async (handle) => {
      closing.next();
      await gate;
      await cfgmgr32.DevCloseObjectQuery(handle);
    },
  };
  const calls = new NativeCalls(
    { nativeCallsMax: 6, slowCallsMax: 1, nativeCallWarnMs: HOUR },
    { nativeReturned: () => {}, nativeSlow: () => {} },
  );
  const table = new DeviceTable(slow, calls, { reopenBackoffMinMs: 1, reopenBackoffMaxMs: 1 });
  const alive = setInterval(() => {}, HOUR);
  t.teardown(() => clearInterval(alive));
  await table.start();
  world.abortDeviceQueries();
  await firstValueFrom(closing);
  let isClosed = false;
  const closed = table.close().then(() => {
    isClosed = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  t.false(isClosed, 'the query is still open');
  letGo();
  await closed;
});

test.serial('a device that a read has missed first is removed all the same, once Windows says so', async (t) => {
  const { table } = make(5, 5);
  const address = '02:11:22:33:44:01';
  await table.start();
  world.setNotifications({ devices: false });
  world.removeDevice(address);
  await table.refresh();
  t.false(table.devices?.has(address));
  t.is(table.removedDevice(address), undefined, 'that a read has not found it proves nothing');
  world.setNotifications({});
  // The query is told of all objects of the world that have changed, and finds this one removed.
  world.setNodeProperties({ onDevices: true, onInterfaces: false });
  await world.waitIdle(10_000);
  t.is(table.removedDevice(address)?.name, 'Meeting Room Display');
  await table.close();
});
