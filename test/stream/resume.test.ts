/**
 * A watch that comes back: from any cursor it gets exactly what came after; and where that is gone,
 * it is told so, and where to begin.
 */
import { type ServiceError, status } from '@grpc/grpc-js';
import test from 'ava';
import { readError } from '../harness/calls.js';
import { display, type Gateway, gatewayForThisFile, type Watcher, withGateway } from '../harness/gateway.js';
import { makeEvents, makeHistory, newId, openLeased, renew, unpaced } from './lively.js';
import { sequenceOf } from './raw-client.js';

// Each event in a message of its own, with its own cursor.
const gateway = gatewayForThisFile('--set', 'events.batchEventsMax=1', ...unpaced);

const everySecond = { bookmarkInterval: { seconds: 1n } };
const sequencesOf = ({ events }: Watcher) => events.map(({ sequence }) => sequence);

/** How a watch that is refused ends; it must not have said anything. */
async function refusal(of: Gateway, cursor: string) {
  const watcher = of.watch({ cursor });
  const error = await watcher.ended;
  if (watcher.messages.length > 0) throw new Error('a watch that was refused began all the same');
  return readError(error as ServiceError);
}

test.serial('from each cursor of a watch comes exactly what came after it', async (t) => {
  const whole = gateway().watch();
  const { id } = await gateway().openSession({ deviceAddress: display });
  await gateway().close(id, { waitForDisconnect: true });
  await whole.event(id, 'CLOSED');
  const { newestCursor } = await gateway().getHost();
  for (const { cursor } of [...whole.messages]) {
    const resumed = gateway().watch({ cursor, ...everySecond });
    await resumed.first((message) => message.cursor === newestCursor);
    t.deepEqual(
      resumed.events,
      whole.events.filter(({ sequence }) => sequence > sequenceOf(cursor)),
    );
    t.true(resumed.messages.every(({ snapshot, snapshotComplete }) => snapshot.length === 0 && !snapshotComplete));
    resumed.cancel();
  }
  whole.cancel();
});

test.serial('the cursor of any answer can be resumed from: what the answer shows is not told again', async (t) => {
  const [id = ''] = await openLeased(gateway(), 1);
  const renewed = await renew(gateway(), id);
  const closed = await gateway().close(id, { waitForDisconnect: true });
  const afterRenewal = gateway().watch({ cursor: renewed.cursor });
  await afterRenewal.event(id, 'CLOSED');
  t.deepEqual(afterRenewal.typesOf(id), ['CLOSING', 'CLOSED']);
  t.deepEqual(afterRenewal.events.at(-1)?.session, closed.session);
  const afterClose = gateway().watch({ cursor: closed.cursor });
  const next = newId();
  const { stream } = await gateway().openSession({ deviceAddress: display, sessionId: next });
  await afterClose.event(next, 'OPENED');
  t.deepEqual(afterClose.typesOf(id), []);
  for (const each of [afterRenewal, afterClose, stream]) each.cancel();
});

test.serial('a watch that leaves and resumes while much happens has no gap and nothing twice', async (t) => {
  const whole = gateway().watch();
  let { cursor } = await whole.first(({ snapshotComplete }) => snapshotComplete);
  const made = makeHistory(gateway(), 200);
  const told: bigint[] = [];
  let to = '';
  void made.then((newest) => {
    to = newest;
  });
  let left = 0;
  for (; cursor !== to; left += 1) {
    const watcher = gateway().watch({ cursor, ...everySecond });
    await watcher.first(() => true);
    cursor = watcher.validator.cursor;
    told.push(...sequencesOf(watcher));
    watcher.cancel();
    await watcher.ended;
  }
  await whole.first((message) => message.cursor === to);
  t.deepEqual(told, sequencesOf(whole));
  t.log(`left ${left} times`);
  whole.cancel();
});

test.serial(
  'a cursor whose events have been trimmed is CURSOR_EXPIRED, and the oldest that is left is told',
  async (t) => {
    await withGateway(
      [
        '--set',
        'events.logEventsMax=10',
        '--set',
        'events.watcherQueueEventsMax=10',
        '--set',
        'events.batchEventsMax=10',
      ],
      async (small) => {
        const { newestCursor: early } = await small.getHost();
        await makeHistory(small, 30);
        const { code, info } = await refusal(small, early);
        t.is(code, status.OUT_OF_RANGE);
        t.is(info?.reason, 'CURSOR_EXPIRED');
        const oldest = info?.metadata['oldest_cursor'] ?? '';
        const { oldestCursor, newestCursor } = await small.getHost();
        t.is(oldest, oldestCursor);
        const watcher = small.watch({ cursor: oldest });
        await watcher.first(({ cursor }) => cursor === newestCursor);
        t.is(watcher.events.length, 10);
        watcher.cancel();
      },
    );
  },
);

test.serial('events are also trimmed by age', async (t) => {
  await withGateway(['--set', 'events.logAgeMs=300'], async (small) => {
    const { newestCursor: early } = await small.getHost();
    const ids = await openLeased(small, 1);
    await makeEvents(small, ids, 5);
    await small.until(async () => (await small.getHost()).oldestCursor === (await small.getHost()).newestCursor);
    t.is((await refusal(small, early)).info?.reason, 'CURSOR_EXPIRED');
  });
});

test.serial('a cursor of another life of the host is CURSOR_EXPIRED; a new snapshot shows what there is', async (t) => {
  let before = '';
  await withGateway([], async (first) => {
    await openLeased(first, 2);
    before = (await first.getHost()).newestCursor;
  });
  await withGateway([], async (second) => {
    const { code, info } = await refusal(second, before);
    t.is(code, status.OUT_OF_RANGE);
    t.is(info?.reason, 'CURSOR_EXPIRED');
    const { oldestCursor } = await second.getHost();
    t.is(info?.metadata['oldest_cursor'], oldestCursor);
    const watcher = second.watch();
    t.deepEqual((await watcher.first(({ snapshotComplete }) => snapshotComplete)).snapshot, []);
    watcher.cancel();
  });
});

test.serial('what this host can not have given is no cursor: INVALID_FIELD', async (t) => {
  const { newestCursor } = await gateway().getHost();
  const [epoch = ''] = newestCursor.split('.');
  const future = `${epoch}.${sequenceOf(newestCursor) + 1n}`;
  const huge = `${epoch}.99999999999999999999`;
  for (const cursor of [
    future,
    huge,
    'x',
    epoch,
    `${epoch}.`,
    '.1',
    `${epoch}.-1`,
    `${epoch}.01`,
    `${epoch}.1.1`,
    ` ${newestCursor}`,
    `${newestCursor}\n`,
    newestCursor.toUpperCase().replace(/\d/g, 'A'),
    'é'.repeat(5000),
  ]) {
    const error = await refusal(gateway(), cursor);
    t.is(error.code, status.INVALID_ARGUMENT, cursor);
    t.is(error.info?.reason, 'INVALID_FIELD');
    t.deepEqual(error.fields, ['cursor']);
  }
});
