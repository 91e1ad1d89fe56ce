/**
 * A watch on the wire: it says that it stands, shows what there is, and then tells what happens, in
 * as few messages as it can.
 */
import test from 'ava';
import { type SessionEvent, SessionEventType } from '../../proto/gen/wifidirect/v1/session.js';
import { gatewayForThisFile, withGateway } from '../harness/gateway.js';
import { makeHistory, openLeased, readTo, renew, renewalsIn, unpaced } from './lively.js';
import { RawConnection, sequenceOf } from './raw-client.js';

const gateway = gatewayForThisFile(...unpaced);

test.serial('headers come at once, though there is nothing to tell', async (t) => {
  const { newestCursor } = await gateway().getHost();
  const watcher = gateway().watch({ cursor: newestCursor, bookmarkInterval: { seconds: 300n } });
  await watcher.headers;
  t.deepEqual(watcher.messages, []);
  watcher.cancel();
});

test.serial('without sessions the snapshot is one message: empty, complete, with a cursor', async (t) => {
  await withGateway([], async (fresh) => {
    const watcher = fresh.watch();
    const first = await watcher.first(() => true);
    t.deepEqual(first.snapshot, []);
    t.true(first.snapshotComplete);
    t.is(first.cursor, (await fresh.getHost()).newestCursor);
    watcher.cancel();
  });
});

test.serial('a snapshot comes in parts of at most batchEventsMax, here 5, and shows each session once', async (t) => {
  await withGateway(['--set', 'events.batchEventsMax=5'], async (fresh) => {
    const ids: string[] = [];
    for (const parts of [[3], [5], [5, 5], [5, 5, 2]]) {
      const count = parts.reduce((sum, part) => sum + part);
      ids.push(...(await openLeased(fresh, count - ids.length)));
      const watcher = fresh.watch();
      await watcher.first(({ snapshotComplete }) => snapshotComplete);
      const snapshots = watcher.messages.map(({ snapshot }) => snapshot.map(({ sessionId }) => sessionId));
      t.deepEqual(
        snapshots.map(({ length }) => length),
        parts,
      );
      t.deepEqual(snapshots.flat(), ids);
      watcher.cancel();
    }
  });
});

test.serial('what happens while the snapshot is on its way comes after it, all of it', async (t) => {
  await withGateway(['--set', 'events.batchEventsMax=5'], async (fresh) => {
    const ids = await openLeased(fresh, 40);
    const leases = await Promise.all(ids.map(async (id) => (await fresh.get(id)).leaseExpireTime));
    const connection = await RawConnection.open(fresh.daemon.address, { windowBytes: 0 });
    const stream = connection.watch();
    await stream.headers;
    await Promise.all(ids.map((id) => renew(fresh, id)));
    const { newestCursor: cursor } = await fresh.getHost();
    await connection.setWindow(65_535);
    const messages = await readTo(stream, cursor);
    connection.cut();
    t.deepEqual(
      messages.flatMap(({ snapshot }) => snapshot.map(({ leaseExpireTime }) => leaseExpireTime)),
      leases,
    );
    t.is(renewalsIn(messages).length, ids.length);
  });
});

test.serial('what happens at once comes in one message', async (t) => {
  const ids = await openLeased(gateway(), 40);
  const watcher = gateway().watch();
  await watcher.first(({ snapshotComplete }) => snapshotComplete);
  await gateway().world.stopService();
  for (const id of ids) await watcher.event(id, 'LOST');
  const isLoss = ({ type }: SessionEvent) => type === SessionEventType.LOST;
  t.is(watcher.messages.filter(({ events }) => events.some(isLoss)).length, 1);
  watcher.cancel();
});

test.serial('a burst to a slow reader comes in few messages, in order', async (t) => {
  const { newestCursor: from } = await gateway().getHost();
  const connection = await RawConnection.open(gateway().daemon.address, { windowBytes: 0 });
  const stream = connection.watch({ cursor: from });
  await stream.headers;
  const to = await makeHistory(gateway(), 900);
  await connection.setWindow(1_000_000);
  const messages = await readTo(stream, to, { from });
  connection.cut();
  t.is(BigInt(messages.flatMap(({ events }) => events).length), sequenceOf(to) - sequenceOf(from));
  // Two were on their way before the reader was slow; the rest is two of up to 500.
  t.true(messages.length <= 4, `it took ${messages.length} messages`);
});

test.serial('one event comes by itself, and is there as soon as the answer to what made it', async (t) => {
  const [id = ''] = await openLeased(gateway(), 1);
  const watcher = gateway().watch();
  await watcher.first(({ snapshotComplete }) => snapshotComplete);
  const lateMs: number[] = [];
  const tripMs: number[] = [];
  for (let made = 1; made <= 25; made += 1) {
    const askedMs = performance.now();
    const [answeredMs, arrivedMs] = await Promise.all([
      renew(gateway(), id).then(() => performance.now()),
      watcher.first(() => renewalsIn(watcher.messages).length === made).then(() => performance.now()),
    ]);
    lateMs.push(arrivedMs - answeredMs);
    tripMs.push(answeredMs - askedMs);
  }
  t.is(watcher.messages.filter((message) => renewalsIn([message]).length === 1).length, 25);
  t.log(`ms after the answer: ${lateMs.map((ms) => ms.toFixed(1)).join(' ')}`);
  // Half of them, and beside the answer itself, as the machine may be busy; a delay of ours would
  // be in all.
  const median = (ms: number[]) => ms.toSorted((a, b) => a - b)[12] ?? Number.NaN;
  const [late, trip] = [median(lateMs), median(tripMs)];
  t.true(late < 10 + trip, `half of the events came ${late} ms after an answer that took ${trip} ms, or later`);
  watcher.cancel();
});
