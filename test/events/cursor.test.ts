import test from 'ava';
import fc from 'fast-check';
import { formatCursor, parseCursor } from '../../service/events/cursor.js';
import { randomly } from '../session/seed.js';
import { EPOCH, Notes } from './noted.js';

const OTHER_EPOCH = 'fedcba9876543210';

/** What stands between the braces of a refusal, or the position. */
function positionOf(notes: Notes, cursor: string): number | string {
  const found = notes.stream.positionOf(cursor);
  return found.ok ? found.value : found.fault.reason;
}

test('a cursor is read back as it was written', (t) => {
  const epochs = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((n) => n.toString(16).padStart(16, '0'));
  fc.assert(
    fc.property(epochs, fc.maxSafeNat(), (epoch, sequence) => {
      const cursor = parseCursor(formatCursor(epoch, sequence));
      return cursor?.epoch === epoch && cursor.sequence === sequence;
    }),
    randomly(t, 100),
  );
  t.pass();
});

test('each place has one cursor, so a cursor that is read is written the same again', (t) => {
  const cursorLike = fc.stringMatching(/^[0-9a-fA-F]{15,17}[.:][0-9+-]{1,18}$/);
  fc.assert(
    fc.property(fc.oneof(fc.string(), cursorLike), (text) => {
      const cursor = parseCursor(text);
      return cursor === undefined || formatCursor(cursor.epoch, cursor.sequence) === text;
    }),
    randomly(t, 100),
  );
  t.pass();
});

const garbage = [
  '',
  '.',
  EPOCH,
  `${EPOCH}.`,
  `${EPOCH}.01`,
  `${EPOCH}.-1`,
  `${EPOCH}.1.2`,
  `${EPOCH}.1 `,
  `${EPOCH}.1\n`,
  `${EPOCH}.1e3`,
  `${EPOCH}.0x1`,
  `${EPOCH}.9007199254740992`,
  `${EPOCH}.99999999999999999999`,
  `${EPOCH.toUpperCase()}.1`,
  `${EPOCH.slice(1)}.1`,
  `0${EPOCH}.1`,
  `${EPOCH}.٣`,
];
for (const text of garbage) {
  test(`no host has given ${JSON.stringify(text)}`, (t) => {
    t.is(parseCursor(text), undefined);
    t.is(positionOf(new Notes(), text), 'INVALID_FIELD');
  });
}

test('every cursor from the oldest to the newest can be resumed from', (t) => {
  const notes = new Notes({ eventsMax: 2 });
  notes.append('a', 5);
  t.is(notes.stream.cursor, `${EPOCH}.5`);
  t.is(notes.stream.oldestCursor, `${EPOCH}.3`);
  for (const sequence of [3, 4, 5]) t.is(positionOf(notes, `${EPOCH}.${sequence}`), sequence);
});

test('before the first event there is a cursor to resume from', (t) => {
  const notes = new Notes();
  t.is(notes.stream.cursor, `${EPOCH}.0`);
  t.is(positionOf(notes, notes.stream.cursor), 0);
});

test('a cursor of this epoch that lies ahead was never given', (t) => {
  const notes = new Notes();
  notes.append();
  t.is(positionOf(notes, `${EPOCH}.2`), 'INVALID_FIELD');
});

test('a cursor whose next event is trimmed has expired, and the refusal names the oldest that has not', (t) => {
  const notes = new Notes({ eventsMax: 2 });
  notes.append('a', 5);
  const found = notes.stream.positionOf(`${EPOCH}.2`);
  t.false(found.ok);
  if (found.ok) return;
  t.is(found.fault.reason, 'CURSOR_EXPIRED');
  t.deepEqual(found.fault.metadata, { oldest_cursor: `${EPOCH}.3` });
  t.regex(found.fault.message, /trimmed/);
  t.is(found.fault.field, undefined);
});

test('a cursor expires by age, too', (t) => {
  const notes = new Notes({ ageMaxMs: 1000 });
  notes.append();
  notes.nowMs = 1001;
  t.is(positionOf(notes, `${EPOCH}.0`), 'CURSOR_EXPIRED');
  t.is(positionOf(notes, `${EPOCH}.1`), 1);
});

test('a cursor of another epoch has expired, wherever it points', (t) => {
  const notes = new Notes();
  notes.append('a', 5);
  for (const sequence of [0, 5, 9]) {
    const found = notes.stream.positionOf(`${OTHER_EPOCH}.${sequence}`);
    t.false(found.ok);
    if (found.ok) continue;
    t.is(found.fault.reason, 'CURSOR_EXPIRED');
    t.deepEqual(found.fault.metadata, { oldest_cursor: `${EPOCH}.0` });
    t.regex(found.fault.message, /has started a new event log/);
  }
});

test('a cursor that can not be is refused by field and value, of which only the beginning is shown', (t) => {
  const found = new Notes().stream.positionOf('x'.repeat(10_000));
  t.false(found.ok);
  if (found.ok) return;
  t.is(found.fault.field, 'cursor');
  t.true(found.fault.message.length < 300);
});
