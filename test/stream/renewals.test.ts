/** Renewals are routine: however many there are, they cost nobody else anything. */
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { failure } from '../harness/calls.js';
import { gatewayForThisFile, robot, withGateway } from '../harness/gateway.js';
import { makeEvents, makeHistory, openLeased, renew, renewalsIn, unpaced } from './lively.js';

const gateway = gatewayForThisFile(
  ...['events.logEventsMax=100', 'events.watcherQueueEventsMax=100', 'events.batchEventsMax=100'].flatMap((setting) => [
    '--set',
    setting,
  ]),
  ...unpaced,
);

test.serial('they push no other event out of the log; who resumes is sent the last of each session', async (t) => {
  const { newestCursor: before } = await gateway().getHost();
  const ids = await openLeased(gateway(), 2);
  await makeHistory(gateway(), 20);
  const to = await makeEvents(gateway(), ids, 600);
  const leases = await Promise.all(ids.map(async (id) => (await gateway().get(id)).leaseExpireTime));
  const watcher = gateway().watch({ cursor: before });
  await watcher.first(({ cursor }) => cursor === to);
  for (const id of ids) t.deepEqual([...new Set(watcher.typesOf(id))], ['OPENING', 'OPENED', 'LEASE_RENEWED']);
  t.true(watcher.events.length > 20);
  const renewals = renewalsIn(watcher.messages);
  t.deepEqual(
    ids.map((id) => renewals.findLast(({ session }) => session?.sessionId === id)?.session?.leaseExpireTime),
    leases,
  );
});

test.serial('a watch that reads in time is sent each', async (t) => {
  const [id = ''] = await openLeased(gateway(), 1);
  const watcher = gateway().watch();
  await watcher.first(({ snapshotComplete }) => snapshotComplete);
  for (let count = 1; count <= 50; count += 1) {
    await renew(gateway(), id);
    await watcher.first(() => renewalsIn(watcher.messages).length === count);
  }
  t.is(renewalsIn(watcher.messages).length, 50);
});

test.serial('a principal that changes too often is told to wait, and is served again when it has', async (t) => {
  await withGateway(['--set', 'limits.changesPerSecondPerPrincipalMax=10'], async (paced) => {
    const [id = ''] = await openLeased(paced, 1);
    const answers = await Promise.allSettled(Array.from({ length: 70 }, () => renew(paced, id)));
    const refused = answers.filter((answer) => answer.status === 'rejected').map(({ reason }) => reason);
    // Beside the open, fifty at once, and ten more for each second that this took.
    t.true(refused.length > 0 && refused.length <= 21, `${refused.length} refused`);
    const { code, info, quota, retry } = await failure(Promise.reject(refused.at(-1)));
    t.is(code, status.RESOURCE_EXHAUSTED);
    t.like(info, {
      reason: 'QUOTA_EXCEEDED',
      metadata: { subject: 'principal:anonymous', limit: 'changes_per_second_per_principal', limit_value: '10' },
    });
    t.is(quota?.violations[0]?.subject, 'principal:anonymous');
    const waitMs = Number(retry?.retryDelay?.seconds) * 1000 + (retry?.retryDelay?.nanos ?? 0) / 1e6;
    t.true(waitMs > 0 && waitMs <= 100, `${waitMs} ms`);
    // What changes nothing is not bounded by it.
    t.is((await paced.get(id)).sessionId, id);
    await paced.until(() =>
      renew(paced, id).then(
        () => true,
        () => false,
      ),
    );
    t.is((await paced.getHost()).limits?.changesPerSecondPerPrincipal, 10);
  });
});

test.serial('so are opens and watches that come too often', async (t) => {
  const flags = ['changes', 'watches'].flatMap((what) => ['--set', `limits.${what}PerSecondPerPrincipalMax=1`]);
  await withGateway(flags, async (paced) => {
    // Five at once and one a second, so that of thirty some are refused however long they take.
    const opened = await Promise.all(Array.from({ length: 30 }, () => paced.open({ deviceAddress: robot }).status()));
    const watched = Array.from({ length: 30 }, () => paced.watch());
    const refused = await Promise.race(watched.map(({ ended }) => ended));
    const limits = opened.map((error) => error?.info?.metadata['limit']);
    t.true(limits.includes('changes_per_second_per_principal'));
    t.is(refused?.code, status.RESOURCE_EXHAUSTED);
    t.regex(refused?.details ?? '', /watches_per_second_per_principal/);
    for (const watcher of watched) watcher.cancel();
  });
});
