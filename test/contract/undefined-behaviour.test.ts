/**
 * What the native API leaves undefined, this service defines: each row of the contract's table. The
 * simulator counts misuse.
 */
import test from 'ava';
import { DisconnectEvidence, SessionState } from '../../proto/gen/wifidirect/v1/session.js';
import { patience } from '../harness/daemon.js';
import { display, gatewayForThisFile, scanner } from '../harness/gateway.js';

const gateway = gatewayForThisFile(
  '--set',
  'session.closeTimeoutMs=3000',
  '--set',
  'driver.linkPollMs=100',
  '--set',
  'driver.nativeCallWarnMs=100',
);

test.serial('a close while the open is pending is never passed on: cancelled, waited for, not closed', async (t) => {
  await gateway().world.scriptOpen({ deviceAddress: display, delayMs: 'never' });
  const stream = gateway().open({ deviceAddress: display });
  const { session } = await stream.event('OPENING');
  const answer = await gateway().close(session.sessionId, { waitForDisconnect: true });
  t.is(answer.session?.state, SessionState.CANCELLED);
  t.is((await gateway().world.counts()).closes, 0n);
});

test.serial('a handle is closed once, however many ask', async (t) => {
  const { id, stream } = await gateway().openSession({ deviceAddress: display });
  const before = (await gateway().world.counts()).closes;
  await Promise.all([gateway().close(id), gateway().close(id), gateway().close(id)]);
  await stream.event('CLOSED');
  const { session } = await gateway().close(id);
  t.is(session?.state, SessionState.CLOSED);
  t.is((await gateway().world.counts()).closes - before, 1n);
});

test.serial('a failed open is never closed', async (t) => {
  await gateway().world.scriptOpen({ deviceAddress: display, error: 1460, reasonCode: 0 });
  const stream = gateway().open({ deviceAddress: display });
  const { session } = await stream.event('FAILED');
  await gateway().close(session.sessionId);
  t.is((await gateway().world.counts()).closes, 0n);
});

test.serial('CLOSING lasts until the disconnection is seen', async (t) => {
  const { id, stream } = await gateway().openSession({ deviceAddress: display });
  await gateway().world.scriptClose({ deviceAddress: display, delayMs: 200 });
  const { session } = await gateway().close(id);
  t.is(session?.state, SessionState.CLOSING);
  const closed = await stream.event('CLOSED');
  t.is(closed.session.end?.evidence, DisconnectEvidence.DEVICE_DISCONNECTED);
});

test.serial('a close that never completes ends CLOSED, UNCONFIRMED, after close_timeout', async (t) => {
  const { id, stream } = await gateway().openSession({ deviceAddress: display });
  await gateway().world.scriptClose({ deviceAddress: display, delayMs: 'never' });
  await gateway().close(id);
  const closed = await stream.event('CLOSED');
  t.is(closed.session.end?.evidence, DisconnectEvidence.UNCONFIRMED);
});

test.serial('a cancelled session is kept until its callback has come', async (t) => {
  await gateway().world.scriptOpen({ deviceAddress: display, delayMs: 'never', cancelMs: 300 });
  const stream = gateway().open({ deviceAddress: display });
  const { session } = await stream.event('OPENING');
  await gateway().cancel(session.sessionId);
  t.is((await gateway().get(session.sessionId)).state, SessionState.CANCELLING);
  await stream.event('CANCELLED');
  // The simulator counts it until the callback has also returned, and the event may be here before.
  await gateway().until(async () => (await gateway().world.counts()).opensPending === 0);
});

test.serial('a link that is lost without a close is told, and its handle released', async (t) => {
  const { stream } = await gateway().openSession({ deviceAddress: scanner });
  await gateway().world.setNotifications('none');
  await gateway().world.dropLink(scanner);
  const closed = await stream.event('CLOSED');
  t.is(closed.session.state, SessionState.CLOSED);
  t.is((await gateway().world.counts()).sessions, 0);
});

test.serial(
  'a callback that comes before WFDStartOpenSession has returned opens the session all the same',
  async (t) => {
    await gateway().world.scriptOpen({ deviceAddress: display, callbackFirst: true });
    const { id, stream } = await gateway().openSession({ deviceAddress: display });
    await gateway().close(id);
    await stream.event('CLOSED');
    t.deepEqual(stream.types, ['OPENING', 'OPENED', 'CLOSING', 'CLOSED']);
  },
);

test.serial('native calls that block do not hold up anybody else, and are logged', async (t) => {
  await gateway().world.scriptCall({ function: 'WFDStartOpenSession', blockMs: 400 });
  const stream = gateway().open({ deviceAddress: display });
  await stream.event('OPENING');
  const start = performance.now();
  const other = await gateway().openSession({ deviceAddress: scanner });
  t.true(performance.now() - start < 30_000 * patience);
  // On a busy machine it may not be the only one.
  const isLogged = () =>
    gateway().daemon.log.some(
      (line) => line.event === 'native-call-slow' && line['function'] === 'WFDStartOpenSession',
    );
  await gateway().until(async () => isLogged());
  await stream.event('OPENED');
  await gateway().close(other.id, { waitForDisconnect: true });
});
