import test from 'ava';
import fc from 'fast-check';
import { EventLog, type Logged, type LogTraits } from '../../service/events/log.js';
import { effort, randomly } from '../session/seed.js';
import { type Draft, EPOCH, Notes, sequencesOf, turn } from './noted.js';

interface Plain extends Logged {
  readonly timeMs: number;
}

const plain: LogTraits<Plain> = { topicOf: () => '', labelsOf: () => [], sizeOf: () => 1, isRefresh: () => false };

test('events are numbered from 1, without holes, and carry the epoch', (t) => {
  const notes = new Notes();
  t.is(notes.log.newest, 0);
  notes.append('a', 3);
  t.is(notes.log.newest, 3);
  t.deepEqual(notes.log.at(2), { sequence: 2, epoch: EPOCH, topic: 'a', timeMs: 0 });
});

test('what has not happened is not there', (t) => {
  const notes = new Notes();
  notes.append();
  for (const sequence of [-1, 0, 2, 1.5]) t.is(notes.log.at(sequence), undefined, String(sequence));
});

test('an event whose making fails takes no number', (t) => {
  const notes = new Notes();
  const broken: Draft = {
    get topic(): string {
      throw new Error('no');
    },
    timeMs: 0,
  };
  t.throws(() => notes.stream.append(broken), { message: 'no' });
  notes.append();
  t.is(notes.log.at(1)?.sequence, 1);
});

test('no more than eventsMax are kept, the oldest go, and `oldest` is what can still be resumed from', (t) => {
  const notes = new Notes({ eventsMax: 3 });
  t.is(notes.log.oldest, 0);
  notes.append('a', 3);
  t.is(notes.log.oldest, 0);
  notes.append();
  t.is(notes.log.oldest, 1);
  t.is(notes.log.at(1), undefined);
  t.is(notes.log.at(2)?.sequence, 2);
});

test('events older than ageMaxMs go, also when nothing is appended', (t) => {
  const notes = new Notes({ ageMaxMs: 1000 });
  notes.append();
  notes.nowMs = 600;
  notes.append();
  notes.nowMs = 1000;
  t.is(notes.log.oldest, 0, 'an event is kept for the whole of its age');
  notes.nowMs = 1001;
  t.is(notes.log.oldest, 1);
  notes.nowMs = 60_000;
  t.is(notes.log.oldest, 2);
  t.is(notes.log.newest, 2, 'a number is given once, however empty the log');
  notes.append();
  t.is(notes.log.at(3)?.sequence, 3);
});

test('events have so many bytes together, and the oldest go for the newest', (t) => {
  const notes = new Notes({ bytesMax: 350 });
  notes.append('a', 3);
  t.is(notes.log.oldest, 0);
  t.is(notes.log.bytes, 300);
  notes.append();
  t.is(notes.log.oldest, 1);
  t.is(notes.log.bytes, 300);
  t.is(notes.log.size, 3);
  t.is(notes.log.trimmed, 1);
});

test('of refreshes in a row on one topic the last is kept, once all have been published', async (t) => {
  const notes = new Notes();
  notes.append('a');
  notes.refresh('a', 3);
  notes.refresh('b');
  t.is(notes.log.size, 5, 'who reads in time reads each');
  await turn();
  t.deepEqual(sequencesOf(notes.stream.read(0, () => true).next(10)), [1, 4, 5]);
  notes.refresh('a');
  await turn();
  t.deepEqual(sequencesOf(notes.stream.read(0, () => true).next(10)), [1, 5, 6]);
  t.is(notes.log.size, 3);
  t.is(notes.log.bytes, 300);
  t.is(notes.log.oldest, 0, 'what was dropped can be resumed from all the same');
  t.is(notes.log.at(4), undefined);
});

test('a refresh that was not the last of its topic is kept: what came after it was no refresh', async (t) => {
  const notes = new Notes();
  notes.refresh('a');
  notes.append('a');
  notes.refresh('a');
  await turn();
  t.deepEqual(sequencesOf(notes.stream.read(0, () => true).next(10)), [1, 2, 3]);
});

test('refreshes push out nobody else’s events, however many there are', async (t) => {
  const notes = new Notes({ eventsMax: 10, bytesMax: 1000 });
  notes.append('others', 9);
  for (let count = 0; count < 50; count += 1) {
    notes.refresh('mine', 100);
    await turn();
  }
  t.is(notes.log.oldest, 0);
  t.is(notes.log.size, 10);
  t.is(notes.log.at(9)?.topic, 'others');
  t.is(notes.log.at(5009)?.topic, 'mine');
});

test('a log that takes over events keeps those that it would have kept, had it been there', (t) => {
  interface Event extends Plain {
    readonly topic: string;
    readonly isRefresh: boolean;
  }
  const traits: LogTraits<Event> = { ...plain, topicOf: ({ topic }) => topic, isRefresh: ({ isRefresh }) => isRefresh };
  const limits = { eventsMax: 1000, bytesMax: 2 ** 30, ageMaxMs: 60_000, supersededMax: 2 };
  const shape = fc.record({ topic: fc.constantFrom('a', 'b'), isRefresh: fc.boolean() });
  const property = fc.property(fc.array(shape, { maxLength: 40 }), (shapes) => {
    const events = shapes.map((each, index) => ({ ...each, sequence: index + 1, timeMs: 0 }));
    const [lived, restored] = [1, 2].map(() => new EventLog<Event>(EPOCH, limits, traits, () => 0));
    for (const event of events) lived?.append(event);
    lived?.onPublished();
    restored?.restore(events, { ...traits, read: (event) => ({ event, ageMs: 0 }) }, events.length);
    const all = (log?: EventLog<Event>) => log?.read(0, 1000, () => true).events.map(({ sequence }) => sequence);
    t.deepEqual(all(restored), all(lived));
    restored?.onPublished();
    t.deepEqual(all(restored), all(lived), 'nothing is left to be dropped');
  });
  fc.assert(property, randomly(t, effort(2000)));
});

test('so many superseded refreshes are kept for who is a little behind, but at no cost of another event', async (t) => {
  const notes = new Notes({ eventsMax: 10, supersededMax: 3 });
  notes.refresh('a', 6);
  await turn();
  t.deepEqual(sequencesOf(notes.stream.read(0, () => true).next(10)), [3, 4, 5, 6]);
  notes.append('b', 7);
  t.deepEqual(sequencesOf(notes.stream.read(0, () => true).next(20)), [4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
  notes.append('b', 3);
  t.is(notes.log.oldest, 6, 'the last refresh is trimmed like any other event');
  t.deepEqual(sequencesOf(notes.stream.read(6, () => true).next(20)), [7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
});

test('a refresh that was trimmed is not dropped once more', async (t) => {
  const notes = new Notes({ supersededMax: 10, ageMaxMs: 1000 });
  notes.refresh('a', 2);
  notes.nowMs = 2000;
  notes.append('b', 1);
  t.deepEqual([notes.log.oldest, notes.log.size, notes.log.bytes, notes.log.trimmed], [2, 1, 100, 2]);
  notes.append('b', 1);
  await turn();
  t.deepEqual([notes.log.oldest, notes.log.size, notes.log.bytes, notes.log.trimmed], [2, 2, 200, 2]);
  notes.refresh('a');
  await turn();
  t.deepEqual(sequencesOf(notes.stream.read(2, () => true).next(10)), [3, 4, 5]);
});

test('a reader looks at a bounded number of events at a time, and comes to the end all the same', (t) => {
  const notes = new Notes({ eventsMax: 100_000 });
  notes.append('a', 50_000);
  const reader = notes.stream.read(0, () => false);
  let reads = 0;
  for (; reader.lag > 0; reads += 1) {
    const { position } = reader;
    t.deepEqual(reader.next(10), []);
    t.true(reader.position - position <= 500);
  }
  t.is(reads, 100);
});

test('by its labels a reader passes over what it does not look for', (t) => {
  const notes = new Notes({ eventsMax: 100_000 });
  notes.append('a', 30_000);
  notes.append('b');
  notes.append('a', 10_000);
  notes.append('b');
  let looks = 0;
  const reader = notes.stream.read(
    0,
    ({ topic }) => {
      looks += 1;
      return topic === 'b';
    },
    new Set(['b', ...Array.from({ length: 1000 }, (_, i) => `unknown-${i}`)]),
  );
  const found: number[] = [];
  let reads = 0;
  for (; reader.lag > 0; reads += 1) found.push(...sequencesOf(reader.next(10)));
  t.deepEqual(found, [30_001, 40_002]);
  t.true(looks <= 512, `${looks} events looked at`);
  t.true(reads <= 5, `in ${reads} turns`);
});

test('a clock that is set back loses nothing that should be kept', (t) => {
  const notes = new Notes({ ageMaxMs: 1000 });
  notes.nowMs = 5000;
  notes.append();
  notes.nowMs = 100;
  notes.append();
  t.is(notes.log.oldest, 0);
});

test('after any run of appends and pauses exactly the events that count are there', (t) => {
  const step = fc.record({ count: fc.nat(400), pauseMs: fc.nat(300) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.integer({ min: 1, max: 3000 }), (steps, eventsMax) => {
      const ageMaxMs = 1000;
      let nowMs = 0;
      const log = new EventLog<Plain>(
        EPOCH,
        { eventsMax, bytesMax: 2 ** 30, ageMaxMs, supersededMax: 0 },
        plain,
        () => nowMs,
      );
      const times: number[] = [];
      for (const { count, pauseMs } of steps) {
        for (let i = 0; i < count; i += 1) {
          times.push(nowMs);
          log.append({ sequence: log.newest + 1, timeMs: nowMs });
        }
        nowMs += pauseMs;
        const young = times.filter((timeMs) => timeMs >= nowMs - ageMaxMs).length;
        const oldest = times.length - Math.min(young, eventsMax);
        if (log.oldest !== oldest || log.newest !== times.length) return false;
        if (log.at(oldest) !== undefined || log.at(times.length + 1) !== undefined) return false;
        if (log.size !== times.length - oldest || log.bytes !== log.size) return false;
        for (let sequence = oldest + 1; sequence <= times.length; sequence += 1) {
          const event = log.at(sequence);
          if (event?.sequence !== sequence || event.timeMs !== times[sequence - 1]) return false;
        }
      }
      return true;
    }),
    randomly(t, effort(300)),
  );
  t.pass();
});

test('after any run of events, refreshes, turns and pauses a reader reads exactly what is left, by label or not', async (t) => {
  const topic = fc.constantFrom('a', 'b', 'c');
  const step = fc.record({
    topic,
    count: fc.integer({ min: 1, max: 300 }),
    isRefresh: fc.boolean(),
    isTurn: fc.boolean(),
  });
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 40 }),
    fc.integer({ min: 1, max: 900 }),
    async (steps, eventsMax) => {
      const notes = new Notes({ eventsMax });
      const told: { topic: string; isRefresh: boolean }[] = [];
      for (const { topic: about, count, isRefresh, isTurn } of steps) {
        if (isRefresh) notes.refresh(about, count);
        else notes.append(about, count);
        for (let i = 0; i < count; i += 1) told.push({ topic: about, isRefresh });
        if (isTurn) await turn();
      }
      await turn();
      const left: number[] = [];
      for (const [i, { topic: about, isRefresh }] of told.entries()) {
        const next = told.slice(i + 1).find((later) => later.topic === about);
        if (!(isRefresh && next?.isRefresh)) left.push(i + 1);
      }
      const kept = left.filter((sequence) => sequence > notes.log.oldest);
      // Never fewer than there is room for, though refreshes of one turn may have been there
      // together.
      if (kept.length > eventsMax || kept.length < Math.min(left.length, eventsMax)) return false;
      for (const about of [undefined, 'a', 'b', 'c']) {
        const reader = notes.stream.read(
          notes.log.oldest,
          (note) => (about ?? note.topic) === note.topic,
          about === undefined ? undefined : new Set([about]),
        );
        const read: number[] = [];
        while (reader.lag > 0) read.push(...sequencesOf(reader.next(7)));
        const wanted = kept.filter((sequence) => about === undefined || told[sequence - 1]?.topic === about);
        if (read.join() !== wanted.join()) return false;
      }
      return notes.log.size === kept.length && notes.log.bytes === 100 * kept.length;
    },
  );
  await fc.assert(property, randomly(t, effort(200)));
  t.pass();
});
