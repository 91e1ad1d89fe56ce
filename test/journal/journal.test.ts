import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { encodeFrame, FrameKind } from '../../service/journal/frames.js';
import type { JournalSettings } from '../../service/journal/journal.js';
import { JOURNAL_VERSION, segmentName } from '../../service/journal/segments.js';
import { randomly } from '../session/seed.js';
import { asIfKilled, cut, EPOCH, flip, journalFiles, Keeper, temporaryFolder } from './keeper.js';

const settings = (folder: string, more: Partial<JournalSettings> = {}): JournalSettings => ({
  folder,
  durability: 'PROCESS',
  bytesMax: 64 << 20,
  ageMaxMs: 24 * 3_600_000,
  ...more,
});

const texts = (keeper: Keeper) => keeper.restored.events.map(({ payload }) => Buffer.from(payload).toString());

test('a new journal has no epoch, and nothing is known of a life before', async (t) => {
  const { restored, journal } = await Keeper.open(settings(temporaryFolder(t)));
  t.like(restored, { epoch: undefined, newest: 0, previousEnd: 'UNKNOWN', newEpochBecause: undefined });
  await journal.close();
});

for (const durability of ['PROCESS', 'DISK'] as const) {
  test(`${durability}: what was durable is there after a kill, under the same numbers`, async (t) => {
    const folder = temporaryFolder(t);
    const first = await Keeper.open(settings(folder, { durability }));
    first.event('a', 'a opening');
    first.event('a', 'a open');
    first.request('me\nid-1', 'CloseSession');
    first.event('b', 'b opening');
    await first.until(() => first.journal.durable === 3);
    const second = await Keeper.open(settings(asIfKilled(folder, join(temporaryFolder(t), 'copy')), { durability }));
    t.like(second.restored, { epoch: EPOCH, newest: 3, previousEnd: 'CRASHED', newEpochBecause: undefined });
    t.deepEqual(texts(second), ['a opening', 'a open', 'b opening']);
    t.deepEqual([...second.sessions], [...first.sessions]);
    t.deepEqual([...second.requests], [['me\nid-1', 'CloseSession']]);
    await Promise.all([first.journal.close(), second.journal.close()]);
  });
}

test('a stop in good order is told from a crash', async (t) => {
  const folder = temporaryFolder(t);
  const first = await Keeper.open(settings(folder));
  first.event('a', 'a opening');
  await first.journal.close();
  const second = await Keeper.open(settings(folder));
  t.like(second.restored, { epoch: EPOCH, newest: 1, previousEnd: 'CLEAN' });
  await second.journal.close();
  const third = await Keeper.open(settings(folder));
  t.like(third.restored, { epoch: EPOCH, newest: 1, previousEnd: 'CLEAN' });
  await third.journal.close();
});

test('all events of a turn are one write', async (t) => {
  const keeper = await Keeper.open(settings(temporaryFolder(t)));
  keeper.event('a', 'first');
  await keeper.until(() => keeper.journal.durable === 1);
  const { writes } = keeper.journal.status;
  for (let i = 0; i < 100; i++) keeper.event('a', `${i}`);
  t.is(keeper.journal.status.waiting, 100);
  await keeper.until(() => keeper.journal.durable === 101);
  t.is(keeper.journal.status.writes, writes + 1);
  await keeper.journal.close();
});

test('what the process was writing when it died is cut off, at whatever byte, and the numbers go on', async (t) => {
  const folder = temporaryFolder(t);
  const first = await Keeper.open(settings(folder));
  first.event('a', 'told');
  await first.until(() => first.journal.durable === 1);
  const [path = ''] = journalFiles(folder);
  const toldBytes = statSync(path).size;
  first.event('a', 'not told');
  await first.until(() => first.journal.durable === 2);
  const wholeBytes = statSync(path).size;
  for (let bytes = wholeBytes - toldBytes; bytes > 0; bytes--) {
    const copy = asIfKilled(folder, join(temporaryFolder(t), 'copy'));
    cut(journalFiles(copy)[0] ?? '', bytes);
    const next = await Keeper.open(settings(copy));
    t.deepEqual(texts(next), ['told'], `${bytes} bytes`);
    t.is(next.restored.epoch, EPOCH);
    next.event('a', 'after');
    await next.journal.close();
    const later = await Keeper.open(settings(copy));
    t.deepEqual(texts(later), ['told', 'after'], `${bytes} bytes`);
    await later.journal.close();
  }
  await first.journal.close();
});

test('a bit that was flipped in any frame is told: a new epoch, and the file is kept aside', async (t) => {
  const folder = temporaryFolder(t);
  const first = await Keeper.open(settings(folder));
  for (const text of ['one', 'two', 'three']) first.event('a', text);
  await first.journal.close();
  const bits = statSync(journalFiles(folder)[0] ?? '').size * 8;
  for (let bit = 0; bit < bits; bit += 7) {
    const copy = asIfKilled(folder, join(temporaryFolder(t), 'copy'));
    const [path = ''] = journalFiles(copy);
    flip(path, bit);
    const damaged = readFileSync(path);
    const next = await Keeper.open(settings(copy));
    t.is(next.restored.epoch, undefined, `bit ${bit}`);
    t.regex(next.restored.newEpochBecause ?? '', /is damaged/, `bit ${bit}`);
    await next.journal.close();
    t.deepEqual(readFileSync(join(copy, 'damaged', path.slice(copy.length + 1))), damaged);
  }
});

test('after damage the journal is whole again: the life after next goes on with its numbers', async (t) => {
  const folder = temporaryFolder(t);
  const small = settings(folder, { bytesMax: 8 * 400 });
  const first = await Keeper.open(small);
  for (let i = 0; i < 30; i++) first.event('a', `event ${i}`);
  await first.journal.close();
  const files = journalFiles(folder);
  t.true(files.length > 2, `${files.length} files`);
  flip(files[files.length - 2] ?? '', 8 * 100);
  const second = await Keeper.open(small, 'boot-1', '00000000000000bb');
  t.is(second.restored.epoch, undefined);
  second.event('a', 'after the damage');
  await second.journal.close();
  const third = await Keeper.open(small);
  t.is(third.restored.epoch, '00000000000000bb');
  t.deepEqual(texts(third), ['after the damage']);
  await third.journal.close();
});

test('PROCESS: after a restart of the machine the tail may be missing, so the epoch is a new one', async (t) => {
  const folder = temporaryFolder(t);
  const first = await Keeper.open(settings(folder));
  first.event('a', 'a opening');
  await first.until(() => first.journal.durable === 1);
  const copies = ['1', '2'].map((name) => asIfKilled(folder, join(temporaryFolder(t), name)));
  const rebooted = await Keeper.open(settings(copies[0] ?? ''), 'boot-2');
  t.like(rebooted.restored, { epoch: undefined, newest: 0, previousEnd: 'CRASHED' });
  t.regex(rebooted.restored.newEpochBecause ?? '', /machine has started again/);
  t.is(rebooted.sessions.size, 1, 'but the sessions are known');
  const same = await Keeper.open(settings(copies[1] ?? ''), 'boot-1');
  t.is(same.restored.epoch, EPOCH);
  await first.journal.close();
  const stopped = await Keeper.open(settings(folder), 'boot-2');
  t.is(stopped.restored.epoch, EPOCH, 'a clean stop has flushed');
  await Promise.all([rebooted, same, stopped].map(({ journal }) => journal.close()));
});

test('DISK: a restart of the machine loses nothing', async (t) => {
  const folder = temporaryFolder(t);
  const first = await Keeper.open(settings(folder, { durability: 'DISK' }));
  first.event('a', 'a opening');
  await first.until(() => first.journal.durable === 1);
  const copy = asIfKilled(folder, join(temporaryFolder(t), 'copy'));
  const second = await Keeper.open(settings(copy, { durability: 'DISK' }), 'boot-2');
  t.like(second.restored, { epoch: EPOCH, newest: 1 });
  await Promise.all([first.journal.close(), second.journal.close()]);
});

test('a journal of a later version is refused, and nothing of it is touched', async (t) => {
  const folder = temporaryFolder(t);
  const payload = Buffer.from(JSON.stringify({ version: JOURNAL_VERSION + 1, epoch: EPOCH }));
  const path = join(folder, segmentName(1, 1));
  const bytes = encodeFrame({ kind: FrameKind.HEADER, sequence: 1, timeMs: 1, topic: '', payload });
  writeFileSync(path, bytes);
  const error = await t.throwsAsync(Keeper.open(settings(folder)));
  t.regex(error?.message ?? '', /is a journal of version 2, but this wfdd can read only version 1\./);
  t.deepEqual(journalFiles(folder), [path]);
  t.deepEqual(readFileSync(path), bytes);
});

test('the oldest files go when all are too large or too old, and the rest can be resumed from', async (t) => {
  const folder = temporaryFolder(t);
  const keeper = await Keeper.open(settings(folder, { bytesMax: 8 * 1000 }));
  for (let i = 1; i <= 500; i++) {
    keeper.event('a', `event ${i}`);
    if (i % 10 === 0) await keeper.until(() => keeper.journal.durable === i);
  }
  t.true(keeper.journal.status.bytes <= 9000, `${keeper.journal.status.bytes} bytes`);
  await keeper.journal.close();
  const next = await Keeper.open(settings(folder, { bytesMax: 8 * 1000 }));
  t.is(next.restored.newest, 500);
  t.is(texts(next).at(-1), 'event 500');
  const [oldest = 0] = next.restored.events.map(({ sequence }) => sequence);
  t.true(oldest > 1 && next.restored.events.length === 501 - oldest);
  await next.journal.close();
  const much = await Keeper.open(settings(folder, { ageMaxMs: -1 }));
  await much.journal.close();
  t.is(journalFiles(folder).length, 1);
});

test('a full or vanished disk stops nothing: the owner is told once, and again when it is back', async (t) => {
  const folder = join(temporaryFolder(t), 'journal');
  const keeper = await Keeper.open(settings(folder, { bytesMax: 8 * 300 }));
  keeper.event('a', 'before');
  await keeper.until(() => keeper.journal.durable === 1);
  rmSync(folder, { recursive: true });
  // The file that is open goes on to be written; the next one can't be made.
  for (let i = 0; i < 20; i++) keeper.event('a', `event ${i}`);
  await keeper.until(() => keeper.failures.length > 0);
  t.is(keeper.failures.length, 1);
  t.like(keeper.journal.status, { isWriting: false });
  keeper.event('a', 'in memory only');
  keeper.epoch = '00000000000000bb';
  mkdirSync(folder);
  await keeper.until(() => keeper.recoveries === 1);
  keeper.event('a', 'kept');
  await keeper.until(() => keeper.journal.durable === keeper.newest);
  await keeper.journal.close();
  const next = await Keeper.open(settings(folder));
  t.like(next.restored, { epoch: '00000000000000bb', newest: keeper.newest });
  t.deepEqual(texts(next), ['kept']);
  await next.journal.close();
});

test('on a disk that takes no files nothing is kept, and the owner is told', async (t) => {
  // Nobody can make a file here, root neither.
  const keeper = await Keeper.open(settings('/proc/self'));
  keeper.event('a', 'in memory only');
  await keeper.until(() => keeper.failures.length === 1);
  t.like(keeper.journal.status, { isWriting: false, writes: 0, bytes: 0 });
  t.is(keeper.journal.durable, 0);
  await keeper.journal.close();
});

test('a clock that was set back between two lives changes nothing: order and numbers are those of the events', async (t) => {
  const folder = temporaryFolder(t);
  const hour = 3_600_000;
  const limits = settings(folder, { ageMaxMs: 2 * hour });
  const first = await Keeper.open(limits);
  first.event('a', 'a opening', Date.now() + 24 * hour);
  first.request('key', 'CloseSession');
  await first.journal.close();
  const second = await Keeper.open(limits);
  t.like(second.restored, { epoch: EPOCH, newest: 1, previousEnd: 'CLEAN' });
  second.event('a', 'a open', Date.now());
  second.event('b', 'b opening', Date.now() - hour);
  await second.journal.close();
  const third = await Keeper.open(limits);
  t.is(third.restored.epoch, EPOCH);
  t.deepEqual(texts(third), ['a opening', 'a open', 'b opening']);
  t.deepEqual(
    [...third.sessions].map(([id, { text }]) => [id, text]),
    [
      ['a', 'a open'],
      ['b', 'b opening'],
    ],
  );
  t.deepEqual([...third.requests], [['key', 'CloseSession']]);
  await third.journal.close();
});

type Step =
  | { readonly do: 'event'; readonly session: number }
  | { readonly do: 'request'; readonly key: number }
  | { readonly do: 'wait' }
  | { readonly do: 'stop' }
  | { readonly do: 'kill'; readonly tornBytes: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('event' as const), session: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('request' as const), key: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.constant({ do: 'wait' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'stop' as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill' as const), tornBytes: fc.nat(400) }) },
);

test('random lives: what was told is never forgotten, renumbered or doubled', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      let folder = temporaryFolder(t);
      const small = () => settings(folder, { bytesMax: 8 * 700 });
      let keeper = await Keeper.open(small());
      /** Every event by its number, as it was appended in the life that counts. */
      let written: string[] = [];
      let texts = 0;
      const reopen = async (durable: number) => {
        const next = await Keeper.open(small());
        t.is(next.restored.newEpochBecause, undefined);
        t.true(next.restored.newest >= durable, 'nothing that was durable is missing');
        written = written.slice(0, next.restored.newest);
        for (const { sequence, payload } of next.restored.events) {
          t.is(Buffer.from(payload).toString(), written[sequence - 1] ?? 'never written');
        }
        for (const { sequence, text } of next.sessions.values()) t.is(text, written[sequence - 1] ?? 'never written');
        t.is(next.sessions.size, new Set(written.map((text) => text.split(' ')[0])).size);
        keeper = next;
      };
      for (const each of steps) {
        if (each.do === 'event') {
          const text = `s${each.session} ${texts++} ${'x'.repeat(50)}`;
          written.push(text);
          keeper.event(`s${each.session}`, text);
        } else if (each.do === 'request') keeper.request(`key-${each.key}`, `${texts++}`);
        else if (each.do === 'wait') await keeper.until(() => keeper.journal.durable === keeper.newest);
        else if (each.do === 'stop') {
          await keeper.journal.close();
          await reopen(keeper.newest);
        } else {
          const { durable } = keeper.journal;
          const copy = asIfKilled(folder, join(temporaryFolder(t), 'copy'));
          await keeper.journal.close();
          folder = copy;
          await reopen(durable);
        }
      }
      await keeper.journal.close();
    }),
    { ...randomly(t, 60) },
  );
  t.pass();
});
