/** A disk that hangs, and a disk whose flushes fail, below a daemon that keeps a journal. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Durability, HostState } from '../../proto/gen/wifidirect/v1/host_service.js';
import { buildLibrary } from '../native/compiler.js';
import { openLeased, renew } from '../stream/lively.js';
import { temporaryFolder } from './keeper.js';
import { life } from './lives.js';

const library = buildLibrary('journal/disk.c', '-ldl');

type DiskState = 'works' | 'hangs' | 'fails';

/** A daemon that flushes each event, on a disk that the test controls. */
async function lifeOnDisk(t: ExecutionContext) {
  const folder = temporaryFolder(t);
  const [state, log] = [join(folder, 'disk'), join(folder, 'disk.log')];
  const set = (is: DiskState) => writeFileSync(state, is);
  set('works');
  writeFileSync(log, '');
  const before = { ...process.env };
  Object.assign(process.env, { LD_PRELOAD: library, WFD_TEST_DISK: state, WFD_TEST_DISK_LOG: log });
  const host = await life(t, join(folder, 'journal'), '--set', 'journal.durability=disk').finally(() => {
    delete process.env['LD_PRELOAD'];
    Object.assign(process.env, before);
  });
  /** Each flush of a file of the journal, in order. */
  const flushes = () =>
    readFileSync(log, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(' ') as [result: string, path: string]);
  return { host, set, flushes };
}

test.serial('while the disk hangs the host answers, and tells nobody of what is not kept', async (t) => {
  const { host, set } = await lifeOnDisk(t);
  const [id = ''] = await openLeased(host, 1);
  const watch = host.watch();
  await watch.first(({ snapshotComplete }) => snapshotComplete);
  set('hangs');
  let isRenewed = false;
  const renewed = renew(host, id).then(() => {
    isRenewed = true;
  });
  for (let count = 0; count < 50; count += 1) {
    t.is((await host.getHost()).state, HostState.READY);
  }
  t.false(isRenewed);
  t.deepEqual(
    watch.typesOf(id).filter((type) => type === 'LEASE_RENEWED'),
    [],
  );
  set('works');
  await renewed;
  await watch.event(id, 'LEASE_RENEWED');
  t.is((await host.getHost()).durability, Durability.DISK);
  watch.cancel();
  t.deepEqual(await host.world.misuse(), {});
});

test.serial('a file whose flush has failed is never flushed again: the next file is a new one', async (t) => {
  t.timeout(120_000);
  const { host, set, flushes } = await lifeOnDisk(t);
  const [id = ''] = await openLeased(host, 1);
  const { epoch } = await host.getHost();
  set('fails');
  await renew(host, id);
  const failing = await host.getHost();
  t.is(failing.state, HostState.DEGRADED);
  t.is(failing.durability, Durability.MEMORY);
  t.regex(failing.stateMessage, /EIO/);
  t.not(failing.epoch, epoch);
  // At least one attempt to begin again fails as well.
  await host.until(async () => flushes().filter(([result]) => result === 'failed').length > 1);
  set('works');
  await host.until(async () => (await host.getHost()).state === HostState.READY);
  await renew(host, id);
  t.is((await host.getHost()).durability, Durability.DISK);
  const ends = new Set<string>();
  for (const [result, path] of flushes()) {
    t.false(ends.has(path), `${path} was flushed again after a failure`);
    if (result === 'failed') ends.add(path);
  }
  t.deepEqual(await host.world.misuse(), {});
});

test.serial('a disk that hangs for long has failed: the host goes on in memory, and stops in time', async (t) => {
  t.timeout(120_000);
  const { host, set, flushes } = await lifeOnDisk(t);
  const [id = ''] = await openLeased(host, 1);
  const { epoch } = await host.getHost();
  set('hangs');
  await renew(host, id);
  const hanging = await host.getHost();
  t.is(hanging.state, HostState.DEGRADED);
  t.is(hanging.durability, Durability.MEMORY);
  t.regex(hanging.stateMessage, /has not answered for 10 s/);
  t.not(hanging.epoch, epoch);
  await renew(host, id);
  set('works');
  await host.until(async () => (await host.getHost()).state === HostState.READY);
  t.is((await host.getHost()).durability, Durability.DISK);
  const [path] = flushes().at(-1)?.slice(1) ?? [];
  t.truthy(path);
  t.deepEqual(await host.world.misuse(), {});
  set('hangs');
  void renew(host, id).catch(() => {});
  host.disconnect();
  await host.daemon.stop();
  t.truthy(host.daemon.log.find(({ event }) => event === 'stopped'));
});
