/**
 * Several sessions on one interface, this host being group owner: they do not confuse each other.
 */
import test from 'ava';
import { DisconnectEvidence, SessionEndReason, SessionState } from '../../proto/gen/wifidirect/v1/session.js';
import { devicesForThisFile } from '../harness/devices.js';
import { forklifts, gatewayForThisFile, type Opened } from '../harness/gateway.js';

const gateway = gatewayForThisFile(...['--set', 'driver.linkPollMs=50'], ...['--set', 'session.closeTimeoutMs=60000']);
const devices = devicesForThisFile(gateway);
const [one, other] = forklifts;
/** A third member of their group. */
const pallet = '02:11:22:33:44:07';

test.serial.beforeEach(() => gateway().world.setDefaults({ open: 5, close: 5, address: 5 }));

/** Opens, and waits for the addresses of both ends. */
async function openLink(deviceAddress: string): Promise<{ stream: Opened; id: string }> {
  const opened = await gateway().openSession({ deviceAddress });
  await opened.stream.first(({ event }) => event?.session?.networkInterface?.peerAddresses.length === 2);
  await devices().connected(deviceAddress);
  return opened;
}

async function networkInterface(id: string) {
  return (await gateway().get(id)).networkInterface;
}

test.serial('both are on the same interface, each with the addresses of its own peer', async (t) => {
  const [first, second] = [await openLink(one), await openLink(other)];
  const [a, b] = [await networkInterface(first.id), await networkInterface(second.id)];
  t.is(a?.guid, b?.guid);
  t.is(a?.index, b?.index);
  t.deepEqual(a?.localAddresses, b?.localAddresses);
  t.is(
    a?.peerAddresses.some((address) => b?.peerAddresses.includes(address)),
    false,
  );
  t.is(a?.peerAddresses.length, 2);
  t.is(b?.peerAddresses.length, 2);
});

test.serial('one is closed: CLOSED by its own device, and the other goes on as before', async (t) => {
  const [first, second] = [await openLink(one), await openLink(other)];
  const before = await networkInterface(second.id);
  const { session } = await gateway().close(first.id, { waitForDisconnect: true });
  t.is(session?.end?.evidence, DisconnectEvidence.DEVICE_DISCONNECTED);
  t.is((await gateway().get(second.id)).state, SessionState.OPEN);
  t.deepEqual(await networkInterface(second.id), before);
  t.deepEqual(second.stream.types, ['OPENING', 'OPENED']);
  t.true((await devices().get(other))?.isConnected);
});

test.serial('one is dropped: PEER_DISCONNECTED for it alone; then the other is closed', async (t) => {
  const [first, second] = [await openLink(one), await openLink(other)];
  await gateway().world.dropLink(one);
  const dropped = await first.stream.event('CLOSED');
  t.is(dropped.session.end?.reason, SessionEndReason.PEER_DISCONNECTED);
  t.is(dropped.session.end?.evidence, DisconnectEvidence.DEVICE_DISCONNECTED);
  t.deepEqual(second.stream.types, ['OPENING', 'OPENED']);
  const { session } = await gateway().close(second.id, { waitForDisconnect: true });
  t.is(session?.end?.reason, SessionEndReason.REQUESTED);
  t.is(session?.end?.evidence, DisconnectEvidence.DEVICE_DISCONNECTED);
});

test.serial('one is closed while the other opens, again and again', async (t) => {
  const first = await openLink(one);
  for (let times = 0; times < 5; times += 1) {
    const { id } = await openLink(other);
    const { session } = await gateway().close(id, { waitForDisconnect: true });
    t.is(session?.end?.evidence, DisconnectEvidence.DEVICE_DISCONNECTED);
  }
  t.deepEqual(first.stream.types, ['OPENING', 'OPENED']);
  t.is((await gateway().get(first.id)).state, SessionState.OPEN);
});

test.serial('the interface goes with the last of them, and takes nobody along before', async (t) => {
  await gateway().world.addDevice(pallet, { interfaceGroup: 'forklifts' });
  const watcher = await devices().watching();
  await watcher.until((all) => all.some(({ deviceAddress }) => deviceAddress === pallet));
  const sessions = [await openLink(one), await openLink(other), await openLink(pallet)];
  for (const { id } of sessions) {
    const { session } = await gateway().close(id, { waitForDisconnect: true });
    t.is(session?.end?.evidence, DisconnectEvidence.DEVICE_DISCONNECTED);
  }
});

test.serial('an interface that fails takes all of them along, each with the evidence of its device', async (t) => {
  const sessions = [await openLink(one), await openLink(other)];
  await Promise.all(forklifts.map((address) => gateway().world.dropLink(address)));
  for (const { stream } of sessions) {
    const { session } = await stream.event('CLOSED');
    t.is(session.end?.reason, SessionEndReason.PEER_DISCONNECTED);
    t.is(session.end?.evidence, DisconnectEvidence.DEVICE_DISCONNECTED);
  }
});

test.serial('where the devices do not say which neighbour they are, none is guessed', async (t) => {
  await gateway().world.scriptOpen({ nodeMs: 'never', count: 2 });
  // Both are open before either has addresses: of one alone there is nothing to guess.
  await gateway().world.setDefaults({ open: 5, close: 5, address: 1000 });
  const streams = forklifts.map((deviceAddress) => gateway().open({ deviceAddress }));
  const [first, second] = await Promise.all(streams.map((stream) => stream.event('OPENED')));
  const both = [first?.session.sessionId ?? '', second?.session.sessionId ?? ''];
  for (const stream of streams) {
    await stream.first(({ event }) => event?.session?.networkInterface?.localAddresses.length === 2);
  }
  for (const id of both) t.deepEqual((await networkInterface(id))?.peerAddresses, []);
});

test.serial('two sessions to one device: each is closed once, and the link ends with the last', async (t) => {
  const [first, second] = [await openLink(one), await openLink(one)];
  await gateway().world.setDefaults({ close: 0 });
  const closed = gateway().close(first.id, { waitForDisconnect: true });
  await first.stream.event('CLOSING');
  t.deepEqual(second.stream.types, ['OPENING', 'OPENED']);
  t.true((await devices().get(one))?.isConnected);
  await gateway().close(second.id, { waitForDisconnect: true });
  t.is((await closed).session?.end?.evidence, DisconnectEvidence.DEVICE_DISCONNECTED);
  t.is((await gateway().world.counts()).closes, 2n);
});
