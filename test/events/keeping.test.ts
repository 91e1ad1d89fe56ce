/** Events that are kept first and told then: nobody hears of one before it is kept. */
import test from 'ava';
import type { Note } from './noted.js';
import { EPOCH, Notes, sequencesOf, turn } from './noted.js';

const all = () => true;
const NEXT_EPOCH = 'fedcba9876543210';

/** Notes with a keeper that only takes note, and one who hears of topic `a`. */
function keeping() {
  const notes = new Notes();
  const { stream } = notes;
  const asked: number[] = [];
  const heard: number[] = [];
  const counted: number[] = [];
  stream.follow('a').subscribe(({ sequence }) => heard.push(sequence));
  stream.events.subscribe(({ sequence }) => counted.push(sequence));
  stream.attachKeeper({ keep: ({ sequence }) => asked.push(sequence) });
  return { notes, stream, asked, heard, counted };
}

test('nobody hears of an event before it is kept, and then of all up to there, in order', async (t) => {
  const { notes, stream, asked, heard, counted } = keeping();
  const reader = stream.read(0, all);
  notes.append('a', 3);
  await turn();
  t.deepEqual(asked, [1, 2, 3], 'the keeper knows at once');
  t.deepEqual([heard, counted, sequencesOf(reader.next(10))], [[], [], []]);
  t.is(reader.lag, 0, 'there is nothing to read yet');
  t.is(stream.publishedUpTo, 0);
  stream.onKept(2);
  t.deepEqual(
    [heard, counted, sequencesOf(reader.next(10))],
    [
      [1, 2],
      [1, 2],
      [1, 2],
    ],
  );
  t.is(stream.publishedUpTo, 2);
  stream.onKept(3);
  t.deepEqual([heard, counted, sequencesOf(reader.next(10))], [[1, 2, 3], [1, 2, 3], [3]]);
});

test('a cursor that is told names no event that is not kept', (t) => {
  const { notes, stream } = keeping();
  notes.append('a', 2);
  t.is(stream.visibleCursor, `${EPOCH}.0`);
  stream.onKept(1);
  t.is(stream.visibleCursor, `${EPOCH}.1`);
  stream.onKept(2);
  t.is(stream.visibleCursor, `${EPOCH}.2`);
  t.is(stream.visibleCursor, stream.cursor);
});

test('who has an answer to give waits for what was appended before it, and for no more', async (t) => {
  const { notes, stream } = keeping();
  t.is(stream.untilKept(), undefined, 'nothing was appended');
  const passed: string[] = [];
  notes.append('a', 2);
  void stream.untilKept()?.then(() => passed.push('two'));
  notes.append('a', 1);
  void stream.untilKept()?.then(() => passed.push('three'));
  stream.onKept(1);
  await turn();
  t.deepEqual(passed, []);
  stream.onKept(2);
  await turn();
  t.deepEqual(passed, ['two']);
  stream.onKept(3);
  await turn();
  t.deepEqual(passed, ['two', 'three']);
  t.is(stream.untilKept(), undefined);
});

test('a reader that stands at an event that is not kept is held, and goes on when it is', (t) => {
  const { notes, stream } = keeping();
  notes.append('a', 2);
  const reader = stream.read(2, all);
  t.true(reader.isHeld);
  t.deepEqual(reader.next(10), []);
  stream.onKept(2);
  t.false(reader.isHeld);
  notes.append('a', 1);
  stream.onKept(3);
  t.deepEqual(sequencesOf(reader.next(10)), [3]);
});

test('when nothing can be kept any more, what was not told is told in a new epoch, once', async (t) => {
  const { notes, stream, asked, heard } = keeping();
  notes.append('a', 3);
  stream.onKept(1);
  const before = stream.read(1, all);
  let isAnswered = false;
  void stream.untilKept()?.then(() => {
    isAnswered = true;
  });
  const renumbered: Note[] = [];
  let readies = 0;
  stream.ready.subscribe(() => {
    readies += 1;
  });
  stream.restart(NEXT_EPOCH, (event) => renumbered.push(event));
  t.is(readies, 1, 'who reads the old epoch finds out');
  t.true(before.isOfThePast);
  t.deepEqual(before.next(10), []);
  await turn();
  t.true(isAnswered, 'nobody waits for ever');
  t.deepEqual(sequencesOf(renumbered), [1, 2]);
  t.deepEqual(heard, [1, 1, 2], 'the second and the third, anew');
  t.is(stream.publishedUpTo, 2);
  t.is(stream.cursor, `${NEXT_EPOCH}.2`);
  t.is(stream.visibleCursor, stream.cursor);
  t.deepEqual(sequencesOf(stream.read(0, all).next(10)), [1, 2]);
  notes.append();
  await turn();
  t.deepEqual(asked, [1, 2, 3], 'it is not asked to keep more');
  t.deepEqual(heard, [1, 1, 2, 3]);
});

test('events of an earlier life can be read at once, and the numbers go on', async (t) => {
  const { stream } = new Notes();
  const old = [4, 5].map((sequence) => ({ event: { topic: 'a', timeMs: 0, sequence, epoch: EPOCH }, ageMs: 10 }));
  const restoring = { topicOf: () => 'a', isRefresh: () => false, read: (kept: (typeof old)[0]) => kept };
  stream.restore(old, restoring, 5);
  t.is(stream.publishedUpTo, 5);
  t.is(stream.visibleCursor, `${EPOCH}.5`);
  t.deepEqual(sequencesOf(stream.read(3, all).next(10)), [4, 5]);
  t.true(stream.read(2, all).isTrimmed);
  t.is(stream.append({ topic: 'a', timeMs: 0 }).sequence, 6);
  await turn();
  t.is(stream.publishedUpTo, 6);
});
