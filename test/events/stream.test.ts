import test from 'ava';
import { config } from 'rxjs';
import { EPOCH, Notes, sequencesOf, turn } from './noted.js';

const all = () => true;

test('nobody is called while an event is being appended; the log has it before anyone hears of it', async (t) => {
  const notes = new Notes();
  const newest: number[] = [];
  notes.stream.ready.subscribe(() => newest.push(notes.log.newest));
  notes.stream.follow('a').subscribe(({ sequence }) => newest.push(sequence * 100));
  notes.append();
  t.deepEqual(newest, []);
  await turn();
  t.deepEqual(newest, [100, 1]);
});

test('`ready` comes once for all that was appended in a turn', async (t) => {
  const notes = new Notes();
  let readies = 0;
  notes.stream.ready.subscribe(() => {
    readies += 1;
  });
  notes.append('a', 100);
  notes.append('b', 100);
  await turn();
  t.is(readies, 1);
  notes.append();
  await turn();
  t.is(readies, 2);
});

test('what is appended while others are told is told in its turn', async (t) => {
  const notes = new Notes();
  const heard: number[] = [];
  notes.stream.follow('a').subscribe(({ sequence }) => {
    heard.push(sequence);
    if (sequence === 1) notes.append('a', 2);
  });
  notes.append();
  await turn();
  t.deepEqual(heard, [1, 2, 3]);
});

test('a listener that throws takes nothing from the others', async (t) => {
  const notes = new Notes();
  const errors: unknown[] = [];
  const thrownTwice = new Promise<void>((resolve) => {
    config.onUnhandledError = (error) => {
      if (errors.push(error) === 2) resolve();
    };
  });
  notes.stream.follow('a').subscribe(() => {
    throw new Error('a listener of ours');
  });
  const heard: number[] = [];
  notes.stream.follow('a').subscribe(({ sequence }) => heard.push(sequence));
  notes.append('a', 2);
  await thrownTwice;
  t.deepEqual(heard, [1, 2]);
});

test('a topic is followed from now on, by several, and no other is heard', async (t) => {
  const notes = new Notes();
  notes.append('a');
  await turn();
  const heard: number[][] = [[], []];
  for (const into of heard) notes.stream.follow('a').subscribe(({ sequence }) => into.push(sequence));
  notes.append('b');
  notes.append('a', 2);
  await turn();
  t.deepEqual(heard, [
    [3, 4],
    [3, 4],
  ]);
});

test('a topic that is forgotten in the turn of its last event is heard to its end', async (t) => {
  const notes = new Notes();
  const heard: number[] = [];
  notes.stream.follow('a').subscribe(({ sequence }) => heard.push(sequence));
  notes.append('a', 2);
  notes.stream.forget('a');
  await turn();
  t.deepEqual(heard, [1, 2]);
});

test('a topic whose name is used again is another topic', async (t) => {
  const notes = new Notes();
  const before: number[] = [];
  const after: number[] = [];
  notes.stream.follow('a').subscribe(({ sequence }) => before.push(sequence));
  notes.append('a');
  notes.stream.forget('a');
  notes.stream.follow('a').subscribe(({ sequence }) => after.push(sequence));
  notes.append('a');
  await turn();
  t.deepEqual([before, after], [[1], [2]]);
});

test('forgetting what nobody follows is nothing', (t) => {
  t.notThrows(() => new Notes().stream.forget('never heard of'));
});

test('a reader reads what comes after its place, in batches of at most so many, then nothing', (t) => {
  const notes = new Notes();
  notes.append('a', 5);
  const reader = notes.stream.read(1, all);
  t.is(reader.lag, 4);
  t.deepEqual(sequencesOf(reader.next(3)), [2, 3, 4]);
  t.is(reader.position, 4);
  t.deepEqual(sequencesOf(reader.next(3)), [5]);
  t.deepEqual(reader.next(3), []);
  t.is(reader.lag, 0);
});

test('a reader passes over what it does not want, and its place moves on all the same', (t) => {
  const notes = new Notes();
  notes.append('a', 2);
  notes.append('b');
  notes.append('a', 2);
  const reader = notes.stream.read(0, ({ topic }) => topic === 'b');
  t.deepEqual(sequencesOf(reader.next(10)), [3]);
  t.is(reader.position, 5);
});

test('a filled batch stops at its last event, so that its cursor is true', (t) => {
  const notes = new Notes();
  notes.append('a');
  notes.append('b');
  notes.append('a');
  const reader = notes.stream.read(0, ({ topic }) => topic === 'a');
  t.deepEqual(sequencesOf(reader.next(1)), [1]);
  t.is(reader.position, 1);
});

test('a reader whose next event is trimmed knows, and skips nothing silently', (t) => {
  const notes = new Notes({ eventsMax: 2 });
  notes.append('a', 2);
  const reader = notes.stream.read(0, all);
  t.false(reader.isTrimmed);
  notes.append();
  t.true(reader.isTrimmed);
  t.deepEqual(reader.next(10), []);
  t.is(reader.position, 0);
  t.is(notes.stream.oldestCursor, `${EPOCH}.1`);
});
