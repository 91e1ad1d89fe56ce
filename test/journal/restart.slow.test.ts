/**
 * The host forgets nothing: a daemon with a journal is killed, and its next life goes on where it
 * was.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ServiceError, status } from '@grpc/grpc-js';
import test from 'ava';
import { Durability, HostState, PreviousEnd } from '../../proto/gen/wifidirect/v1/host_service.js';
import { SessionState } from '../../proto/gen/wifidirect/v1/session.js';
import { encodeFrame, FrameKind } from '../../service/journal/frames.js';
import { JOURNAL_VERSION, segmentName } from '../../service/journal/segments.js';
import { readError } from '../harness/calls.js';
import { launcher, startSimulated } from '../harness/daemon.js';
import { display, Gateway, scanner } from '../harness/gateway.js';
import { newId, openLeased, renew, unpaced } from '../stream/lively.js';
import { flip, journalFiles, temporaryFolder } from './keeper.js';
import { killed, life } from './lives.js';

const lease = { seconds: 600n };

test('a session that failed tells the same error after a restart', async (t) => {
  const folder = temporaryFolder(t);
  const first = await life(t, folder);
  await first.world.scriptOpen({ error: 1460, reasonCode: 163851 });
  const request = { deviceAddress: display, sessionId: newId(), requestId: randomUUID() };
  const before = readError((await first.open(request).ended) as ServiceError);
  t.is(before.code, status.ABORTED);
  t.is(await first.daemon.stop(), 0);
  const second = await life(t, folder);
  t.is((await second.getHost()).previousEnd, PreviousEnd.CLEAN);
  t.deepEqual(readError((await second.open(request).ended) as ServiceError), before);
});

test('without a folder nothing is kept, and GetHost says so', async (t) => {
  const gateway = new Gateway(await startSimulated());
  t.teardown(() => killed(gateway));
  t.like(await gateway.getHost(), { durability: Durability.MEMORY, previousEnd: PreviousEnd.UNKNOWN });
});

test('durability disk is told by GetHost, and survives a kill as well', async (t) => {
  const folder = temporaryFolder(t);
  const flags = ['--set', 'journal.durability=disk'];
  const first = await life(t, folder, ...flags);
  const [id = ''] = await openLeased(first, 1);
  const { epoch, durability, newestCursor } = await first.getHost();
  t.is(durability, Durability.DISK);
  await killed(first);
  const second = await life(t, folder, ...flags);
  t.like(await second.getHost(), { epoch, durability: Durability.DISK, previousEnd: PreviousEnd.CRASHED });
  const watch = second.watch({ cursor: newestCursor });
  await watch.event(id, 'LOST');
  watch.cancel();
});

test('a second daemon on the same folder is refused, and disturbs nothing', async (t) => {
  const folder = temporaryFolder(t);
  const first = await life(t, folder);
  await openLeased(first, 1);
  const { status: code, stdout } = run('--journal-folder', folder);
  t.is(code, 78);
  t.regex(stdout, /Another wfdd uses the journal in/);
  await openLeased(first, 1);
  t.is(await first.daemon.stop(), 0);
});

test('a journal of a later version is refused, and left as it is', (t) => {
  const folder = temporaryFolder(t);
  const payload = Buffer.from(JSON.stringify({ version: JOURNAL_VERSION + 1 }));
  const name = segmentName(1, 1);
  writeFileSync(
    join(folder, name),
    encodeFrame({ kind: FrameKind.HEADER, sequence: 1, timeMs: 1, topic: '', payload }),
  );
  const { status: code, stdout } = run('--journal-folder', folder);
  t.is(code, 78);
  t.regex(stdout, /is a journal of version 2/);
  t.deepEqual(readdirSync(folder).sort(), [name, 'lock']);
});

test('damage is told in the log, kept aside, and begins a new epoch', async (t) => {
  const folder = temporaryFolder(t);
  const first = await life(t, folder);
  await openLeased(first, 2);
  const { epoch, newestCursor } = await first.getHost();
  await killed(first);
  flip(journalFiles(folder)[0] ?? '', 8 * 600);
  const second = await life(t, folder);
  t.not((await second.getHost()).epoch, epoch);
  t.regex((await second.daemon.line('journal-new-epoch')).msg, /damaged/);
  const watch = second.watch({ cursor: newestCursor });
  t.is(readError((await watch.ended) as ServiceError).info?.reason, 'CURSOR_EXPIRED');
  t.is(readdirSync(join(folder, 'damaged')).length, 1);
});

test('a disk that fails makes the host DEGRADED and stops nothing; it is kept again when it is back', async (t) => {
  t.timeout(180_000);
  const folder = join(temporaryFolder(t), 'journal');
  const gateway = await life(t, folder, '--set', 'journal.bytesMax=1048576', ...unpaced);
  const [id = ''] = await openLeased(gateway, 1);
  const before = await gateway.getHost();
  t.is(before.state, HostState.READY);
  const watch = gateway.watch();
  renameSync(folder, `${folder}-away`);
  writeFileSync(folder, 'not a folder');
  // The file that is open can still be written; the next one can't be made.
  while ((await gateway.getHost()).state === HostState.READY) {
    await Promise.all(Array.from({ length: 50 }, () => renew(gateway, id)));
  }
  const during = await gateway.getHost();
  t.is(during.state, HostState.DEGRADED);
  t.is(during.durability, Durability.MEMORY);
  t.not(during.epoch, before.epoch);
  t.regex(during.stateMessage, /journal/);
  t.is(readError((await watch.ended) as ServiceError).info?.reason, 'CURSOR_EXPIRED');
  await renew(gateway, id);
  rmSync(folder);
  mkdirSync(folder);
  await gateway.until(async () => (await gateway.getHost()).state === HostState.READY);
  const after = await gateway.getHost();
  t.is(after.epoch, during.epoch);
  t.is(after.durability, Durability.PROCESS);
  await renew(gateway, id);
  const { newestCursor } = await gateway.getHost();
  await killed(gateway);
  const next = await life(t, folder);
  t.is((await next.getHost()).epoch, after.epoch);
  const resumed = next.watch({ cursor: newestCursor });
  await resumed.event(id, 'LOST');
  resumed.cancel();
});

test('a full disk stops nothing: the host is DEGRADED until there is room again', async (t) => {
  t.timeout(180_000);
  const folder = temporaryFolder(t);
  const gateway = await life(t, folder, ...unpaced);
  const [id = ''] = await openLeased(gateway, 1);
  const before = await gateway.getHost();
  limitFiles(gateway, '0');
  await gateway.until(async () => {
    await renew(gateway, id);
    return (await gateway.getHost()).state === HostState.DEGRADED;
  });
  const full = await gateway.getHost();
  t.is(full.durability, Durability.MEMORY);
  t.not(full.epoch, before.epoch);
  t.regex(full.stateMessage, /EFBIG/);
  await openLeased(gateway, 1);
  limitFiles(gateway, 'unlimited');
  await gateway.until(async () => (await gateway.getHost()).state === HostState.READY);
  const { newestCursor, epoch } = await gateway.getHost();
  t.is(epoch, full.epoch);
  await killed(gateway);
  const next = await life(t, folder);
  t.is((await next.getHost()).epoch, epoch);
  const resumed = next.watch({ cursor: newestCursor });
  await resumed.event(id, 'LOST');
  resumed.cancel();
});

test('a clock that is a day behind after a restart neither loses nor repeats anything', async (t) => {
  const folder = temporaryFolder(t);
  const ahead = 'data:text/javascript,const { now } = Date; Date.now = () => now() + 86_400_000;';
  const { NODE_OPTIONS: options = '' } = process.env;
  process.env['NODE_OPTIONS'] = `${options} --import=${encodeURI(ahead)}`;
  const first = await life(t, folder).finally(() => {
    process.env['NODE_OPTIONS'] = options;
  });
  const { id: ended, stream } = await first.openSession({ deviceAddress: scanner, sessionId: newId() });
  await first.close(ended, { waitForDisconnect: true });
  await stream.ended;
  const [live = ''] = await openLeased(first, 1);
  const { newestCursor: cursor, epoch } = await first.getHost();
  t.true((stream.events[0]?.time?.getTime() ?? 0) > Date.now() + 80_000_000, 'its clock is ahead');
  await killed(first);

  const second = await life(t, folder);
  t.is((await second.getHost()).epoch, epoch);
  const resumed = second.watch({ cursor });
  await resumed.event(live, 'LOST');
  t.deepEqual(resumed.typesOf(live), ['LOST']);
  t.deepEqual(resumed.typesOf(ended), []);
  t.is((await second.get(ended)).state, SessionState.CLOSED);
  resumed.cancel();
  t.deepEqual(await second.world.misuse(), {});
});

test('wfdd journal shows what happened, across restarts', async (t) => {
  const folder = temporaryFolder(t);
  const first = await life(t, folder);
  const [id = ''] = await openLeased(first, 1);
  await killed(first);
  const second = await life(t, folder);
  await second.openSession({ deviceAddress: scanner, sessionId: 'the-other', leaseTtl: lease });
  const journal = (...args: string[]) =>
    execFileSync(process.execPath, [launcher, 'journal', ...args, '--journal-folder', folder], { encoding: 'utf8' });
  const lines = journal('list').trimEnd().split('\n');
  t.true(lines.some((line) => line.includes(`LOST          ${id}`) && line.includes('HOST_RESTARTED')));
  t.true(lines.some((line) => line.includes('OPENING       the-other')));
  const exported = journal('export', '--session', 'the-other')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.true(exported.every(({ session }) => session.sessionId === 'the-other'));
  t.is(journal('list', '--device', '02:11:22:33:44:04'), '');
  t.is(journal('list', '--until', '2020-01-01'), '');
  t.regex(journal('verify'), /good\.\n$/);
  await killed(second);
  flip(journalFiles(folder)[0] ?? '', 8 * 600);
  const verified = run('journal', 'verify', '--json', '--journal-folder', folder);
  t.is(verified.status, 1);
  t.false(JSON.parse(verified.stdout).isGood);
  const none = run('journal', 'list');
  t.is(none.status, 78);
  t.regex(none.stderr, /journal\.folder is not set/);
});

/** From now on no file of the daemon can be longer: what a full disk is to a process. */
function limitFiles({ daemon: { pid } }: Gateway, bytes: string): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);
}

function run(...args: string[]) {
  return spawnSync(process.execPath, [launcher, ...args], { encoding: 'utf8', timeout: 60_000 });
}
