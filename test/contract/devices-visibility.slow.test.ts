/** UpdateDeviceVisibility: a targeted discovery, and the device as it is read back afterwards. */
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { failure } from '../harness/calls.js';
import { patience } from '../harness/daemon.js';
import { devicesForThisFile } from '../harness/devices.js';
import { display, gatewayForThisFile, printer, robot, scanner } from '../harness/gateway.js';
import { ALWAYS } from '../harness/world.js';
import { nativeCodes } from './native-codes.js';

const gateway = gatewayForThisFile();
const devices = devicesForThisFile(gateway);

test.serial.beforeEach(() => gateway().world.setDefaults({ visibility: 20 }));

/** Waits until so many calls hang in Windows. */
async function blocked(count: number): Promise<void> {
  while ((await gateway().world.counts()).callsBlocked < count);
}

test.serial('a device in reach is found, and a watcher that has passed the cursor has seen it', async (t) => {
  const watcher = await devices().watching();
  await gateway().world.updateDevice(robot, { inRange: true });
  const { device, discoveryCompleted, cursor } = await devices().update(robot);
  t.like(device, { deviceAddress: robot, isVisible: true });
  t.true(discoveryCompleted);
  const changed = await watcher.event('CHANGED', robot);
  t.deepEqual(changed.device, device);
  t.is(watcher.cursor, cursor);
});

test.serial('a device out of reach is not: that the native call succeeds is not the answer', async (t) => {
  await gateway().world.updateDevice(display, { inRange: false });
  const { device, discoveryCompleted } = await devices().update(display);
  t.is(device?.isVisible, false);
  t.true(discoveryCompleted);
});

test.serial('a discovery may leave the answer empty', async (t) => {
  await gateway().world.scriptVisibility({ deviceAddress: display, visible: 'empty' });
  t.is((await devices().update(display)).device?.isVisible, undefined);
});

test.serial('the answer is read back from Windows, not from what it has notified', async (t) => {
  await gateway().world.setNotifications('none');
  const watcher = await devices().watching();
  await gateway().world.updateDevice(robot, { inRange: true, linkQuality: 33 });
  const { device } = await devices().update(robot);
  t.like(device, { isVisible: true, linkQuality: 33 });
  t.deepEqual((await watcher.event('CHANGED', robot)).device, device);
  t.deepEqual(await devices().get(robot), device);
});

test.serial('the device is named as in every request, in upper case and with dashes too', async (t) => {
  const { device } = await devices().update(scanner.toUpperCase().replaceAll(':', '-'));
  t.is(device?.deviceAddress, scanner);
});

test.serial('a legacy device can be looked for like any other', async (t) => {
  t.is((await devices().update(printer)).device?.isVisible, true);
});

test.serial('a slow discovery is answered after the timeout, and goes on', async (t) => {
  const watcher = await devices().watching();
  await gateway().world.scriptVisibility({ deviceAddress: robot, delayMs: 'never', visible: true });
  const { device, discoveryCompleted } = await devices().update(robot, 1000);
  t.false(discoveryCompleted);
  t.is(device?.isVisible, false);
  t.is(await gateway().world.releaseCalls(), 1);
  t.is((await watcher.event('CHANGED', robot)).device.isVisible, true);
});

test.serial('a discovery that hangs holds up nobody', async (t) => {
  await gateway().world.scriptVisibility({ delayMs: 'never', count: ALWAYS });
  // One place of their lane is for others.
  const looking = [display, robot, printer].map((address) => devices().update(address, 5000 * patience));
  await blocked(3);
  const { id } = await gateway().openSession({ deviceAddress: display });
  await gateway().close(id, { waitForDisconnect: true });
  t.is((await devices().list()).devices.length, 6);
  t.is(await gateway().world.releaseCalls(), 3);
  for (const { discoveryCompleted } of await Promise.all(looking)) t.true(discoveryCompleted);
});

test.serial('two who look for the same device share one discovery', async (t) => {
  await gateway().world.scriptVisibility({ deviceAddress: robot, delayMs: 'never', visible: true, count: ALWAYS });
  const first = devices().update(robot, 60_000);
  await blocked(1);
  const second = devices().update(robot, 60_000);
  // Answered after the second has come in, on the same connection.
  await devices().list();
  t.is(await gateway().world.releaseCalls(), 1);
  for (const answer of await Promise.all([first, second])) {
    t.true(answer.discoveryCompleted);
    t.is(answer.device?.isVisible, true);
  }
});

test.serial('a caller who leaves does not end the discovery of another', async (t) => {
  await gateway().world.scriptVisibility({ deviceAddress: robot, delayMs: 'never', visible: true });
  const early = devices().update(robot, 1000);
  await blocked(1);
  const late = devices().update(robot, 60_000);
  t.false((await early).discoveryCompleted);
  await gateway().world.releaseCalls();
  t.like(await late, { discoveryCompleted: true });
});

test.serial('a device that is unpaired while it is looked for is DEVICE_NOT_FOUND', async (t) => {
  await gateway().world.scriptVisibility({ deviceAddress: robot, delayMs: 'never' });
  const answer = failure(devices().update(robot, 60_000));
  await blocked(1);
  await gateway().world.removeDevice(robot);
  await gateway().world.releaseCalls();
  t.is((await answer).info?.reason, 'DEVICE_NOT_FOUND');
});

const codes = [
  ...nativeCodes,
  // No handle is spoken of here.
  [6, status.INTERNAL, 'NATIVE_ERROR'],
  [87, status.INTERNAL, 'NATIVE_ERROR'],
  [4319, status.INTERNAL, 'NATIVE_ERROR'],
] as const;

for (const [code, expected, reason] of codes) {
  test.serial(`a discovery that fails with ${code} is ${reason}, and the device stays as it was`, async (t) => {
    await gateway().world.scriptVisibility({ deviceAddress: robot, code, delayMs: 0, visible: true });
    const error = await failure(devices().update(robot));
    t.is(error.code, expected);
    t.is(error.info?.reason, reason);
    t.like(error.native, { function: 'WFDUpdateDeviceVisibility', code });
    t.is((await devices().get(robot))?.isVisible, false);
  });
}

test.serial('a device that is not listed is looked for, and is DEVICE_NOT_FOUND where Windows says so', async (t) => {
  const address = '02:aa:aa:aa:aa:aa';
  const error = await failure(devices().update(address));
  t.is(error.code, status.NOT_FOUND);
  t.is(error.info?.reason, 'DEVICE_NOT_FOUND');
  t.like(error.native, { function: 'WFDUpdateDeviceVisibility', code: 1168 });
  t.like(error.resource, { resourceType: 'wifidirect.v1.Device', resourceName: address });
});

test.serial('a device that Windows has removed is DEVICE_NOT_FOUND, and nothing is looked for', async (t) => {
  const watcher = await devices().watching();
  await gateway().world.removeDevice(robot);
  await watcher.event('REMOVED', robot);
  await gateway().world.scriptVisibility({ delayMs: 'never', count: ALWAYS });
  const error = await failure(devices().update(robot));
  t.is(error.info?.reason, 'DEVICE_NOT_FOUND');
  t.is((await gateway().world.counts()).callsBlocked, 0);
});

for (const [field, address, timeoutMs] of [
  ['device_address', '', undefined],
  ['device_address', 'nonsense', undefined],
  ['device_address', '01:00:5e:00:00:01', undefined],
  ['timeout', display, 999],
  ['timeout', display, 120_001],
] as const) {
  test.serial(`a bad ${field} is refused and named: ${JSON.stringify(timeoutMs ?? address)}`, async (t) => {
    const error = await failure(devices().update(address, timeoutMs));
    t.like(error, { code: status.INVALID_ARGUMENT, fields: [field] });
    t.is(error.info?.reason, 'INVALID_FIELD');
  });
}
