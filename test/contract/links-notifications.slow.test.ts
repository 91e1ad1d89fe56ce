/**
 * What is not told, or told late, or told by a query that dies: links are judged rightly all the
 * same.
 */
import test from 'ava';
import { DisconnectEvidence, SessionEndReason, SessionState } from '../../proto/gen/wifidirect/v1/session.js';
import { devicesForThisFile } from '../harness/devices.js';
import { display, forklifts, gatewayForThisFile, robot } from '../harness/gateway.js';
import { ALWAYS } from '../harness/world.js';

const gateway = gatewayForThisFile(
  ...['--set', 'driver.linkPollMs=50'],
  ...['--set', 'driver.reopenBackoffMinMs=20'],
  ...['--set', 'session.closeTimeoutMs=60000'],
);
const devices = devicesForThisFile(gateway);
const [forklift, otherForklift] = forklifts;

test.serial.beforeEach(() => gateway().world.setDefaults({ open: 5, close: 5, address: 5 }));

/** Has the daemon look at the link of a device, twice: each change of the device makes it look. */
async function look(address: string): Promise<void> {
  const watcher = await devices().watching();
  for (const linkQuality of [1, 2]) {
    await gateway().world.updateDevice(address, { linkQuality });
    await watcher.event('CHANGED', address, (device) => device.linkQuality === linkQuality);
  }
}

test.serial('without notifications the poll finds a lost link, and its device', async (t) => {
  const watcher = await devices().watching();
  const { stream } = await gateway().openSession({ deviceAddress: display });
  await watcher.event('CHANGED', display, ({ isConnected }) => isConnected === true);
  await gateway().world.setNotifications('none');
  await gateway().world.dropLink(display);
  const { session } = await stream.event('CLOSED');
  t.is(session.end?.reason, SessionEndReason.PEER_DISCONNECTED);
  t.is(session.end?.evidence, DisconnectEvidence.DEVICE_DISCONNECTED);
  await watcher.event('CHANGED', display, ({ isConnected }) => isConnected === false);
});

test.serial('without notifications the poll finds one lost link of several on an interface', async (t) => {
  const [lost, kept] = await Promise.all(forklifts.map((deviceAddress) => gateway().openSession({ deviceAddress })));
  for (const address of forklifts) await devices().connected(address);
  await gateway().world.setNotifications('none');
  await gateway().world.dropLink(forklift);
  const closed = await lost?.stream.event('CLOSED');
  t.is(closed?.session.end?.evidence, DisconnectEvidence.DEVICE_DISCONNECTED);
  t.is((await gateway().get(kept?.id ?? '')).state, SessionState.OPEN);
});

test.serial('without notifications a session opens, learns its addresses and closes', async (t) => {
  const watcher = await devices().watching();
  await gateway().world.setNotifications('none');
  const { stream, id } = await gateway().openSession({ deviceAddress: display });
  await stream.event('NETWORK_INTERFACE_CHANGED');
  await watcher.event('CHANGED', display, ({ isConnected }) => isConnected === true);
  const { session } = await gateway().close(id, { waitForDisconnect: true });
  t.is(session?.end?.evidence, DisconnectEvidence.DEVICE_DISCONNECTED);
});

test.serial('without notifications of devices the interface is told, and the device is asked', async (t) => {
  const { stream } = await gateway().openSession({ deviceAddress: display });
  await devices().connected(display);
  await gateway().world.setNotifications({ devices: false });
  await gateway().world.dropLink(display);
  const { session } = await stream.event('CLOSED');
  t.is(session.end?.evidence, DisconnectEvidence.DEVICE_DISCONNECTED);
});

test.serial('an interface that comes up only after the open has succeeded is not a lost link', async (t) => {
  await gateway().world.setClock('manual');
  await gateway().world.scriptOpen({ deviceAddress: display, delayMs: 0, interfaceMs: 1000, nodeMs: 0 });
  const { stream, id } = await gateway().openSession({ deviceAddress: display });
  await look(display);
  t.is((await gateway().get(id)).state, SessionState.OPEN);
  await gateway().world.advance(2000);
  await stream.event('NETWORK_INTERFACE_CHANGED');
  await look(display);
  t.deepEqual(stream.types, ['OPENING', 'OPENED']);
});

test.serial('a device node that follows only after the open has succeeded is not a lost link', async (t) => {
  const watcher = await devices().watching();
  await gateway().world.setClock('manual');
  await gateway().world.scriptOpen({ deviceAddress: display, delayMs: 0, nodeMs: 5000, interfaceMs: 5000 });
  const { stream, id } = await gateway().openSession({ deviceAddress: display });
  await look(display);
  t.is((await gateway().get(id)).state, SessionState.OPEN);
  await gateway().world.advance(5000);
  await watcher.event('CHANGED', display, ({ isConnected }) => isConnected === true);
  await gateway().world.dropLink(display, { interfaceMs: 'never' });
  const { session } = await stream.event('CLOSED');
  t.is(session.end?.evidence, DisconnectEvidence.DEVICE_DISCONNECTED);
});

test.serial('a device node that never follows does not end the session', async (t) => {
  await gateway().world.scriptOpen({ deviceAddress: display, nodeMs: 'never' });
  const { stream, id } = await gateway().openSession({ deviceAddress: display });
  await stream.event('NETWORK_INTERFACE_CHANGED');
  await look(display);
  t.is((await gateway().get(id)).state, SessionState.OPEN);
  t.falsy((await devices().get(display))?.isConnected);
  await gateway().world.dropLink(display);
  const { session } = await stream.event('CLOSED');
  t.is(session.end?.evidence, DisconnectEvidence.INTERFACE_GONE);
});

test.serial('a session that was never seen connected is closed with evidence all the same', async (t) => {
  await gateway().world.scriptOpen({ deviceAddress: display, nodeMs: 'never' });
  await gateway().world.scriptClose({ deviceAddress: display, end: { interfaceMs: 'never' } });
  const { id } = await gateway().openSession({ deviceAddress: display });
  const { session } = await gateway().close(id, { waitForDisconnect: true });
  t.is(session?.end?.evidence, DisconnectEvidence.DEVICE_DISCONNECTED);
});

test.serial('a query that dies while sessions live takes none of them along', async (t) => {
  const watcher = await devices().watching();
  const { stream, id } = await gateway().openSession({ deviceAddress: display });
  await watcher.event('CHANGED', display, ({ isConnected }) => isConnected === true);
  for (let times = 0; times < 3; times += 1) {
    // The poll may have told the change of before; so it is waited for until a new query has taken
    // the place of the last.
    while ((await gateway().world.abortDeviceQueries()) === 0);
    await gateway().world.updateDevice(robot, { linkQuality: 50 + times });
    await watcher.event('CHANGED', robot, ({ linkQuality }) => linkQuality === 50 + times);
  }
  t.is((await gateway().get(id)).state, SessionState.OPEN);
  t.deepEqual(stream.types, ['OPENING', 'OPENED']);
  t.deepEqual(new Set(watcher.told), new Set([`CHANGED ${display}`, `CHANGED ${robot}`]));
  await gateway().world.dropLink(display);
  const { session } = await stream.event('CLOSED');
  t.is(session.end?.evidence, DisconnectEvidence.DEVICE_DISCONNECTED);
});

test.serial('a link that is lost while there is no query is found all the same', async (t) => {
  const { stream } = await gateway().openSession({ deviceAddress: otherForklift });
  const { stream: other } = await gateway().openSession({ deviceAddress: forklift });
  for (const address of forklifts) await devices().connected(address);
  await gateway().world.scriptCall({ function: 'DevCreateObjectQuery', blockMs: 'never' });
  await gateway().world.abortDeviceQueries();
  await gateway().world.dropLink(otherForklift);
  const { session } = await stream.event('CLOSED');
  t.is(session.end?.evidence, DisconnectEvidence.DEVICE_DISCONNECTED);
  t.deepEqual(other.types, ['OPENING', 'OPENED']);
  await gateway().world.releaseCalls();
});

test.serial('questions that hang in Windows keep no session from being opened, lost and closed', async (t) => {
  for (const name of ['GetIfEntry2', 'ConvertInterfaceGuidToLuid', 'GetUnicastIpAddressTable', 'GetIpNetTable2']) {
    await gateway().world.scriptCall({ function: name, blockMs: 'never', count: ALWAYS });
  }
  const { stream } = await gateway().openSession({ deviceAddress: display });
  const { id } = await gateway().openSession({ deviceAddress: forklift });
  for (const address of [display, forklift]) await devices().connected(address);
  await gateway().world.dropLink(display);
  const dropped = await stream.event('CLOSED');
  t.is(dropped.session.end?.evidence, DisconnectEvidence.DEVICE_DISCONNECTED);
  const { session } = await gateway().close(id, { waitForDisconnect: true });
  t.is(session?.end?.evidence, DisconnectEvidence.DEVICE_DISCONNECTED);
  await gateway().world.reset();
});
