/** What people read: durations, tables, and names that come from strangers. */
import test from 'ava';
import fc from 'fast-check';
import {
  formatAge,
  formatDuration,
  formatMoment,
  formatRest,
  formatTime,
  parseDuration,
} from '../../clients/ctl/src/text/duration.js';
import { printable, widthOf } from '../../clients/ctl/src/text/printable.js';
import { coloured, paintOf, plain } from '../../clients/ctl/src/text/style.js';
import { pairs, table } from '../../clients/ctl/src/text/table.js';

const durations: readonly (readonly [text: string, ms: number | undefined])[] = [
  ['500ms', 500],
  ['30s', 30_000],
  ['1.5s', 1500],
  ['5m', 300_000],
  ['1h30m', 5_400_000],
  ['2d', 172_800_000],
  ['0s', 0],
  ['0.5ms', 0.5],
  ['999.6ms', 999.6],
  ['1.005s', 1005],
  ['30', undefined],
  ['', undefined],
  ['s', undefined],
  ['-5s', undefined],
  ['5 s', undefined],
  ['5sx', undefined],
  ['1e3s', undefined],
];
for (const [text, ms] of durations) {
  test(`${JSON.stringify(text)} is ${ms === undefined ? 'no duration' : `${ms} ms`}`, (t) => {
    t.is(parseDuration(text), ms);
  });
}

const written: readonly (readonly [ms: number, text: string])[] = [
  [-5, '0s'],
  [0, '0s'],
  [4, '0s'],
  [410, '0.41s'],
  [1000, '1s'],
  [9994, '9.99s'],
  [9996, '10s'],
  [59_700, '1m'],
  [125_000, '2m5s'],
  [3_600_000, '1h'],
  [3_725_000, '1h2m'],
  [86_400_000, '1d'],
  [273_600_000, '3d4h'],
];
for (const [ms, text] of written) {
  test(`${ms} ms are ${text}`, (t) => {
    t.is(formatDuration(ms), text);
  });
}

test('what is written of a duration is right to a part in twenty-four, and can be read again', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 10, max: 2 ** 40 }), (ms) => {
      const read = parseDuration(formatDuration(ms)) ?? Number.NaN;
      return Math.abs(read - ms) <= Math.max(5, ms / 24);
    }),
  );
  t.pass();
});

test('an age has no fractions, and a moment is of this place', (t) => {
  t.is(formatAge(2999), '2s');
  t.is(formatRest(2001), '3s');
  t.is(formatAge(-1), '0s');
  t.is(formatRest(-1), '0s');
  t.is(formatMoment(new Date(2026, 0, 2, 3, 4, 5, 6)), '2026-01-02 03:04:05');
  t.is(formatTime(new Date(2026, 0, 2, 3, 4, 5, 6)), '03:04:05.006');
  t.is(formatTime(undefined), '');
});

test('columns are as wide as what is in them, and the last one is not filled up', (t) => {
  const rows = [
    ['a', 'long enough'],
    ['bcd', ''],
  ];
  t.is(table(['X', 'Y'], rows, plain.bold), 'X    Y\na    long enough\nbcd  -\n');
});

const sessionsLike = (columns: number | undefined) => {
  const header = ['SESSION', 'DEVICE', 'AGE', 'OWNER', 'DETAIL'];
  const rows = [
    ['8d1f7c39-6a52', '02:11:22:33:44:01', '12s', 'spiffe://example.com/fleet/7', 'Local Area Connection* 2'],
  ];
  return table(header, rows, plain.bold, { columns, spare: ['OWNER', 'DETAIL', 'AGE'] })
    .trimEnd()
    .split('\n');
};

test('a table fits its terminal: the last column is cut, then spare ones are left out, and no line is broken', (t) => {
  for (const columns of [40, 50, 60, 70, 80, 100, 200])
    for (const line of sessionsLike(columns)) t.true(widthOf(line) <= columns, `${columns}: ${line}`);
  t.regex(sessionsLike(200)[1] ?? '', /fleet\/7 {2}Local Area Connection\* 2$/);
  t.regex(sessionsLike(90)[1] ?? '', /fleet\/7 {2}Local Area Connectio…$/);
  t.regex(sessionsLike(80)[0] ?? '', /^SESSION +DEVICE +AGE {2}DETAIL$/);
  t.regex(sessionsLike(80)[1] ?? '', /12s {2}Local Area Connection\* 2$/);
  t.regex(sessionsLike(55)[1] ?? '', /12s {2}Local Area Conn…$/);
  t.deepEqual(sessionsLike(40), ['SESSION        DEVICE             AGE', '8d1f7c39-6a52  02:11:22:33:44:01  12s']);
  t.is(sessionsLike(undefined)[1]?.length, sessionsLike(200)[1]?.length);
});

test('colour takes no room, and wide letters take two columns', (t) => {
  const good = { text: 'ok', paint: coloured.good };
  const rows = [
    [good, 'x'],
    ['会议', 'y'],
    ['e\u0301t\u00e9', 'z'],
  ];
  t.is(table(['A', 'B'], rows, plain.bold), 'A     B\n\x1b[32mok\x1b[39m    x\n会议  y\ne\u0301t\u00e9   z\n');
  t.is(widthOf('📺 TV'), 5);
});

test('what stands for nothing is left out of a list of pairs', (t) => {
  const entries = [
    ['Name', 'x'],
    ['Nothing', ''],
    ['Neither', undefined],
    ['Long name', 'y'],
  ] as const;
  t.is(pairs(entries, plain.bold), 'Name       x\nLong name  y\n');
});

test('a name from the air can neither command the terminal nor turn the text around it', (t) => {
  t.is(printable('a\x1b[31mb\rc\nd\u009b2Je\u202ef\u2066g'), 'a\ufffd[31mb\ufffdc\ufffdd\ufffd2Je\ufffdf\ufffdg');
  t.is(printable('Büro 会议 📺 d’Été'), 'Büro 会议 📺 d’Été');
  t.false(table(['N'], [['\x1b]0;owned\x07']], plain.bold).includes('\x1b'));
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => !/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(printable(text))),
  );
});

test('a state has one colour wherever it shows, and without colour none', (t) => {
  t.is(paintOf(coloured, 'OPEN')('OPEN'), '\x1b[32mOPEN\x1b[39m');
  t.is(paintOf(coloured, 'FAILED')('x'), '\x1b[31mx\x1b[39m');
  t.is(paintOf(coloured, 'A_STATE_OF_LATER')('x'), '\x1b[1mx\x1b[22m');
  t.is(paintOf(plain, 'FAILED')('x'), 'x');
});
