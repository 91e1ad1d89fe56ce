/**
 * The addresses of an open session: of this host and of the peer, as soon as they are known, fit to
 * connect to as they stand.
 */
import { isIPv4, isIPv6 } from 'node:net';
import test from 'ava';
import type { NetworkInterface } from '../../proto/gen/wifidirect/v1/session.js';
import { EventSource, SessionEventType, SessionKind } from '../../proto/gen/wifidirect/v1/session.js';
import { devicesForThisFile } from '../harness/devices.js';
import { display, gatewayForThisFile, type Opened, printer, scanner } from '../harness/gateway.js';

const gateway = gatewayForThisFile('--set', 'driver.linkPollMs=50');
const devices = devicesForThisFile(gateway);

const gate = '02:00:00:00:00:0a';

test.serial.beforeEach(() => gateway().world.setDefaults({ open: 5, legacyOpen: 5, close: 5, address: 5 }));

/** The interface of the first event of a stream that has it so. */
async function told(stream: Opened, isSo: (network: NetworkInterface) => boolean): Promise<NetworkInterface> {
  const { event } = await stream.first(
    (message) => message.event?.session?.networkInterface !== undefined && isSo(message.event.session.networkInterface),
  );
  return event?.session?.networkInterface as NetworkInterface;
}

const isWhole = ({ localAddresses, peerAddresses }: NetworkInterface) =>
  localAddresses.length === 2 && peerAddresses.length === 2;

test.serial('addresses that come late are added by a later event; the interface is known from the start', async (t) => {
  await gateway().world.setClock('manual');
  await gateway().world.updateDevice(display, { addressMs: 5000 });
  await gateway().world.scriptOpen({ deviceAddress: display, delayMs: 0 });
  const stream = gateway().open({ deviceAddress: display });
  const { session } = await stream.event('OPENED');
  const early = session.networkInterface;
  t.regex(early?.alias ?? '', /^Local Area Connection\* \d+$/);
  t.true((early?.index ?? 0) > 0 && (early?.luid ?? 0n) > 0n);
  t.deepEqual(early?.peerAddresses, []);
  t.false(early?.localAddresses.some(isIPv4));
  await gateway().world.advance(5000);
  const late = await told(stream, isWhole);
  t.like(late, { guid: early?.guid, luid: early?.luid, index: early?.index, alias: early?.alias });
  const { cause, type } = stream.events.at(-1) ?? {};
  t.is(type, SessionEventType.NETWORK_INTERFACE_CHANGED);
  t.is(cause?.source, EventSource.NATIVE);
  t.deepEqual((await gateway().get(session.sessionId)).networkInterface, late);
});

test.serial('a backend can connect to the peer from the event alone', async (t) => {
  const stream = gateway().open({ deviceAddress: display });
  const { index, localAddresses, peerAddresses } = await told(stream, isWhole);
  for (const [v4 = '', v6 = ''] of [localAddresses, peerAddresses]) {
    t.true(isIPv4(v4), v4);
    t.true(isIPv6(v6), v6);
    t.regex(v6, new RegExp(`^fe80::[0-9a-f:]+%${index}$`), 'a link-local address says on which link it is');
  }
  t.is(new Set([...localAddresses, ...peerAddresses]).size, 4);
});

test.serial('the peer is found by the interface address of its device, not by its device address', async (t) => {
  await gateway().world.addDevice(gate, { interfaceAddress: '0a:00:00:00:00:01', peerAddress: '10.1.2.3' });
  await devices()
    .watch()
    .until((all) => all.some(({ deviceAddress }) => deviceAddress === gate));
  const stream = gateway().open({ deviceAddress: gate });
  const { peerAddresses, index } = await told(stream, isWhole);
  t.deepEqual(peerAddresses, ['10.1.2.3', `fe80::800:ff:fe00:1%${index}`]);
});

test.serial('IPv4 comes before IPv6, whatever the digits', async (t) => {
  await gateway().world.addDevice(gate, { localAddress: '9.9.9.9', peerAddress: '255.1.1.1' });
  await devices()
    .watch()
    .until((all) => all.some(({ deviceAddress }) => deviceAddress === gate));
  const { localAddresses, peerAddresses } = await told(gateway().open({ deviceAddress: gate }), isWhole);
  t.is(localAddresses[0], '9.9.9.9');
  t.is(peerAddresses[0], '255.1.1.1');
});

test.serial('addresses that change are told anew', async (t) => {
  const stream = gateway().open({ deviceAddress: display });
  await told(stream, isWhole);
  await gateway().world.updateDevice(display, { localAddress: '10.7.7.2', peerAddress: '10.7.7.1' });
  const changed = await told(stream, (network) => isWhole(network) && network.localAddresses[0] === '10.7.7.2');
  t.is(changed.peerAddresses[0], '10.7.7.1');
  t.deepEqual(stream.types, ['OPENING', 'OPENED']);
});

test.serial('each session has the addresses of its own link', async (t) => {
  const streams = [display, scanner].map((deviceAddress) => gateway().open({ deviceAddress }));
  const networks = await Promise.all(streams.map((stream) => told(stream, isWhole)));
  t.is(new Set(networks.map(({ guid }) => guid)).size, 2);
  t.is(new Set(networks.flatMap(({ localAddresses, peerAddresses }) => [...localAddresses, ...peerAddresses])).size, 8);
});

test.serial('a legacy session learns its addresses like any other', async (t) => {
  const stream = gateway().open({ deviceAddress: printer, kind: SessionKind.LEGACY });
  t.true(isIPv4((await told(stream, isWhole)).peerAddresses[0] ?? ''));
});

test.serial('addresses that Windows can not tell for a while are not taken for lost', async (t) => {
  const stream = gateway().open({ deviceAddress: display });
  const whole = await told(stream, isWhole);
  const before = stream.events.length;
  await gateway().world.scriptCall({ function: 'GetUnicastIpAddressTable', code: 8, count: 3 });
  await gateway().world.scriptCall({ function: 'GetIpNetTable2', code: 14, count: 3 });
  const watcher = await devices().watching();
  for (const linkQuality of [1, 2, 3, 4]) {
    await gateway().world.updateDevice(display, { linkQuality });
    await watcher.event('CHANGED', display, (device) => device.linkQuality === linkQuality);
  }
  await gateway().world.updateDevice(display, { peerAddress: '10.8.8.8' });
  await told(stream, (network) => network.peerAddresses[0] === '10.8.8.8' && network.localAddresses.length === 2);
  const between = stream.events.slice(before).map(({ session }) => session?.networkInterface);
  t.true(between.every((network) => network?.localAddresses.includes(whole.localAddresses[1] ?? '')));
});

test.serial('an ended session keeps the interface and addresses that it had', async (t) => {
  const stream = gateway().open({ deviceAddress: display });
  const whole = await told(stream, isWhole);
  const [{ session } = { session: undefined }] = stream.events;
  await gateway().close(session?.sessionId ?? '', { waitForDisconnect: true });
  t.deepEqual((await gateway().get(session?.sessionId ?? '')).networkInterface, whole);
});

test.serial('an interface that Windows names only later is told when it does', async (t) => {
  await gateway().world.scriptCall({ function: 'GetIfEntry2', code: 31 });
  const stream = gateway().open({ deviceAddress: display });
  const { session } = await stream.event('OPENED');
  t.like(session.networkInterface, { index: 0, alias: '' });
  const { index, alias } = await told(stream, isWhole);
  t.true(index > 0);
  t.not(alias, '');
});
