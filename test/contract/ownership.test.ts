/** Who keeps a session alive: its streams, or its lease. */
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { EventSource, SessionEndReason, SessionState } from '../../proto/gen/wifidirect/v1/session.js';
import { RenewSessionRequest } from '../../proto/gen/wifidirect/v1/session_service.js';
import { call, failure } from '../harness/calls.js';
import { display, gatewayForThisFile, scanner } from '../harness/gateway.js';

const gateway = gatewayForThisFile('--set', 'session.leaseTtlMinMs=50');

const ms = (value: number) => ({ seconds: BigInt(Math.floor(value / 1000)), nanos: (value % 1000) * 1_000_000 });

function renew(sessionId: string, leaseTtlMs?: number) {
  const request = RenewSessionRequest.fromPartial({ sessionId });
  if (leaseTtlMs !== undefined) request.leaseTtl = ms(leaseTtlMs);
  return call(gateway().sessions.renewSession.bind(gateway().sessions), request);
}

test.serial(
  'with a lease a session outlives its stream until the lease lapses, and the lapse is an event',
  async (t) => {
    const watcher = gateway().watch();
    const { id, stream } = await gateway().openSession({ deviceAddress: display, leaseTtl: ms(1500) });
    stream.cancel();
    await stream.ended;
    t.is((await gateway().get(id)).state, SessionState.OPEN);
    const closed = await watcher.event(id, 'CLOSED');
    t.deepEqual(watcher.typesOf(id), ['OPENING', 'OPENED', 'LEASE_EXPIRED', 'CLOSING', 'CLOSED']);
    t.is(closed.session?.end?.reason, SessionEndReason.LEASE_EXPIRED);
    t.is(closed.cause?.source, EventSource.LEASE);
    watcher.cancel();
  },
);

test.serial('a renewal extends the lease and is an event', async (t) => {
  const { id, stream } = await gateway().openSession({ deviceAddress: display, leaseTtl: ms(20_000) });
  const before = (await gateway().get(id)).leaseExpireTime?.getTime() ?? 0;
  const { session } = await renew(id, 60_000);
  t.true((session?.leaseExpireTime?.getTime() ?? 0) >= before + 39_000);
  await stream.event('LEASE_RENEWED');
  await gateway().close(id, { waitForDisconnect: true });
});

test.serial('a lease that lapses while opening cancels the open', async (t) => {
  await gateway().world.scriptOpen({ deviceAddress: display, delayMs: 'never' });
  const stream = gateway().open({ deviceAddress: display, leaseTtl: ms(100) });
  const cancelled = await stream.event('CANCELLED');
  t.is(cancelled.session.end?.reason, SessionEndReason.LEASE_EXPIRED);
  t.is(await stream.status(), undefined);
});

test.serial('a session without a lease, or past its end, can not be renewed', async (t) => {
  const { id, stream } = await gateway().openSession({ deviceAddress: scanner });
  const error = await failure(renew(id));
  t.is(error.code, status.FAILED_PRECONDITION);
  t.is(error.info?.reason, 'SESSION_STATE_INVALID');
  await gateway().close(id, { waitForDisconnect: true });
  await stream.ended;
  t.is((await failure(renew(id))).info?.metadata['state'], 'CLOSED');
});

test.serial('an ended session stays readable', async (t) => {
  const { id, stream } = await gateway().openSession({ deviceAddress: scanner });
  await gateway().close(id, { waitForDisconnect: true });
  await stream.ended;
  const session = await gateway().get(id);
  t.is(session.state, SessionState.CLOSED);
  t.truthy(session.endTime);
});
