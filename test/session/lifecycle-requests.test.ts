/** Asking twice, asking for too much, and what is remembered for how long. */
import test from 'ava';
import { by } from './life.js';
import { refusalOf, rigForThisFile, robot, scanner, until, world } from './rig.js';

const start = rigForThisFile();

test.serial('the same request is the same session, live or ended, and even while the host is stopping', async (t) => {
  const rig = await start();
  const request = { sessionId: 'asked-twice', requestId: 'r-1' };
  const first = rig.ask(request);
  t.true(first.ok && first.value.isNew);
  const again = rig.ask(request);
  t.true(again.ok && !again.value.isNew && again.value.session.id === 'asked-twice');
  await rig.event('asked-twice', 'OPENED');
  await rig.close('asked-twice');
  await rig.lifecycle.drain(0);
  const ended = rig.ask(request);
  t.true(ended.ok && ended.value.session.state === 'CLOSED');
  t.is(world.counts().opens, 1);
});

test.serial('the same request id with another body is refused, and is nobody else’s', async (t) => {
  const rig = await start();
  rig.open({ requestId: 'r-1' });
  t.is(refusalOf(rig.ask({ requestId: 'r-1', openTimeoutMs: 17 })), 'REQUEST_ID_REUSED');
  t.true(rig.ask({ requestId: 'r-1', owner: 'bob' }).ok);
});

test.serial('a session id that is taken is refused, also after the end', async (t) => {
  const rig = await start();
  const id = rig.open({ deviceAddress: robot });
  t.is(refusalOf(rig.ask({ sessionId: id })), 'SESSION_ALREADY_EXISTS');
  await rig.event(id, 'FAILED');
  const refused = rig.ask({ sessionId: id, requestId: 'r-2' });
  t.is(refusalOf(refused), 'SESSION_ALREADY_EXISTS');
  t.is(refused.ok ? '' : refused.fault.field, undefined, 'the contract has no bad field in that row');
});

test.serial('whether somebody else has an id is told only to who could have opened the session', async (t) => {
  const rig = await start({ sessionsPerPrincipalMax: 1 });
  const taken = await rig.opened({ owner: 'alice', deviceAddress: scanner });
  world.removeDevice(robot);
  await until(() => rig.driver.isRemoved(robot));
  for (const sessionId of [taken, 'nobody-has-this']) {
    t.is(refusalOf(rig.ask({ sessionId, owner: 'bob', deviceAddress: robot })), 'DEVICE_NOT_PAIRED');
  }
  rig.open({ owner: 'bob', deviceAddress: scanner });
  for (const sessionId of [taken, 'nobody-has-this']) {
    t.is(refusalOf(rig.ask({ sessionId, owner: 'bob', deviceAddress: scanner })), 'QUOTA_EXCEEDED');
  }
  t.is(refusalOf(rig.ask({ sessionId: taken, owner: 'carol', deviceAddress: scanner })), 'SESSION_ALREADY_EXISTS');
});

test.serial('a renewal that is asked twice with one request id is done once', async (t) => {
  const rig = await start();
  const id = await rig.opened({ leaseTtlMs: 20_000 });
  const cause = by('RenewSession', 'r-1');
  t.true(rig.renew(id, 30_000, cause).ok);
  const { leaseExpireTimeMs } = rig.session(id) ?? {};
  const again = rig.renew(id, 30_000, cause);
  t.true(again.ok && again.value.leaseExpireTimeMs === leaseExpireTimeMs);
  t.is(rig.typesOf(id).filter((type) => type === 'LEASE_RENEWED').length, 1);
  t.is(refusalOf(rig.renew(id, 40_000, cause)), 'REQUEST_ID_REUSED');
  await rig.close(id);
  t.true(rig.renew(id, 30_000, cause).ok, 'asked again, the answer is the session as it is now');
  t.is(refusalOf(rig.renew(id, 30_000)), 'SESSION_STATE_INVALID');
});

test.serial('a cancel that is asked twice with one request id is answered twice, whatever came of it', async (t) => {
  const rig = await start({ probeIntervalMs: 20 });
  world.setClock('manual');
  world.scriptOpen({ delayMs: 'never' });
  const id = rig.open();
  await rig.completion(id, 'StartReturned');
  const cause = by('CancelOpenSession', 'r-1');
  const cancelled = rig.completion(id, 'CancelReturned');
  t.true(rig.cancel(id, cause).ok);
  await cancelled;
  world.scriptCall({ function: 'WFDOpenHandle', code: 1062 });
  await rig.event(id, 'LOST');
  t.true(rig.cancel(id, cause).ok);
  t.is(refusalOf(rig.cancel(id)), 'SESSION_STATE_INVALID');
});

test.serial('a request that was refused has used up nothing', async (t) => {
  const rig = await start();
  const id = await rig.opened();
  const cause = by('CancelOpenSession', 'r-1');
  t.is(refusalOf(rig.cancel(id, cause)), 'SESSION_STATE_INVALID');
  t.is(refusalOf(rig.cancel(id, cause)), 'SESSION_STATE_INVALID');
  t.true((await rig.close(id, { cause: by('CloseSession', 'r-1') })).ok);
});

test.serial('a request id of one RPC can not be used for another, nor for another session', async (t) => {
  const rig = await start();
  const [one, two] = [
    await rig.opened({ requestId: 'r-1' }),
    await rig.opened({ deviceAddress: scanner, leaseTtlMs: 20_000 }),
  ];
  t.is(refusalOf(await rig.close(one, { cause: by('CloseSession', 'r-1') })), 'REQUEST_ID_REUSED');
  t.true(rig.renew(two, undefined, by('RenewSession', 'r-2')).ok);
  t.is(refusalOf(rig.ask({ requestId: 'r-2' })), 'REQUEST_ID_REUSED');
  t.true((await rig.close(one, { cause: by('CloseSession', 'r-3') })).ok);
  t.is(refusalOf(await rig.close(two, { cause: by('CloseSession', 'r-3') })), 'REQUEST_ID_REUSED');
  t.is(rig.session(two)?.state, 'OPEN');
});

test.serial('what is asked of a session that is not there is refused by its name', async (t) => {
  const rig = await start();
  t.is(refusalOf(rig.cancel('nobody')), 'SESSION_NOT_FOUND');
  t.is(refusalOf(rig.renew('nobody')), 'SESSION_NOT_FOUND');
  t.is(refusalOf(await rig.close('nobody')), 'SESSION_NOT_FOUND');
  t.is(rig.lifecycle.attach('nobody'), undefined);
});

test.serial('an ended session is readable for its retention, and then its name is free', async (t) => {
  const rig = await start({ retentionMs: 20 });
  const id = rig.open({ deviceAddress: robot, requestId: 'r-1' });
  rig.attach(id);
  const { session } = await rig.event(id, 'FAILED');
  t.is(rig.events.topics, 1);
  t.is(rig.session(id)?.state, 'FAILED');
  // The lease of another session outlives the retention of this one.
  const other = rig.open({ leaseTtlMs: 100 });
  await rig.event(other, 'LEASE_EXPIRED');
  t.is(rig.session(id), undefined);
  t.is(rig.events.topics, 0, 'nothing of it is left, not even what its followers hung on');
  const again = rig.ask({ sessionId: id, deviceAddress: robot, requestId: 'r-1' });
  t.true(again.ok && again.value.isNew && again.value.session.createTimeMs > session.createTimeMs);
});

for (const settings of [{ endedSessionsMax: 0 }, { retentionMs: 0 }]) {
  test.serial(
    `the last event reaches every stream, also where ended sessions are not kept: ${Object.keys(settings)}`,
    async (t) => {
      const rig = await start(settings);
      const id = await rig.opened();
      const { events } = rig.attach(id);
      const last = new Promise<string>((resolve) => {
        events.subscribe(({ session }) => (session.end === undefined ? undefined : resolve(session.state)));
      });
      await rig.close(id);
      t.is(await last, 'CLOSED');
      t.is(rig.session(id), undefined);
    },
  );
}

test.serial('quotas count live sessions: per principal, and in all', async (t) => {
  const rig = await start({ sessionsPerPrincipalMax: 1, sessionsMax: 2 });
  const id = await rig.opened();
  t.is(refusalOf(rig.ask()), 'QUOTA_EXCEEDED');
  t.true(rig.ask({ owner: 'bob', deviceAddress: scanner }).ok);
  t.is(refusalOf(rig.ask({ owner: 'carol' })), 'QUOTA_EXCEEDED');
  await rig.close(id);
  t.true(rig.ask().ok);
});

test.serial('a drain cancels what opens and closes what is open, and takes nothing new', async (t) => {
  const rig = await start();
  const warnings: Error[] = [];
  process.on('warning', (warning) => warnings.push(warning));
  world.scriptOpen({ delayMs: 'never', count: 20 });
  const opening = Array.from({ length: 20 }, () => rig.open({ leaseTtlMs: 60_000 }));
  await Promise.all(opening.map((id) => rig.completion(id, 'StartReturned')));
  const open = await Promise.all(Array.from({ length: 20 }, () => rig.opened({ leaseTtlMs: 60_000 })));
  const drained = rig.lifecycle.drain(20_000);
  t.is(refusalOf(rig.ask()), 'HOST_STOPPING');
  t.true(await drained);
  for (const id of opening) t.deepEqual(rig.typesOf(id), ['OPENING', 'CANCELLING', 'CANCELLED']);
  for (const id of open) t.deepEqual(rig.typesOf(id), ['OPENING', 'OPENED', 'CLOSING', 'CLOSED']);
  t.is(rig.session(open[0] ?? '')?.end?.reason, 'HOST_STOPPING');
  t.deepEqual(warnings, []);
});

test.serial('a drain that is not through in time says so', async (t) => {
  const rig = await start();
  world.setClock('manual');
  world.scriptOpen({ delayMs: 'never' });
  const id = rig.open();
  await rig.completion(id, 'StartReturned');
  t.false(await rig.lifecycle.drain(10));
  t.is(rig.session(id)?.state, 'CANCELLING');
});
