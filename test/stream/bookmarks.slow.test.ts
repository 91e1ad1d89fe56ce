/** Bookmarks: after each quiet interval, and true. */
import { type ServiceError, status } from '@grpc/grpc-js';
import test from 'ava';
import { readError } from '../harness/calls.js';
import { gatewayForThisFile, withGateway } from '../harness/gateway.js';
import { duration } from '../harness/world.js';
import { openLeased, renew } from './lively.js';

const gateway = gatewayForThisFile();

/** Timers may be this early by rounding. */
const EARLY_MS = 5;

test.serial('a quiet watch gets a bookmark each interval, and each says where the log stands', async (t) => {
  const { newestCursor } = await gateway().getHost();
  const watcher = gateway().watch({ bookmarkInterval: duration(1000) });
  const arrivedMs: number[] = [];
  for (let count = 1; count <= 4; count += 1) {
    await watcher.first(() => watcher.messages.length === count);
    arrivedMs.push(performance.now());
  }
  const [snapshot, ...bookmarks] = watcher.messages;
  t.true(snapshot?.snapshotComplete);
  for (const { cursor, events } of bookmarks) {
    t.is(cursor, newestCursor);
    t.deepEqual(events, []);
  }
  const gaps = arrivedMs.slice(1).map((ms, i) => ms - (arrivedMs[i] ?? 0));
  t.log(`${gaps.map((ms) => ms.toFixed(0)).join(', ')} ms`);
  // Together, as one may be late and the next in time.
  const [all = 0] = [gaps.reduce((sum, ms) => sum + ms)];
  t.true(all > 3000 - EARLY_MS * 3 - 100 && all < 30_000, `three bookmarks in ${all} ms`);
  watcher.cancel();
});

test.serial('an event puts the bookmark off: it comes a whole interval later', async (t) => {
  const [id = ''] = await openLeased(gateway(), 1);
  const watcher = gateway().watch({ bookmarkInterval: duration(1000) });
  await watcher.first(({ events, snapshotComplete }) => events.length === 0 && !snapshotComplete);
  const { cursor } = await renew(gateway(), id);
  const { time } = await watcher.event(id, 'LEASE_RENEWED');
  await watcher.first((message) => message.cursor === cursor && message.events.length === 0);
  t.true(Date.now() - (time?.getTime() ?? Number.POSITIVE_INFINITY) >= 1000 - EARLY_MS);
  watcher.cancel();
});

test.serial('the interval is that of the host where the watch names none', async (t) => {
  await withGateway(['--set', 'events.bookmarkIntervalMs=1000'], async (quick) => {
    const watcher = quick.watch();
    await watcher.first(({ snapshotComplete }) => !snapshotComplete);
    t.pass();
    watcher.cancel();
  });
});

test.serial('an interval below a second or above five minutes is refused', async (t) => {
  for (const ms of [0, 999, 300_001]) {
    const error = readError((await gateway().watch({ bookmarkInterval: duration(ms) }).ended) as ServiceError);
    t.is(error.code, status.INVALID_ARGUMENT);
    t.deepEqual(error.fields, ['bookmark_interval']);
  }
});
