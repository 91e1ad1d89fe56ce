import test from 'ava';
import fc from 'fast-check';
import { EventLog, type Logged } from '../../service/events/log.js';
import { effort, randomly } from '../session/seed.js';
import { EPOCH, Notes } from './noted.js';

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
  t.throws(() =>
    notes.log.append(() => {
      throw new Error('no');
    }),
  );
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
      const log = new EventLog<Logged>(EPOCH, { eventsMax, ageMaxMs }, () => nowMs);
      const times: number[] = [];
      for (const { count, pauseMs } of steps) {
        for (let i = 0; i < count; i += 1) {
          times.push(nowMs);
          log.append((sequence, epoch) => ({ sequence, epoch, timeMs: nowMs }));
        }
        nowMs += pauseMs;
        const young = times.filter((timeMs) => timeMs >= nowMs - ageMaxMs).length;
        const oldest = times.length - Math.min(young, eventsMax);
        if (log.oldest !== oldest || log.newest !== times.length) return false;
        if (log.at(oldest) !== undefined || log.at(times.length + 1) !== undefined) return false;
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
