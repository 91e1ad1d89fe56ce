/**
 * The watch that goes on, with a scripted host and a clock of its own: what is asked, what comes
 * out, and when.
 */
import { status } from '@grpc/grpc-js';
import test from 'ava';
import {
  concat,
  defer,
  ignoreElements,
  NEVER,
  type Observable,
  of,
  take,
  throwError,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import { GatewayError } from '../../clients/typescript/src/error.js';
import {
  type Backoff,
  type Batch,
  type Bookmark,
  type Change,
  type Disconnected,
  watch,
} from '../../clients/typescript/src/watch.js';

type Item = { kind: 'snapshot'; things: readonly string[]; cursor: string } | Change<number> | Bookmark | Disconnected;
type Attachment = Observable<Batch<string, number>>;

/** Half of the bound is drawn each time, so the pauses are 125, 250, 500, ... ms. */
const half = { random: () => 0.5 };
const broken = new GatewayError(status.UNAVAILABLE, 'The connection broke.');
const expired = new GatewayError(status.OUT_OF_RANGE, 'Trimmed.', { reason: 'CURSOR_EXPIRED' });
const tooSlow = new GatewayError(status.RESOURCE_EXHAUSTED, 'Behind.', { reason: 'WATCHER_TOO_SLOW' });
const stopping = new GatewayError(status.UNAVAILABLE, 'Stopping.', { reason: 'HOST_STOPPING', retryDelayMs: 5000 });

function batch(parts: Partial<Batch<string, number>>): Batch<string, number> {
  return { events: [], cursor: '', snapshot: [], snapshotComplete: false, ...parts };
}

let clock: VirtualTimeScheduler;
const pauseOf = (ms: number) => defer(() => timer(ms, clock)).pipe(ignoreElements());
const snapshotAt = (cursor: string, ...snapshot: string[]) => of(batch({ snapshot, snapshotComplete: true, cursor }));
const eventsTo = (cursor: string, ...events: number[]) => of(batch({ events, cursor }));
const breaks = (error: unknown) => throwError(() => error);

/**
 * Attaches to one after another of the scripted streams, until the last has been silent for an
 * hour.
 */
function run(streams: readonly Attachment[], { cursor, backoff }: { cursor?: string; backoff?: Backoff } = {}) {
  const scheduler = new VirtualTimeScheduler(undefined, 3_600_000);
  clock = scheduler;
  const asked: { cursor: string; atMs: number }[] = [];
  const items: Item[] = [];
  let failure: unknown;
  watch({
    attach: (cursor) => {
      asked.push({ cursor, atMs: scheduler.now() });
      return streams[asked.length - 1] ?? NEVER;
    },
    toSnapshot: (things: readonly string[], cursor): Item => ({ kind: 'snapshot', things: [...things], cursor }),
    cursor,
    backoff: { ...half, scheduler, ...backoff },
  }).subscribe({
    next: (item) => items.push(item),
    error: (error) => {
      failure = error;
    },
  });
  scheduler.flush();
  return { asked, items, failure };
}

const events = (items: readonly Item[]) => items.flatMap((item) => (item.kind === 'event' ? [item.event] : []));
const pauses = (items: readonly Item[]) =>
  items.flatMap((item) => (item.kind === 'disconnected' ? [item.retryInMs] : []));

test('a snapshot that comes in parts is told as one, with the cursor of its end', (t) => {
  const { items } = run([
    concat(of(batch({ snapshot: ['a', 'b'] })), of(batch({ snapshot: ['c'] })), snapshotAt('c1', 'd'), NEVER),
  ]);
  t.deepEqual(items, [{ kind: 'snapshot', things: ['a', 'b', 'c', 'd'], cursor: 'c1' }]);
});

test('a host without sessions is told by an empty snapshot', (t) => {
  t.deepEqual(run([concat(snapshotAt('c1'), NEVER)]).items, [{ kind: 'snapshot', things: [], cursor: 'c1' }]);
});

test('a message with nothing but a cursor is a bookmark, and the watch resumes from it', (t) => {
  const { asked, items } = run([concat(of(batch({ cursor: 'c7' })), breaks(broken))], { cursor: 'c1' });
  t.deepEqual(items[0], { kind: 'bookmark', cursor: 'c7' });
  t.deepEqual(
    asked.map(({ cursor }) => cursor),
    ['c1', 'c7'],
  );
});

test('the cursor of an event never skips those that came with it', (t) => {
  const { items } = run([concat(eventsTo('c1', 1), eventsTo('c4', 2, 3, 4), NEVER)], { cursor: 'c0' });
  t.deepEqual(
    items.map((item) => item.kind === 'event' && [item.event, item.cursor]),
    [
      [1, 'c1'],
      [2, 'c1'],
      [3, 'c1'],
      [4, 'c4'],
    ],
  );
});

for (const [what, error] of [
  ['the connection breaks', broken],
  ['the host finds the reader too slow', tooSlow],
  ['the host stops', stopping],
  ['the library under it throws', new TypeError('boom')],
] as const) {
  test(`after ${what} it goes on from the last cursor, without gap or double`, (t) => {
    const { asked, items } = run([
      concat(snapshotAt('c0', 'a'), eventsTo('c2', 1, 2), breaks(error)),
      concat(eventsTo('c3', 3), eventsTo('c5', 4, 5), breaks(error)),
      concat(eventsTo('c6', 6), NEVER),
    ]);
    t.deepEqual(
      asked.map(({ cursor }) => cursor),
      ['', 'c2', 'c5'],
    );
    t.deepEqual(events(items), [1, 2, 3, 4, 5, 6]);
    t.deepEqual(kinds(items), ['snapshot', 'event', 'disconnected', 'event', 'disconnected', 'event']);
  });
}

test('a watch that the host ends well is attached again', (t) => {
  const { asked, items } = run([eventsTo('c1', 1)], { cursor: 'c0' });
  t.deepEqual(
    asked.map(({ cursor }) => cursor),
    ['c0', 'c1'],
  );
  t.like(items[1], { kind: 'disconnected', error: { code: status.UNAVAILABLE } });
});

test('an expired cursor is told, and a new snapshot follows', (t) => {
  const { asked, items } = run([breaks(expired), concat(snapshotAt('d4', 'z'), eventsTo('d5', 5), NEVER)], {
    cursor: 'c9',
  });
  t.deepEqual(
    asked.map(({ cursor }) => cursor),
    ['c9', ''],
  );
  t.like(items[0], { kind: 'disconnected', error: { reason: 'CURSOR_EXPIRED' } });
  t.deepEqual(items[1], { kind: 'snapshot', things: ['z'], cursor: 'd4' });
  t.deepEqual(events(items), [5]);
});

test('a snapshot that broke off is thrown away, and asked for anew', (t) => {
  const { asked, items } = run([
    concat(of(batch({ snapshot: ['a', 'b'] })), breaks(broken)),
    concat(snapshotAt('c1', 'a'), NEVER),
  ]);
  t.deepEqual(
    asked.map(({ cursor }) => cursor),
    ['', ''],
  );
  t.deepEqual(items.at(-1), { kind: 'snapshot', things: ['a'], cursor: 'c1' });
});

const failing = (times: number, error: unknown = broken) => Array.from({ length: times }, () => breaks(error));

test('pauses double up to their bound', (t) => {
  const { asked, items } = run(failing(9), { cursor: 'c0' });
  t.deepEqual(pauses(items), [125, 250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
  t.deepEqual(asked.map(({ atMs }) => atMs).slice(0, 4), [0, 125, 375, 875]);
});

test('a stream that breaks soon after it began has not ended a row of failures', (t) => {
  const streams = [0, 1, 2].map((n) => concat(eventsTo(`c${n}`, n), pauseOf(9_999), breaks(broken)));
  t.deepEqual(pauses(run([...failing(2), ...streams], { cursor: 'c0' }).items), [125, 250, 500, 1000, 2000]);
});

test('a stream that stood for ten seconds has, counted from its first message', (t) => {
  const stood = concat(eventsTo('c1', 1), pauseOf(10_000), breaks(broken));
  t.deepEqual(pauses(run([...failing(3), stood, ...failing(1)], { cursor: 'c0' }).items), [125, 250, 500, 125, 250]);
  const late = concat(pauseOf(60_000), eventsTo('c1', 1), breaks(broken));
  t.deepEqual(pauses(run([...failing(3), late], { cursor: 'c0' }).items), [125, 250, 500, 1000]);
});

test('an answer, after failures without one, starts over; answers in a row count as failures do', (t) => {
  const refused = new GatewayError(status.RESOURCE_EXHAUSTED, 'Too many.', { reason: 'QUOTA_EXCEEDED' });
  const streams = [...failing(4), ...failing(3, refused), ...failing(2)];
  t.deepEqual(pauses(run(streams, { cursor: 'c0' }).items), [125, 250, 500, 1000, 125, 250, 500, 1000, 2000]);
});

test('after a restart the snapshot is asked for at once, however long the host was away', (t) => {
  const { asked, items } = run([...failing(9), breaks(expired), concat(snapshotAt('d1'), NEVER)], { cursor: 'c0' });
  t.is(pauses(items).at(-1), 125);
  t.is(asked.at(-1)?.cursor, '');
});

test('a pause is drawn at random from nothing to its bound', (t) => {
  for (const [drawn, ms] of [
    [0, 0],
    [0.25, 250],
    [0.999, 999],
  ] as const) {
    const { items } = run([breaks(broken)], { backoff: { initialMs: 1000, random: () => drawn } });
    t.deepEqual(pauses(items), [ms]);
  }
});

test('a pause that the host asks for is kept, and clients told the same do not return at once', (t) => {
  t.deepEqual(pauses(run([breaks(stopping)]).items), [5125]);
});

test('no host makes a watch wait for more than five minutes', (t) => {
  const absurd = new GatewayError(status.UNAVAILABLE, 'Later.', { retryDelayMs: 1e15 });
  const { asked, items } = run([breaks(absurd)]);
  t.deepEqual(pauses(items), [300_125]);
  t.is(asked.length, 2);
});

for (const code of [
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.INVALID_ARGUMENT,
  status.UNIMPLEMENTED,
] as const) {
  test(`it gives up on ${status[code]}`, (t) => {
    const { asked, items, failure } = run([concat(eventsTo('c1', 1), breaks(new GatewayError(code, 'No.')))]);
    t.like(failure, { code });
    t.is(asked.length, 1);
    t.deepEqual(kinds(items), ['event']);
  });
}

test('who leaves in the middle of a batch gets no more of it, and nothing is attached again', (t) => {
  const scheduler = new VirtualTimeScheduler();
  const asked: string[] = [];
  const seen: string[] = [];
  watch({
    attach: (cursor) => {
      asked.push(cursor);
      return concat(eventsTo('c9', 1, 2, 3), breaks(broken));
    },
    toSnapshot: () => ({ kind: 'snapshot' as const }),
    cursor: 'c0',
    backoff: { scheduler },
  })
    .pipe(take(2))
    .subscribe(({ kind }) => seen.push(kind));
  scheduler.flush();
  t.deepEqual(seen, ['event', 'event']);
  t.deepEqual(asked, ['c0']);
});

test('each subscriber has a watch of its own, from the same start', (t) => {
  const asked: string[] = [];
  const items = watch({
    attach: (cursor) => {
      asked.push(cursor);
      return concat(eventsTo('c5', 5), NEVER);
    },
    toSnapshot: () => ({ kind: 'snapshot' as const }),
    cursor: 'c4',
    backoff: undefined,
  });
  const subscriptions = [items.subscribe(), items.subscribe()];
  t.deepEqual(asked, ['c4', 'c4']);
  for (const subscription of subscriptions) subscription.unsubscribe();
});

function kinds(items: readonly Item[]): string[] {
  return items.map(({ kind }) => kind).filter((kind, i, all) => kind !== all[i - 1]);
}
