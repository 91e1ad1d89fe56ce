/**
 * What Windows may make of a paired device: several nodes, properties elsewhere, pairings that do
 * not last, no answer.
 */
import test from 'ava';
import { ErrorReason } from '../../proto/gen/wifidirect/v1/error.js';
import { HostState } from '../../proto/gen/wifidirect/v1/host_service.js';
import { SessionState } from '../../proto/gen/wifidirect/v1/session.js';
import { devicesForThisFile, HostDevices } from '../harness/devices.js';
import { display, gatewayForThisFile, scanner, withGateway } from '../harness/gateway.js';
import { ALWAYS } from '../harness/world.js';

const quick = [
  '--set',
  'driver.reopenBackoffMinMs=20',
  '--set',
  'driver.reopenBackoffMaxMs=100',
  '--set',
  'driver.linkPollMs=50',
];
const gateway = gatewayForThisFile(...quick);
const devices = devicesForThisFile(gateway);

test.serial(
  'a device with several nodes is one device, and a session to it lives whatever its other nodes say',
  async (t) => {
    await gateway().world.setNode(display, '#MIRACAST', { connected: false });
    const { id, stream } = await gateway().openSession({ deviceAddress: display });
    await devices().connected(display);
    const watcher = await devices().watching({ deviceAddresses: [display] });
    // Each of these once read as a lost link, or as a device that is gone.
    await gateway().world.setNode(display, '#2', { connected: 'empty' });
    await gateway().world.setNode(display, '#MIRACAST', { connected: 'empty' });
    await gateway().world.removeNode(display, '#2');
    await gateway().world.removeNode(display, '#MIRACAST');
    // Reads by the poll and by a discovery.
    for (let reads = 0; reads < 3; reads += 1) await devices().update(display);
    t.is((await gateway().get(id)).state, SessionState.OPEN);
    t.true((await devices().get(display))?.isConnected);
    t.deepEqual(watcher.told, [], 'nothing about the device has changed');
    watcher.cancel();
    await gateway().close(id, { waitForDisconnect: true });
    t.is(await stream.status(), undefined);
  },
);

test.serial('a device is removed with its last node, and not before', async (t) => {
  const watcher = await devices().watching({ deviceAddresses: [display] });
  await gateway().world.setNode(display, '#MIRACAST');
  await gateway().world.removeNode(display, '');
  // A change of another device would come after these.
  await gateway().world.updateDevice(display, { linkQuality: 7 });
  const changed = await watcher.event('CHANGED', display);
  t.is(changed.device?.linkQuality, 7);
  await gateway().world.removeNode(display, '#MIRACAST');
  await watcher.event('REMOVED', display);
  t.deepEqual(watcher.told, [`CHANGED ${display}`, `REMOVED ${display}`]);
  watcher.cancel();
  const error = await gateway().open({ deviceAddress: display }).status();
  t.is(error?.info?.reason, 'DEVICE_NOT_PAIRED');
  t.is(error?.native, undefined, 'Windows has said so already');
});

test.serial('a pairing that is not persistent is told, ends with its session, and the refusal says why', async (t) => {
  const watcher = await devices().watching({ deviceAddresses: [scanner] });
  await gateway().world.updateDevice(scanner, { transient: true });
  t.true((await watcher.event('CHANGED', scanner)).device?.isTransient);
  const { id } = await gateway().openSession({ deviceAddress: scanner });
  await gateway().close(id, { waitForDisconnect: true });
  await watcher.event('REMOVED', scanner);
  watcher.cancel();
  const error = await gateway().open({ deviceAddress: scanner }).status();
  t.is(error?.info?.reason, 'DEVICE_NOT_PAIRED');
  t.regex(error?.message ?? '', /pairing was not persistent, and Windows forgot it/);
});

test.serial(
  'where device nodes have nothing, devices are found by their interfaces and the canonical address',
  async (t) => {
    await withGateway(quick, async (other) => {
      await other.world.setNodeProperties({ onDevices: false, onInterfaces: true });
      await other.world.abortDeviceQueries();
      const found = new HostDevices(other);
      await other.until(async () => (await found.list()).devices.length === 6);
      const { id } = await other.openSession({ deviceAddress: display });
      await found.connected(display);
      const { session } = await other.close(id, { waitForDisconnect: true });
      t.is(session?.state, SessionState.CLOSED);
      t.deepEqual(found.finish(), []);
      t.deepEqual(await other.world.misuse(), {});
    });
  },
);

test.serial('a query that Windows refuses makes the host DEGRADED, with its HRESULT, and sessions open', async (t) => {
  await gateway().world.scriptCall({ function: 'DevCreateObjectQuery', count: ALWAYS, code: 0x8007_0057 });
  await gateway().world.abortDeviceQueries();
  await gateway().until(async () => (await gateway().getHost()).state === HostState.DEGRADED);
  const host = await gateway().getHost();
  t.is(host.stateReason, ErrorReason.NATIVE_ERROR);
  t.regex(host.stateMessage, /^DevCreateObjectQuery: 0x80070057 ERROR_INVALID_PARAMETER: /);
  const { id } = await gateway().openSession({ deviceAddress: display });
  await gateway().close(id, { waitForDisconnect: true });
  await gateway().world.clearScripts();
  await gateway().until(async () => (await gateway().getHost()).state === HostState.READY);
});
