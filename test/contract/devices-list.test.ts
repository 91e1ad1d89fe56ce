/**
 * ListDevices: the paired devices as Windows knows them, in pages; what Windows leaves empty stays
 * unset.
 */
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { ListSessionsRequest } from '../../proto/gen/wifidirect/v1/session_service.js';
import { call, failure } from '../harness/calls.js';
import { devicesAtStart, devicesForThisFile } from '../harness/devices.js';
import { display, forklifts, gatewayForThisFile, printer, robot, scanner, withGateway } from '../harness/gateway.js';

const gateway = gatewayForThisFile();
const devices = devicesForThisFile(gateway);

/** Its name is not ASCII, and its address comes first. */
const door = '02:00:00:00:00:0a';

test.serial('every paired device is shown once, by address, with all its properties', async (t) => {
  const { devices: all, nextPageToken } = await devices().list();
  t.deepEqual(all, devicesAtStart);
  t.is(nextPageToken, '');
});

test.serial('truth is three-way: what Windows leaves empty is neither true nor false', async (t) => {
  const visible = async (address: string) => (await devices().get(address))?.isVisible;
  t.deepEqual([await visible(display), await visible(robot), await visible(printer)], [true, false, undefined]);
  const connected = async () => (await devices().get(scanner))?.isConnected;
  t.is(await connected(), undefined);
  const watcher = await devices().watching();
  const { id } = await gateway().openSession({ deviceAddress: scanner });
  await watcher.event('CHANGED', scanner, ({ isConnected }) => isConnected === true);
  t.is(await connected(), true);
  await gateway().close(id, { waitForDisconnect: true });
  await watcher.event('CHANGED', scanner, ({ isConnected }) => isConnected === false);
  t.is(await connected(), false);
});

test.serial(
  'a connected device has its address on the link and the interface of the session, others have none',
  async (t) => {
    const watcher = await devices().watching();
    const { stream, id } = await gateway().openSession({ deviceAddress: display });
    await watcher.event('CHANGED', display, ({ isConnected }) => isConnected === true);
    const { session } = await stream.event('OPENED');
    const device = await devices().get(display);
    t.is(device?.networkInterfaceGuid, session.networkInterface?.guid);
    t.is(device?.interfaceAddress, '02:11:22:33:44:81');
    await gateway().close(id, { waitForDisconnect: true });
    await watcher.event('CHANGED', display, ({ isConnected }) => isConnected === false);
    t.like(await devices().get(display), { networkInterfaceGuid: '', interfaceAddress: '' });
  },
);

test.serial('names are for people: of any script, or none', async (t) => {
  const watcher = await devices().watching();
  await gateway().world.addDevice(door, { name: 'Tür 7 – ворота 🚪' });
  await gateway().world.addDevice('02:00:00:00:00:0b');
  await watcher.event('ADDED', '02:00:00:00:00:0b');
  const { devices: all } = await devices().list({ pageSize: 2 });
  t.deepEqual(
    all.map(({ name }) => name),
    ['Tür 7 – ворота 🚪', ''],
  );
});

test.serial('pages hold every device once', async (t) => {
  const seen: string[] = [];
  let pageToken = '';
  do {
    const page = await devices().list({ pageSize: 4, pageToken });
    t.true(page.devices.length <= 4);
    seen.push(...page.devices.map(({ deviceAddress }) => deviceAddress));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  t.deepEqual(seen, [display, scanner, printer, robot, ...forklifts]);
  t.is((await devices().list({ pageSize: 6 })).nextPageToken, '');
});

test.serial('a device that is there while all pages are read is shown once, whatever comes and goes', async (t) => {
  const watcher = await devices().watching();
  const first = await devices().list({ pageSize: 2 });
  await gateway().world.removeDevice(display);
  await watcher.event('REMOVED', display);
  const second = await devices().list({ pageSize: 2, pageToken: first.nextPageToken });
  await gateway().world.addDevice(door);
  await watcher.event('ADDED', door);
  const third = await devices().list({ pageSize: 2, pageToken: second.nextPageToken });
  const seen = [first, second, third].flatMap((page) => page.devices.map(({ deviceAddress }) => deviceAddress));
  t.deepEqual(seen, [display, scanner, printer, robot, ...forklifts]);
});

test.serial('a bad page is refused and named', async (t) => {
  const { sessions } = gateway();
  for (const sessionId of ['page-a', 'page-b']) await gateway().openSession({ deviceAddress: scanner, sessionId });
  const ofSessions = await call(sessions.listSessions.bind(sessions), ListSessionsRequest.fromPartial({ pageSize: 1 }));
  t.not(ofSessions.nextPageToken, '');
  const bad = [
    ['page_size', { pageSize: -1 }],
    ['page_token', { pageToken: 'garbage' }],
    ['page_token', { pageToken: ofSessions.nextPageToken }],
  ] as const;
  for (const [field, fields] of bad) {
    const error = await failure(devices().list(fields));
    t.like(error, { code: status.INVALID_ARGUMENT, fields: [field] });
    t.is(error.info?.reason, 'INVALID_FIELD');
  }
});

test.serial('a page token of another life of the host is refused', async (t) => {
  const { nextPageToken } = await devices().list({ pageSize: 1 });
  await withGateway([], async (other) => {
    const list = other.devices.listDevices.bind(other.devices);
    const error = await failure(call(list, { pageSize: 1, pageToken: nextPageToken }));
    t.like(error, { code: status.INVALID_ARGUMENT, fields: ['page_token'] });
  });
});

test.serial('a watch from the cursor of a list sees all that came after', async (t) => {
  const { cursor } = await devices().list();
  await gateway().world.removeDevice(robot);
  const watcher = devices().watch({ cursor });
  await watcher.event('REMOVED', robot);
  t.deepEqual(watcher.told, [`REMOVED ${robot}`]);
});
