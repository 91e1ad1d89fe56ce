/** Asking twice is safe: attach, idempotent close and cancel, request ids (AIP-155). */
import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { SessionState } from '../../proto/gen/wifidirect/v1/session.js';
import { failure } from '../harness/calls.js';
import { display, gatewayForThisFile, robot, scanner } from '../harness/gateway.js';

const gateway = gatewayForThisFile('--set', 'limits.watchersPerPrincipalMax=3');

test.serial('the same request attaches to the same session, live, from its current state', async (t) => {
  const request = { deviceAddress: display, requestId: randomUUID() };
  const { id, stream } = await gateway().openSession(request);
  const second = gateway().open(request);
  const { event } = await second.first(() => true);
  t.is(event?.session?.sessionId, id);
  t.is(second.events[0]?.session?.state, SessionState.OPEN);
  // The session lives while one of its streams does.
  stream.cancel();
  await stream.ended;
  t.is((await gateway().get(id)).state, SessionState.OPEN);
  await gateway().close(id);
  await second.event('CLOSED');
});

test.serial('the same request attaches to the session after its end, with the same outcome', async (t) => {
  const request = { deviceAddress: robot, requestId: randomUUID(), sessionId: `robot-${Date.now()}` };
  const first = gateway().open(request);
  const error = await first.status();
  const second = gateway().open(request);
  const again = await second.status();
  t.deepEqual(second.types, ['FAILED']);
  t.is(again?.code, error?.code);
  t.is(again?.info?.reason, 'OPEN_FAILED');
  t.deepEqual(second.events[0], first.events.at(-1));
});

test.serial('the same session id with another request id is ALREADY_EXISTS, also after the end', async (t) => {
  const sessionId = `taken-${Date.now()}`;
  await gateway().open({ deviceAddress: robot, sessionId, requestId: randomUUID() }).status();
  const error = await gateway().open({ deviceAddress: robot, sessionId, requestId: randomUUID() }).status();
  t.is(error?.code, status.ALREADY_EXISTS);
});

test.serial('a request id in capitals is the same request id', async (t) => {
  const requestId = randomUUID();
  const { id, stream } = await gateway().openSession({ deviceAddress: display, requestId });
  const second = gateway().open({ deviceAddress: display, requestId: requestId.toUpperCase() });
  const { event } = await second.first(() => true);
  t.is(event?.session?.sessionId, id);
  await gateway().close(id, { waitForDisconnect: true });
  await stream.ended;
});

test.serial('a request id of an open can not be used for a close, nor the reverse', async (t) => {
  const requestId = randomUUID();
  const { id, stream } = await gateway().openSession({ deviceAddress: display, requestId });
  const error = await failure(gateway().close(id, { requestId }));
  t.is(error.info?.reason, 'REQUEST_ID_REUSED');
  const closeId = randomUUID();
  await gateway().close(id, { requestId: closeId, waitForDisconnect: true });
  await stream.ended;
  t.is(
    (await gateway().open({ deviceAddress: display, requestId: closeId }).status())?.info?.reason,
    'REQUEST_ID_REUSED',
  );
});

test.serial('a close asked twice is the same close, with or without its request id', async (t) => {
  const { id, stream } = await gateway().openSession({ deviceAddress: display });
  const requestId = randomUUID();
  await gateway().close(id, { requestId });
  t.is((await gateway().close(id, { requestId })).session?.sessionId, id);
  await stream.event('CLOSED');
  t.is((await gateway().close(id, { requestId })).session?.state, SessionState.CLOSED);
  t.is((await gateway().close(id)).session?.state, SessionState.CLOSED);
});

test.serial('a cancel asked twice is the same cancel', async (t) => {
  await gateway().world.scriptOpen({ deviceAddress: display, delayMs: 'never', cancelMs: 100 });
  const stream = gateway().open({ deviceAddress: display });
  const { session } = await stream.event('OPENING');
  await gateway().cancel(session.sessionId);
  await gateway().cancel(session.sessionId);
  await stream.event('CANCELLED');
  t.is((await gateway().cancel(session.sessionId)).session?.state, SessionState.CANCELLED);
});

test.serial('further streams of a session count as watchers', async (t) => {
  const request = { deviceAddress: scanner, requestId: randomUUID() };
  const { id, stream } = await gateway().openSession(request);
  const more = [1, 2, 3].map(() => gateway().open(request));
  await Promise.all(more.map((each) => each.first(() => true)));
  const error = await gateway().open(request).status();
  t.is(error?.code, status.RESOURCE_EXHAUSTED);
  t.like(error?.info?.metadata, { limit: 'watchers_per_principal_max', limit_value: '3' });
  t.is(error?.quota?.violations[0]?.subject, 'principal:anonymous');
  await gateway().close(id, { waitForDisconnect: true });
  await stream.ended;
});
