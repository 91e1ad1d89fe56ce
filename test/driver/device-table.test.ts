/**
 * The device query on the real ABI: created anew when it fails or is aborted, ever more rarely
 * while nothing comes of it.
 */
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

/** `change` puts functions in front of those of the library. */
function make(
  reopenBackoffMinMs: number,
  reopenBackoffMaxMs: number,
  change: (cfgmgr32: Cfgmgr32) => Partial<Cfgmgr32> = () => ({}),
) {
  world.reset();
  const loaded = loadLibraries({ wlanapi: library, iphlpapi: library, cfgmgr32: library }).cfgmgr32;
  const cfgmgr32 = { ...loaded, ...change(loaded) };
  const returns = new ReplaySubject<{ fn: string; timeMs: number }>();
  const calls = new NativeCalls(
    { nativeCallsMax: 12, slowCallsMax: 1, nativeCallWarnMs: HOUR },
    { onNativeReturned: (fn) => returns.next({ fn, timeMs: performance.now() }), onNativeSlow: () => {} },
  );
  const created = returns.pipe(filter(({ fn }) => fn === 'DevCreateObjectQuery'));
  return { table: new DeviceTable(cfgmgr32, calls, { reopenBackoffMinMs, reopenBackoffMaxMs }), created };
}

/** Something waits here until it is let go. */
class Gate {
  open = () => {};
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
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
  let reads = 0;
  const wasRead = new ReplaySubject<void>(1);
  const gate = new Gate();
  const { table } = make(HOUR, HOUR, ({ DevGetObjects }) => ({
    DevGetObjects: async (...query) => {
      const read = await DevGetObjects(...query);
      reads += 1;
      wasRead.next();
      if (reads === 1) await gate.opened;
      return read;
    },
  }));
  await table.start();
  const address = '02:11:22:33:44:01';
  const told: (number | undefined)[] = [];
  table.changes.subscribe(({ device }) => told.push(device.linkQuality));
  const refreshing = table.refresh(new Set([address]));
  await firstValueFrom(wasRead);
  // What was read is old by now, and the query tells so first.
  world.updateDevice(address, { linkQuality: 5 });
  await world.waitIdle(10_000);
  gate.open();
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

test.serial('what a read has found is read again until a query tells it, also when a read fails', async (t) => {
  let reads = 0;
  const wasRead = new ReplaySubject<number>(1);
  const { table } = make(1, 1, ({ DevGetObjects }) => ({
    DevGetObjects: async (...query) => {
      const read = await DevGetObjects(...query);
      reads += 1;
      wasRead.next(reads);
      return reads === 2 ? { ...read, code: E_FAIL } : read;
    },
  }));
  const alive = setInterval(() => {}, HOUR);
  t.teardown(() => clearInterval(alive));
  await table.start();
  world.setNotifications({ devices: false });
  world.updateDevice('02:11:22:33:44:01', { linkQuality: 5 });
  await table.refresh();
  await firstValueFrom(wasRead.pipe(filter((count) => count >= 5)));
  world.setNotifications({});
  // The query looks at all objects of the world, and tells what has changed.
  world.setNodeProperties({ onDevices: true, onInterfaces: false });
  await world.waitIdle(10_000);
  // One read may be under way still, and be repeated for what was reported meanwhile.
  const before = reads + 2;
  for (let pauses = 0; pauses < 20; pauses += 1) await new Promise((resolve) => setTimeout(resolve, 1));
  t.true(reads <= before, `${reads - before} reads too many`);
  await table.close();
});

test.serial('a device that comes and goes while a query is replaced does not stay', async (t) => {
  const creating = new ReplaySubject<void>(1);
  const gate = new Gate();
  let created = 0;
  const { table } = make(5, 50, ({ DevCreateObjectQuery }) => ({
    DevCreateObjectQuery: async (...query) => {
      created += 1;
      if (created === 2) {
        creating.next();
        await gate.opened;
      }
      return DevCreateObjectQuery(...query);
    },
  }));
  const alive = setInterval(() => {}, HOUR);
  t.teardown(() => clearInterval(alive));
  await table.start();
  const address = '02:11:22:33:44:99';
  world.abortDeviceQueries();
  await firstValueFrom(creating);
  world.addDevice(address);
  await table.refresh();
  t.true(table.devices?.has(address), 'the read has found it');
  const removed = firstValueFrom(table.changes.pipe(filter(({ type }) => type === 'REMOVED')));
  world.removeDevice(address);
  gate.open();
  t.is((await removed).device.address, address);
  await table.close();
});

test.serial('closing waits for a query that is just being replaced', async (t) => {
  const closing = new ReplaySubject<void>(1);
  const gate = new Gate();
  const { table } = make(1, 1, ({ DevCloseObjectQuery }) => ({
    DevCloseObjectQuery: async (handle) => {
      closing.next();
      await gate.opened;
      await DevCloseObjectQuery(handle);
    },
  }));
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
  gate.open();
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
