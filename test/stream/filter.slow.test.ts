/**
 * A watch of some sessions, by their names: nothing of others, everything of these, and bookmarks
 * over what it passes by.
 */
import { type ServiceError, status } from '@grpc/grpc-js';
import test from 'ava';
import { readError } from '../harness/calls.js';
import { display, forklifts, type Gateway, gatewayForThisFile, type Watcher } from '../harness/gateway.js';
import { makeEvents, newId, openLeased, renew } from './lively.js';
import { sequenceOf } from './raw-client.js';

const gateway = gatewayForThisFile();

const everySecond = { bookmarkInterval: { seconds: 1n } };
const isBookmark = ({ events, snapshot, snapshotComplete }: Watcher['messages'][number]) =>
  events.length === 0 && snapshot.length === 0 && !snapshotComplete;

/** Opens a session and closes it. */
async function live(of: Gateway, sessionId: string, deviceAddress: string): Promise<void> {
  const { stream } = await of.openSession({ sessionId, deviceAddress });
  await of.close(sessionId, { waitForDisconnect: true });
  await stream.ended;
}

test.serial('it shows and tells of its sessions alone, and misses nothing of them', async (t) => {
  const [here = '', other = ''] = await openLeased(gateway(), 2);
  const toCome = newId();
  const whole = gateway().watch();
  const part = gateway().watch({ sessionIds: [here, toCome, newId()] });
  const { snapshot } = await part.first(({ snapshotComplete }) => snapshotComplete);
  t.deepEqual(
    snapshot.map(({ sessionId }) => sessionId),
    [here],
  );
  await whole.first(({ snapshotComplete }) => snapshotComplete);
  await Promise.all([makeEvents(gateway(), [here, other], 100), live(gateway(), toCome, forklifts[0])]);
  await gateway().close(other, { waitForDisconnect: true });
  await gateway().close(here, { waitForDisconnect: true });
  for (const watcher of [whole, part]) await watcher.event(here, 'CLOSED');
  const wanted = new Set([here, toCome]);
  t.deepEqual(
    part.events,
    whole.events.filter(({ session }) => wanted.has(session?.sessionId ?? '')),
  );
  t.true(part.events.length > 50);
  whole.cancel();
  part.cancel();
});

test.serial('while others are busy its bookmarks move on, and one can be resumed from', async (t) => {
  const [quiet = '', busy = ''] = await openLeased(gateway(), 2);
  const part = gateway().watch({ sessionIds: [quiet], ...everySecond });
  await part.first(({ snapshotComplete }) => snapshotComplete);
  const passed = await makeEvents(gateway(), [busy], 20);
  const { cursor } = await part.first(
    (message) => isBookmark(message) && sequenceOf(message.cursor) >= sequenceOf(passed),
  );
  await renew(gateway(), busy);
  const { cursor: renewed } = await renew(gateway(), quiet);
  const resumed = gateway().watch({ cursor, sessionIds: [quiet] });
  const [event, ...more] = (await resumed.first(({ events }) => events.length > 0)).events;
  t.is(event?.sequence, sequenceOf(renewed));
  t.deepEqual(more, []);
  part.cancel();
  resumed.cancel();
});

test.serial('the filter may change from one connection to the next: the cursor is good for any', async (t) => {
  const [one = '', two = ''] = await openLeased(gateway(), 2);
  const { newestCursor: from } = await gateway().getHost();
  await renew(gateway(), one);
  const { cursor: to } = await renew(gateway(), two);
  const first = gateway().watch({ cursor: from, sessionIds: [two] });
  await first.event(two, 'LEASE_RENEWED');
  t.is(first.validator.cursor, to);
  const second = gateway().watch({ cursor: from, sessionIds: [one] });
  await second.event(one, 'LEASE_RENEWED');
  const third = gateway().watch({ cursor: first.validator.cursor, sessionIds: [one], ...everySecond });
  await third.first(isBookmark);
  t.deepEqual(third.events, []);
  for (const watcher of [first, second, third]) watcher.cancel();
});

test.serial('names that can not be are refused by their place, and too many of them', async (t) => {
  const refused: [string[], string][] = [
    [[newId(), 'No Capitals'], 'session_ids[1]'],
    [[''], 'session_ids[0]'],
    [Array.from({ length: 10_001 }, () => 'same'), 'session_ids'],
  ];
  for (const [sessionIds, field] of refused) {
    const error = readError((await gateway().watch({ sessionIds }).ended) as ServiceError);
    t.is(error.code, status.INVALID_ARGUMENT);
    t.deepEqual(error.fields, [field]);
  }
});

test.serial('a watch of 10,000 sessions by their names is served', async (t) => {
  const sessionIds = Array.from({ length: 10_000 }, (_, i) => `${'long-name-'.repeat(5)}${i}`);
  const watcher = gateway().watch({ sessionIds });
  await watcher.first(({ snapshotComplete }) => snapshotComplete);
  const sessionId = sessionIds[9999] ?? '';
  await live(gateway(), sessionId, display);
  await watcher.event(sessionId, 'CLOSED');
  t.pass();
  watcher.cancel();
});
