/**
 * WatchDevices: a snapshot, then every change, in order, without holes; from a cursor, what was
 * missed.
 */
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { devicesAtStart, devicesForThisFile } from '../harness/devices.js';
import { display, gatewayForThisFile, printer, robot, scanner } from '../harness/gateway.js';

const gateway = gatewayForThisFile('--set', 'driver.reopenBackoffMinMs=20');
const devices = devicesForThisFile(gateway);

const door = '02:00:00:00:00:0a';

test.serial('a watch begins with its headers and every device, in the order of the list', async (t) => {
  const watcher = devices().watch();
  await watcher.headers;
  t.deepEqual(await watcher.snapshot(), devicesAtStart);
  t.deepEqual(watcher.events, []);
});

test.serial('the snapshot of a host without devices is complete, and empty', async (t) => {
  const emptied = await devices().watching();
  for (const { deviceAddress } of devicesAtStart) await gateway().world.removeDevice(deviceAddress);
  await emptied.until((left) => left.length === 0);
  t.deepEqual(await devices().watch().snapshot(), []);
});

test.serial('a device that is paired, changes, and is unpaired again, is ADDED, CHANGED and REMOVED', async (t) => {
  const watcher = await devices().watching();
  await gateway().world.addDevice(door, { name: 'Door', linkQuality: 10 });
  const added = await watcher.event('ADDED', door);
  t.like(added.device, { name: 'Door', linkQuality: 10, isConnected: undefined });
  await gateway().world.updateDevice(door, { name: 'Gate', linkQuality: 80 });
  const changed = await watcher.event('CHANGED', door);
  t.like(changed.device, { name: 'Gate', linkQuality: 80 });
  await gateway().world.removeDevice(door);
  const removed = await watcher.event('REMOVED', door);
  t.deepEqual(removed.device, changed.device);
  t.deepEqual(watcher.told, [`ADDED ${door}`, `CHANGED ${door}`, `REMOVED ${door}`]);
});

test.serial('a device that comes into reach becomes visible', async (t) => {
  const watcher = await devices().watching();
  await gateway().world.updateDevice(robot, { inRange: true });
  const { device } = await devices().update(robot);
  t.is(device?.isVisible, true);
  const changed = await watcher.event('CHANGED', robot);
  t.is(changed.device.isVisible, true);
  t.deepEqual(watcher.told, [`CHANGED ${robot}`]);
});

test.serial('a device that is connected and disconnected says so to those who watch', async (t) => {
  const watcher = await devices().watching({ deviceAddresses: [display] });
  const { stream, id } = await gateway().openSession({ deviceAddress: display });
  const connected = await watcher.event('CHANGED', display);
  const { session } = await stream.event('OPENED');
  t.like(connected.device, { isConnected: true, networkInterfaceGuid: session.networkInterface?.guid });
  await gateway().close(id, { waitForDisconnect: true });
  const disconnected = await watcher.event('CHANGED', display, ({ isConnected }) => isConnected === false);
  t.like(disconnected.device, { networkInterfaceGuid: '', interfaceAddress: '' });
  t.deepEqual(watcher.told, [`CHANGED ${display}`, `CHANGED ${display}`]);
});

test.serial(
  'a device that was removed is DEVICE_NOT_PAIRED before anything is started, until it is paired',
  async (t) => {
    const before = await devices().watching();
    await gateway().world.addDevice(door);
    await before.event('ADDED', door);
    await gateway().world.removeDevice(door);
    await before.event('REMOVED', door);
    const watcher = gateway().watch();
    await watcher.first(({ snapshotComplete }) => snapshotComplete);
    const error = await gateway().open({ deviceAddress: door }).status();
    t.is(error?.code, status.FAILED_PRECONDITION);
    t.like(error?.info, { reason: 'DEVICE_NOT_PAIRED', metadata: { device_address: door } });
    t.is(error?.native, undefined);
    t.is((await gateway().world.counts()).opens, 0n);
    const added = await devices().watching();
    await gateway().world.addDevice(door);
    await added.event('ADDED', door);
    const { id } = await gateway().openSession({ deviceAddress: door });
    await watcher.event(id, 'OPENED');
    t.true(watcher.events.every(({ session }) => session?.sessionId === id));
    watcher.cancel();
  },
);

test.serial('a watch resumes where it was cut, with all that was missed and without a snapshot', async (t) => {
  const whole = await devices().watching();
  const cut = await devices().watching();
  await gateway().world.updateDevice(display, { linkQuality: 1 });
  await cut.event('CHANGED', display);
  cut.cancel();
  await gateway().world.addDevice(door);
  await gateway().world.removeDevice(robot);
  await whole.event('REMOVED', robot);
  const resumed = devices().watch({ cursor: cut.cursor });
  await resumed.event('REMOVED', robot);
  await gateway().world.updateDevice(scanner, { linkQuality: 2 });
  await Promise.all([whole.event('CHANGED', scanner), resumed.event('CHANGED', scanner)]);
  t.true(resumed.messages.every(({ snapshot, snapshotComplete }) => snapshot.length === 0 && !snapshotComplete));
  t.deepEqual([...cut.events, ...resumed.events], whole.events);
});

test.serial('a filter shows what was asked for and nothing else, also of devices that are yet to come', async (t) => {
  const watcher = devices().watch({ deviceAddresses: [door.toUpperCase().replaceAll(':', '-'), printer] });
  const [only, ...others] = await watcher.snapshot();
  t.is(only?.deviceAddress, printer);
  t.deepEqual(others, []);
  await gateway().world.updateDevice(display, { linkQuality: 5 });
  await gateway().world.addDevice(door);
  await watcher.event('ADDED', door);
  await gateway().world.removeDevice(robot);
  await gateway().world.removeDevice(printer);
  await watcher.event('REMOVED', printer);
  t.deepEqual(watcher.told, [`ADDED ${door}`, `REMOVED ${printer}`]);
});

test.serial('a quiet watch gets bookmarks, and a filtered one is told how far it is', async (t) => {
  const watcher = devices().watch({ deviceAddresses: [display], bookmarkInterval: { seconds: 1n, nanos: 0 } });
  await watcher.snapshot();
  const { cursor } = watcher;
  const other = await devices().watching();
  await gateway().world.updateDevice(robot, { linkQuality: 9 });
  await other.event('CHANGED', robot);
  const bookmark = await watcher.first((message) => !message.snapshotComplete && message.cursor !== cursor);
  t.like(bookmark, { events: [], snapshot: [], cursor: other.cursor });
});

test.serial(
  'a query that Windows aborts is made anew: changes meanwhile are told, and nothing that is not so',
  async (t) => {
    const watcher = await devices().watching();
    t.is(await gateway().world.abortDeviceQueries(), 1);
    await gateway().world.updateDevice(display, { name: 'Renamed meanwhile' });
    await gateway().world.addDevice(door);
    await gateway().world.removeDevice(robot);
    await watcher.event('REMOVED', robot);
    await watcher.event('ADDED', door);
    await watcher.event('CHANGED', display);
    t.deepEqual(watcher.told.toSorted(), [`ADDED ${door}`, `CHANGED ${display}`, `REMOVED ${robot}`]);
    t.is((await gateway().world.counts()).queries, 1);
  },
);

test.serial('a query that can not be made anew at first is tried again', async (t) => {
  const watcher = await devices().watching();
  await gateway().world.scriptCall({ function: 'DevCreateObjectQuery', code: 0x8007000e, count: 3 });
  await gateway().world.abortDeviceQueries();
  await gateway().world.removeDevice(robot);
  await watcher.event('REMOVED', robot);
  t.deepEqual(watcher.told, [`REMOVED ${robot}`]);
  t.deepEqual((await devices().list()).devices.length, 5);
});

const bad: readonly [string, Parameters<ReturnType<typeof devices>['watch']>[0]][] = [
  ['cursor', { cursor: 'garbage' }],
  ['device_addresses', { deviceAddresses: Array(1001).fill(display) }],
  ['device_addresses[1]', { deviceAddresses: [display, 'x'] }],
  ['bookmark_interval', { bookmarkInterval: { seconds: 0n, nanos: 999_000_000 } }],
  ['bookmark_interval', { bookmarkInterval: { seconds: 301n, nanos: 0 } }],
];

for (const [index, [field, fields]] of bad.entries()) {
  test.serial(`a bad ${field} is refused and named (${index})`, async (t) => {
    const error = await devices().watch(fields).status();
    t.like(error, { code: status.INVALID_ARGUMENT, fields: [field] });
    t.is(error?.info?.reason, 'INVALID_FIELD');
  });
}
