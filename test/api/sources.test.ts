/** What an OpenSession stream sends when nothing happens. */
import test from 'ava';
import { SessionSource, WatchSource } from '../../service/api/sources.js';
import type { OpenMessage } from '../../service/codec/encode-once.js';
import type { SessionEvent } from '../../service/session/session.js';
import { WatchedHost } from '../harness/watched-host.js';
import { arrives } from '../session/life.js';

const HEARTBEAT_MS = 20;

// The timers of a source hold no process.
const held = setInterval(() => {}, 1000);
test.after.always(() => clearInterval(held));

/** A host with one session, a source of its events, and whatever the source has ready. */
function opened(heartbeatMs: number | undefined) {
  const host = new WatchedHost();
  host.open('one');
  const current = host.events.read(0, () => true).next(1)[0] as SessionEvent;
  const attachment = { current, events: host.events.follow('one'), detach: () => {} };
  const source = new SessionSource(host.events, attachment, { queueMax: 10, heartbeatMs }, () => {});
  return { host, source };
}

/** The next message, as soon as there is one. */
function next(source: SessionSource): Promise<OpenMessage> {
  return new Promise((resolve) => {
    const subscription = source.ready.subscribe(() => {
      const message = source.next();
      if (message === undefined) return;
      subscription.unsubscribe();
      resolve(message);
    });
  });
}

test('a quiet stream that asked for heartbeats gets them, with the place of the log', async (t) => {
  const { host, source } = opened(HEARTBEAT_MS);
  t.is(source.next()?.event?.sequence, 1);
  t.is(source.next(), undefined, 'no heartbeat before its time');
  host.open('another');
  for (let count = 0; count < 3; count += 1) {
    t.deepEqual(await next(source), { event: undefined, cursor: host.events.cursor });
  }
  source.close();
});

test('an event comes instead of a heartbeat that is due, and puts the next one off', async (t) => {
  const { host, source } = opened(HEARTBEAT_MS);
  source.next();
  // Not taken: it stays due.
  await new Promise<void>((resolve) => source.ready.subscribe(() => resolve()));
  host.in('one', arrives.started(), arrives.opened());
  const { event, cursor } = await next(source);
  t.is(event?.type, 'OPENED');
  t.is(cursor, `${event?.epoch}.${event?.sequence}`);
  t.is(source.next(), undefined, 'the event counts as the heartbeat');
  source.close();
});

test('a heartbeat names no event that has not been sent', async (t) => {
  const { host, source } = opened(HEARTBEAT_MS);
  source.next();
  await new Promise<void>((resolve) => source.ready.subscribe(() => resolve()));
  const before = host.events.cursor;
  host.in('one', arrives.started(), arrives.opened());
  // In the turn of the event, before those who follow have been told.
  t.deepEqual(source.next(), { event: undefined, cursor: before });
  const { event } = await next(source);
  t.is(event?.type, 'OPENED');
  source.close();
});

test('a stream that has not asked for heartbeats gets none, and one that has ended none any more', async (t) => {
  const quiet = opened(undefined);
  quiet.source.next();
  let woken = 0;
  quiet.source.ready.subscribe(() => {
    woken += 1;
  });
  const over = opened(HEARTBEAT_MS);
  over.source.next();
  over.host.in('one', arrives.started(2));
  const { event } = await next(over.source);
  t.is(event?.type, 'FAILED');
  for (let count = 0; count < 3; count += 1) {
    await new Promise<void>((resolve) => over.source.ready.subscribe(() => resolve()));
    t.is(over.source.next(), undefined);
  }
  t.is(woken, 0);
  quiet.source.close();
  over.source.close();
});

test('an event of the turn in which a stream joins comes once', async (t) => {
  const { host, source } = opened(undefined);
  source.next();
  host.in('one', arrives.started(), arrives.opened());
  // Others follow the session already, so what was appended is on its way to all that do.
  const current = host.events.log.at(host.events.log.newest) as unknown as SessionEvent;
  const attachment = { current, events: host.events.follow('one'), detach: () => {} };
  const settings = { queueMax: 10, heartbeatMs: undefined };
  const joined = new SessionSource(
    host.events,
    attachment,
    settings,
    () => {},
    (cursor) => cursor,
  );
  await new Promise(setImmediate);
  t.is(joined.next()?.event?.type, 'OPENED');
  t.is(joined.next(), undefined);
  t.is(source.next()?.event?.type, 'OPENED');
  source.close();
  joined.close();
});

test('a watch gives no cursor before its snapshot is whole: who resumed from one would miss the rest', (t) => {
  const host = new WatchedHost({ batchEventsMax: 2 });
  for (const id of ['one', 'two', 'three']) host.open(id);
  const reader = host.events.read(host.events.log.newest, () => true);
  const sessions = [...host.lives.values()].map(({ session }) => session);
  const settings = { batchEventsMax: 2, queueEventsMax: 100, bookmarkIntervalMs: 1_000_000 };
  const source = new WatchSource(
    host.events,
    reader,
    sessions,
    settings,
    () => {},
    (cursor) => cursor,
  );
  t.deepEqual(source.resumePoint(), { cursor: '' });
  t.like(source.next(), { cursor: '', snapshotComplete: false });
  t.deepEqual(source.resumePoint(), { cursor: '' });
  t.like(source.next(), { cursor: host.events.cursor, snapshotComplete: true });
  t.deepEqual(source.resumePoint(), { cursor: host.events.cursor });
  source.close();
});
