/**
 * The ends of a watch of devices: an expired cursor, a reader who does not keep up, a host that
 * stops.
 */
import { once } from 'node:events';
import { connect, constants } from 'node:http2';
import { Metadata, status } from '@grpc/grpc-js';
import test from 'ava';
import { WatchDevicesRequest, WatchDevicesResponse } from '../../proto/gen/wifidirect/v1/device_service.js';
import { call, readError } from '../harness/calls.js';
import { type DeviceWatcher, devicesAtStart, devicesForThisFile, HostDevices } from '../harness/devices.js';
import { display, gatewayForThisFile, robot, withGateway } from '../harness/gateway.js';
import type { World } from '../harness/world.js';

const BATCH = 4;
const QUEUE = 8;

const limits = (...settings: string[]) => settings.flatMap((setting) => ['--set', `events.${setting}`]);
const gateway = gatewayForThisFile(
  ...limits(`batchEventsMax=${BATCH}`, `watcherQueueEventsMax=${QUEUE}`, 'watcherGraceMs=30000'),
);
const devices = devicesForThisFile(gateway);

/** Has the robot change so often; each change is an event that `watcher` has received. */
async function change(world: World, watcher: DeviceWatcher, times: number): Promise<void> {
  for (let quality = 1; quality <= times; quality += 1) {
    await world.updateDevice(robot, { linkQuality: quality });
    await watcher.event('CHANGED', robot, ({ linkQuality }) => linkQuality === quality);
  }
}

test.serial('a snapshot too large for one message comes in parts, with the cursor at its end', async (t) => {
  const watcher = devices().watch();
  t.deepEqual(await watcher.snapshot(), devicesAtStart);
  t.deepEqual(
    watcher.messages.map(({ snapshot, cursor }) => [snapshot.length, cursor !== '']),
    [
      [BATCH, false],
      [devicesAtStart.length - BATCH, true],
    ],
  );
});

test.serial('a cursor whose events are trimmed is CURSOR_EXPIRED, and the oldest can be resumed from', async (t) => {
  await withGateway(limits('logEventsMax=10', 'watcherQueueEventsMax=10', 'batchEventsMax=10'), async (other) => {
    const watches = new HostDevices(other);
    const watcher = await watches.watching();
    const { cursor } = watcher;
    await change(other.world, watcher, 15);
    const error = await watches.watch({ cursor }).status();
    t.is(error?.code, status.OUT_OF_RANGE);
    t.is(error?.info?.reason, 'CURSOR_EXPIRED');
    const resumed = watches.watch({ cursor: error?.info?.metadata['oldest_cursor'] ?? '' });
    await resumed.event('CHANGED', robot, ({ linkQuality }) => linkQuality === 15);
    t.deepEqual(resumed.events, watcher.events.slice(-10));
    t.deepEqual(watches.finish(), []);
  });
});

test.serial('a cursor of sessions, or of another life of the host, is CURSOR_EXPIRED', async (t) => {
  const { newestCursor } = await call(gateway().host.getHost.bind(gateway().host), {});
  for (const cursor of [newestCursor, 'fedcba9876543210.0']) {
    const error = await devices().watch({ cursor }).status();
    t.is(error?.code, status.OUT_OF_RANGE);
    t.is(error?.info?.reason, 'CURSOR_EXPIRED');
  }
});

test.serial('a cursor that is yet to come is INVALID_FIELD', async (t) => {
  const { cursor } = await devices().list();
  const error = await devices()
    .watch({ cursor: cursor.replace(/\d+$/, '999999') })
    .status();
  t.like(error, { code: status.INVALID_ARGUMENT, fields: ['cursor'] });
});

/**
 * A watch over plain HTTP/2, with room for a few bytes on the way, whose reader reads nothing until
 * it is told to.
 */
async function slowWatch(address: string, deviceAddress: string, roomBytes: number) {
  const connection = connect(`http://${address}`, { settings: { initialWindowSize: roomBytes } });
  const stream = connection.request({
    ':method': 'POST',
    ':path': '/wifidirect.v1.DeviceService/WatchDevices',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => {});
  const request = WatchDevicesRequest.fromPartial({ deviceAddresses: [deviceAddress] });
  const body = WatchDevicesRequest.encode(request).finish();
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(body.length, 1);
  stream.end(Buffer.concat([prefix, body]));
  const trailers = new Promise<Record<string, string>>((resolve) => stream.once('trailers', resolve));
  const closed = new Promise<void>((resolve) => stream.once('close', resolve)).then(() => connection.close());
  await once(stream, 'response');
  return {
    /** Reads on to the end: the messages, and the trailers. */
    async read() {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      return { trailers: await trailers, messages: messagesOf(Buffer.concat(chunks)) };
    },
    /** Waits until the host gives it up, and tells with which code of HTTP/2. */
    async reset(): Promise<number | undefined> {
      await closed;
      return stream.rstCode;
    },
  };
}

function messagesOf(bytes: Buffer): WatchDevicesResponse[] {
  const messages: WatchDevicesResponse[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    messages.push(WatchDevicesResponse.decode(bytes.subarray(at + 5, end)));
    at = end;
  }
  return messages;
}

test.serial('a slow reader is WATCHER_TOO_SLOW, resumes, and has lost nothing; others feel nothing', async (t) => {
  const watcher = await devices().watching({ deviceAddresses: [robot] });
  const slow = await slowWatch(gateway().daemon.address, robot, 256);
  await change(gateway().world, watcher, QUEUE + 6);
  const { messages, trailers } = await slow.read();
  t.is(trailers['grpc-status'], String(status.RESOURCE_EXHAUSTED));
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(trailers['grpc-status-details-bin'] ?? '', 'base64'));
  const { info } = readError(Object.assign(new Error(), { code: status.RESOURCE_EXHAUSTED, details: '', metadata }));
  t.is(info?.reason, 'WATCHER_TOO_SLOW');
  t.is(info?.metadata['cursor'], messages.at(-1)?.cursor);
  const resumed = devices().watch({ cursor: info?.metadata['cursor'] ?? '', deviceAddresses: [robot] });
  await resumed.event('CHANGED', robot, ({ linkQuality }) => linkQuality === QUEUE + 6);
  t.deepEqual([...messages.flatMap(({ events }) => events), ...resumed.events], watcher.events);
});

test.serial('a reader who never reads is reset after a grace', async (t) => {
  const flags = limits('batchEventsMax=2', 'watcherQueueEventsMax=2', 'watcherGraceMs=50');
  await withGateway(flags, async (other) => {
    const dead = await slowWatch(other.daemon.address, robot, 16);
    const alive = await new HostDevices(other).watching();
    await change(other.world, alive, 6);
    t.is(await dead.reset(), constants.NGHTTP2_ENHANCE_YOUR_CALM);
    t.deepEqual(alive.violations, []);
  });
});

test.serial('a watch of a host that stops ends UNAVAILABLE, HOST_STOPPING, with its last cursor', async (t) => {
  await withGateway([], async (other) => {
    const watcher = await new HostDevices(other).watching();
    await other.world.removeDevice(display);
    await watcher.event('REMOVED', display);
    const stopped = other.daemon.stop();
    const error = await watcher.status();
    t.is(error?.code, status.UNAVAILABLE);
    t.is(error?.info?.reason, 'HOST_STOPPING');
    t.is(error?.info?.metadata['cursor'], watcher.cursor);
    t.truthy(error?.retry);
    t.is(await stopped, 0);
  });
});
