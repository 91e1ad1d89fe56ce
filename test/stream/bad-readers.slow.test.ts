/**
 * Readers that stop, never start, freeze or die: the host's memory stays bounded, what they held is
 * released, and the others get everything in time.
 */
import { once } from 'node:events';
import { constants } from 'node:http2';
import { connect } from 'node:net';
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { EventSource, SessionEndReason, SessionState } from '../../proto/gen/wifidirect/v1/session.js';
import { display, forklifts, type Gateway, gatewayForThisFile, type Watcher } from '../harness/gateway.js';
import { StreamValidator } from '../harness/validator.js';
import { makeEvents, makeHistory, newId, openLeased, readTo, unpaced } from './lively.js';
import { residentBytes, socketCount } from './process-view.js';
import { RawConnection, sequenceOf } from './raw-client.js';
import { ReaderProcess } from './reader-process.js';

const KEEPALIVE_MS = 2000;
const QUEUE_EVENTS = 500;
/** Longer than a busy machine takes to make a few hundred events. */
const GRACE_MS = 5000;
const MEGABYTE = 2 ** 20;

const gateway = gatewayForThisFile(
  ...[
    `keepalive.timeMs=${KEEPALIVE_MS}`,
    `keepalive.timeoutMs=${KEEPALIVE_MS}`,
    `events.watcherQueueEventsMax=${QUEUE_EVENTS}`,
    'events.batchEventsMax=100',
    `events.watcherGraceMs=${GRACE_MS}`,
    'limits.watchersPerPrincipalMax=300',
  ].flatMap((setting) => ['--set', setting]),
  ...unpaced,
);

const pid = () => gateway().daemon.pid ?? 0;

/** Watches, and keeps how late each event was. */
function watchLateness(of: Gateway): { watcher: Watcher; lateMs: number[] } {
  const watcher = of.watch();
  const lateMs: number[] = [];
  watcher.stream.on('data', ({ events }: Watcher['messages'][number]) => {
    for (const { time } of events) lateMs.push(Date.now() - (time?.getTime() ?? 0));
  });
  return { watcher, lateMs };
}

test.serial('a hundred that stop or never start cost little, and the others get every event in time', async (t) => {
  t.timeout(120_000);
  const ids = await openLeased(gateway(), 4);
  const good = [1, 2, 3].map(() => watchLateness(gateway()));
  const connections = await Promise.all(
    [0, 0, 65_535, 65_535].map((windowBytes) => RawConnection.open(gateway().daemon.address, { windowBytes })),
  );
  const bad = connections.flatMap((connection) => Array.from({ length: 25 }, () => connection.watch()));
  await Promise.all(bad.map(({ headers }) => headers));
  await makeEvents(gateway(), ids, QUEUE_EVENTS);
  const beforeBytes = residentBytes(pid());
  let mostBytes = beforeBytes;
  let to = '';
  for (let rounds = 0; rounds < 10; rounds += 1) {
    to = await makeEvents(gateway(), ids, QUEUE_EVENTS);
    mostBytes = Math.max(mostBytes, residentBytes(pid()));
  }
  for (const { watcher } of good)
    await watcher.first(({ cursor }) => cursor !== '' && sequenceOf(cursor) >= sequenceOf(to));
  for (const { status: said, resetCode } of await Promise.all(bad.map(({ ended }) => ended))) {
    t.is(said, undefined);
    t.is(resetCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }
  const late = good.flatMap(({ lateMs }) => lateMs).toSorted((a, b) => a - b);
  const [median = 0, worst = 0] = [late[late.length >> 1], late.at(-1)];
  const grown = (mostBytes - beforeBytes) / MEGABYTE;
  t.log(`${late.length} deliveries, ${median} ms late, at worst ${worst} ms; ${grown.toFixed(1)} MB more memory`);
  // Nobody waits for the grace of another.
  t.true(worst < GRACE_MS);
  t.true(grown < 100);
  for (const { watcher } of good) watcher.cancel();
  for (const connection of connections) connection.cut();
});

test.serial(
  'one that reads again in time is told WATCHER_TOO_SLOW with its last cursor, and resumes from it',
  async (t) => {
    const ids = await openLeased(gateway(), 4);
    const connection = await RawConnection.open(gateway().daemon.address);
    const stream = connection.watch();
    await stream.headers;
    const to = await makeEvents(gateway(), ids, 2.5 * QUEUE_EVENTS);
    const validator = new StreamValidator();
    validator.connected('');
    stream.read((message) => validator.message(message));
    const { status: said } = await stream.ended;
    validator.disconnected();
    t.is(said?.code, status.RESOURCE_EXHAUSTED);
    t.is(said?.info?.reason, 'WATCHER_TOO_SLOW');
    const cursor = said?.info?.metadata['cursor'] ?? '';
    t.is(cursor, validator.cursor);
    t.true(sequenceOf(cursor) < sequenceOf(to) - BigInt(QUEUE_EVENTS));
    await readTo(connection.watch({ cursor }), to, { from: cursor, validator });
    connection.cut();
  },
);

test.serial('one that does not is reset after the grace, and resumes from where it was', async (t) => {
  const ids = await openLeased(gateway(), 4);
  const connection = await RawConnection.open(gateway().daemon.address, { windowBytes: 20_000 });
  const validator = new StreamValidator();
  const stream = connection.watch();
  validator.connected('');
  await new Promise<void>((resolve) => {
    stream.read((message) => {
      validator.message(message);
      stream.pause();
      resolve();
    });
  });
  const to = await makeEvents(gateway(), ids, 3 * QUEUE_EVENTS);
  const { resetCode } = await stream.ended;
  validator.disconnected();
  t.is(resetCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  const from = validator.cursor;
  await readTo(connection.watch({ cursor: from }), to, { from, validator });
  connection.cut();
});

test.serial('one that comes back from far behind is not too slow for that', async (t) => {
  const { newestCursor: from } = await gateway().getHost();
  const to = await makeHistory(gateway(), 3 * QUEUE_EVENTS);
  const connection = await RawConnection.open(gateway().daemon.address, { windowBytes: 0 });
  const stream = connection.watch({ cursor: from });
  await stream.headers;
  await makeHistory(gateway(), QUEUE_EVENTS / 2);
  await connection.setWindow(65_535);
  const messages = await readTo(stream, to, { from });
  t.true(messages.length >= 15);
  connection.cut();
});

test.serial('one that does not read the stream of its leased session loses the stream, not the session', async (t) => {
  const connection = await RawConnection.open(gateway().daemon.address, { windowBytes: 0 });
  const sessionId = newId();
  const stream = connection.openSession({ sessionId, deviceAddress: display, leaseTtl: { seconds: 600n } });
  await stream.headers;
  await gateway().until(async () => (await gateway().get(sessionId)).state === SessionState.OPEN);
  await makeEvents(gateway(), [sessionId], 300);
  await connection.setWindow(1_000_000);
  stream.read(() => {});
  const { status: said } = await stream.ended;
  t.is(said?.info?.reason, 'WATCHER_TOO_SLOW');
  t.is(said?.info?.metadata['session_id'], sessionId);
  t.is((await gateway().get(sessionId)).state, SessionState.OPEN);
  connection.cut();
});

test.serial(
  'one that is frozen is found by keepalive: what it held is released, also its socket, and it can come back',
  async (t) => {
    const ids = await openLeased(gateway(), 2);
    const watcher = gateway().watch();
    await watcher.first(({ snapshotComplete }) => snapshotComplete);
    const sockets = socketCount(pid());
    const sessionId = newId();
    await using reader = await ReaderProcess.start(gateway().daemon.address, {
      sessionId,
      deviceAddress: forklifts[0],
      watches: 100,
    });
    await watcher.event(sessionId, 'OPENED');
    t.is(socketCount(pid()), sockets + 1);

    reader.freeze();
    const frozenMs = performance.now();
    // More than the buffers of the system take, so that the daemon is in the middle of a write when
    // it gives up.
    await makeEvents(gateway(), ids, 1000);
    const closed = await watcher.event(sessionId, 'CLOSED');
    const tookMs = performance.now() - frozenMs;
    t.log(`closed after ${tookMs.toFixed(0)} ms`);
    t.is(closed.session?.end?.reason, SessionEndReason.STREAM_ENDED);
    t.is(closed.cause?.source, EventSource.STREAM_LOST);
    await gateway().until(async () => (await gateway().getHost()) !== undefined && socketCount(pid()) === sockets);

    reader.thaw();
    const to = await makeEvents(gateway(), ids, 10);
    await reader.reached(to);
    watcher.cancel();
  },
);

test.serial('one that is killed leaves nothing behind', async (t) => {
  const watcher = gateway().watch();
  await watcher.first(({ snapshotComplete }) => snapshotComplete);
  const sockets = socketCount(pid());
  const sessionId = newId();
  const reader = await ReaderProcess.start(gateway().daemon.address, {
    sessionId,
    deviceAddress: forklifts[0],
    watches: 10,
  });
  await watcher.event(sessionId, 'OPENED');
  await reader.kill();
  const closed = await watcher.event(sessionId, 'CLOSED');
  t.is(closed.session?.end?.reason, SessionEndReason.STREAM_ENDED);
  t.is(socketCount(pid()), sockets);
  watcher.cancel();
});

test.serial('one that connects and then says nothing is let go', async (t) => {
  const { hostname, port } = new URL(`http://${gateway().daemon.address}`);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.resume();
  await once(socket, 'close');
  t.pass();
});
