/**
 * The one writer over the real ABI: what requests come to, who keeps a session alive, and how it
 * all ends.
 */
import test from 'ava';
import { display, printer, refusalOf, rigForThisFile, robot, scanner, world } from './rig.js';

const start = rigForThisFile();

test.serial('a session opens and closes, and each step is an event in the log', async (t) => {
  const rig = await start();
  const id = await rig.opened();
  const { networkInterface } = rig.session(id) ?? {};
  t.regex(networkInterface?.guid ?? '', /^[0-9a-f-]{36}$/);
  t.true((networkInterface?.index ?? 0) > 0);
  const closed = await rig.close(id);
  t.true(closed.ok && closed.value.state === 'CLOSED');
  t.deepEqual(rig.typesOf(id), ['OPENING', 'OPENED', 'CLOSING', 'CLOSED']);
  t.is(rig.session(id)?.end?.reason, 'REQUESTED');
});

test.serial('a legacy device opens and closes likewise', async (t) => {
  const rig = await start();
  const id = await rig.opened({ deviceAddress: printer, kind: 'LEGACY' });
  t.is(rig.eventsOf(id)[1]?.native?.function, 'WFDOpenLegacySession');
  await rig.close(id);
  t.deepEqual(rig.typesOf(id), ['OPENING', 'OPENED', 'CLOSING', 'CLOSED']);
});

test.serial('an open that fails says why, and Windows is asked nothing more', async (t) => {
  const rig = await start();
  const id = rig.open({ deviceAddress: robot });
  const { session } = await rig.event(id, 'FAILED');
  t.is(session.end?.fault?.reason, 'OPEN_FAILED');
  t.is(session.end?.fault?.native?.name, 'ERROR_TIMEOUT');
  t.is(world.counts().closes, 0);
});

test.serial('a device that Windows has removed is refused before anything is started', async (t) => {
  const rig = await start();
  world.removeDevice(robot);
  await world.waitIdle(10_000);
  t.is(refusalOf(rig.ask({ deviceAddress: robot })), 'DEVICE_NOT_PAIRED');
  t.is(rig.events.log.newest, 0);
});

test.serial('of a device that is not listed Windows is asked', async (t) => {
  const rig = await start();
  const id = rig.open({ deviceAddress: '02:99:99:99:99:99' });
  const { session } = await rig.event(id, 'FAILED');
  t.is(session.end?.fault?.reason, 'DEVICE_NOT_PAIRED');
  t.is(session.end?.fault?.native?.code, 1168);
});

test.serial('a session without a name gets a UUID', async (t) => {
  const rig = await start();
  t.regex(await rig.opened({ sessionId: '' }), /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/);
});

test.serial('a session lives while one stream is attached, and ends with the last', async (t) => {
  const rig = await start();
  const id = await rig.opened();
  const [first, second] = [rig.attach(id), rig.attach(id)];
  t.is(first.current.type, 'OPENED');
  first.detach();
  first.detach();
  t.is(rig.session(id)?.state, 'OPEN', 'a stream ends once');
  second.detach();
  t.is(rig.session(id)?.state, 'CLOSING');
  const { session } = await rig.event(id, 'CLOSED');
  t.is(session.end?.reason, 'STREAM_ENDED');
});

test.serial('a stream that ends while the session opens cancels it', async (t) => {
  const rig = await start();
  world.scriptOpen({ delayMs: 'never' });
  const id = rig.open();
  rig.attach(id).detach();
  const { session } = await rig.event(id, 'CANCELLED');
  t.is(session.end?.reason, 'STREAM_ENDED');
});

test.serial('a session with a lease outlives its streams until the lease lapses', async (t) => {
  const rig = await start();
  const id = await rig.opened({ leaseTtlMs: 20_000 });
  rig.attach(id).detach();
  t.is(rig.session(id)?.state, 'OPEN');
  rig.renew(id, 1);
  await rig.event(id, 'CLOSED');
  t.deepEqual(rig.typesOf(id), ['OPENING', 'OPENED', 'LEASE_RENEWED', 'LEASE_EXPIRED', 'CLOSING', 'CLOSED']);
});

test.serial('a renewal in time moves the end of the lease', async (t) => {
  const rig = await start();
  const id = await rig.opened({ leaseTtlMs: 20_000 });
  const renewed = rig.renew(id, 10);
  t.true(renewed.ok);
  const { timeMs } = await rig.event(id, 'LEASE_EXPIRED');
  const { leaseExpireTimeMs = Number.NaN } = rig.session(id) ?? {};
  t.true(timeMs >= leaseExpireTimeMs - 1 && timeMs < leaseExpireTimeMs + 10_000);
});

test.serial('a lease that was renewed does not lapse when it would have', async (t) => {
  const rig = await start();
  const renewed = rig.open({ deviceAddress: display, leaseTtlMs: 15 });
  t.true(rig.renew(renewed, 20_000).ok);
  const later = rig.open({ deviceAddress: scanner, leaseTtlMs: 60 });
  await rig.event(later, 'LEASE_EXPIRED');
  t.false(rig.typesOf(renewed).includes('LEASE_EXPIRED'));
});

test.serial('an open that takes too long is cancelled', async (t) => {
  const rig = await start();
  world.scriptOpen({ delayMs: 'never' });
  const id = rig.open({ openTimeoutMs: 5 });
  const { session } = await rig.event(id, 'CANCELLED');
  t.is(session.end?.fault?.reason, 'OPEN_TIMED_OUT');
});

test.serial('a close that is not confirmed in time ends the session UNCONFIRMED', async (t) => {
  const rig = await start({ closeTimeoutMs: 10 });
  world.scriptClose({ delayMs: 'never' });
  const id = await rig.opened();
  const closed = await rig.close(id);
  t.true(closed.ok && closed.value.end?.evidence === 'UNCONFIRMED');
});

test.serial('a close that waits resolves at the end, one that does not when Windows has queued it', async (t) => {
  const rig = await start();
  world.setClock('manual');
  const opened = rig.event(rig.open({ sessionId: 'one-session' }), 'OPENED');
  await rig.completion('one-session', 'StartReturned');
  world.advanceClock(1);
  await opened;
  const queued = await rig.close('one-session', { wait: false });
  t.true(queued.ok && queued.value.state === 'CLOSING');
  const waiting = rig.close('one-session');
  world.advanceClock(1);
  const closed = await waiting;
  t.true(closed.ok && closed.value.state === 'CLOSED');
});

test.serial('a close of an open that is pending resolves once it is being cancelled', async (t) => {
  const rig = await start();
  world.setClock('manual');
  world.scriptOpen({ delayMs: 'never' });
  const id = rig.open();
  await rig.completion(id, 'StartReturned');
  const cancelled = rig.completion(id, 'CancelReturned');
  const asked = await rig.close(id, { wait: false });
  t.true(asked.ok && asked.value.state === 'CANCELLING');
  const gone = new AbortController();
  const waiting = rig.close(id, { signal: gone.signal });
  gone.abort();
  const left = await waiting;
  t.true(left.ok && left.value.state === 'CANCELLING', 'who no longer waits is let go, and the cancel goes on');
  await cancelled;
  world.advanceClock(1);
  await rig.event(id, 'CANCELLED');
});

test.serial('a native close that fails is told to who asked for it, and the session ends once', async (t) => {
  const rig = await start({ closeTimeoutMs: 10 });
  const id = await rig.opened();
  world.scriptClose({ code: 31 });
  t.is(refusalOf(await rig.close(id)), 'NATIVE_ERROR');
  t.is(rig.session(id)?.state, 'CLOSED');
  const again = await rig.close(id);
  t.true(again.ok, 'of a session that has ended: OK, with the session');
  world.dropLink(openDevice());
});

test.serial('a handle that Windows no longer knows is told to who asked for the close', async (t) => {
  const rig = await start();
  const id = await rig.opened();
  world.scriptClose({ code: 6 });
  t.is(refusalOf(await rig.close(id)), 'NATIVE_HANDLE_LOST');
  t.is(rig.session(id)?.state, 'LOST');
  world.dropLink(openDevice());
});

test.serial('who waits for the close of an open that won over the cancel is told when that close fails', async (t) => {
  const rig = await start({ closeTimeoutMs: 10 });
  world.scriptOpen({ delayMs: 20, doesCancelLose: true });
  world.scriptClose({ code: 31 });
  const id = rig.open();
  await rig.completion(id, 'StartReturned');
  t.is(refusalOf(await rig.close(id)), 'NATIVE_ERROR');
  world.dropLink(openDevice());
});

function openDevice(): string {
  return world.listDevices().find(({ isConnected }) => isConnected === true)?.deviceAddress ?? '';
}
