/**
 * What the host keeps is bounded: ended sessions by time and number, request ids by number. Live
 * sessions are never forgotten.
 */
import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { SessionState } from '../../proto/gen/wifidirect/v1/session.js';
import { ListSessionsRequest } from '../../proto/gen/wifidirect/v1/session_service.js';
import { call, failure } from '../harness/calls.js';
import { display, type Gateway, gatewayForThisFile, robot, scanner, withGateway } from '../harness/gateway.js';
import { newId, openLeased, renew } from './lively.js';

const RETENTION_MS = 500;
const gateway = gatewayForThisFile(
  '--set',
  `session.retentionMs=${RETENTION_MS}`,
  '--set',
  'session.requestMemoryMax=3',
);

const isForgotten = (of: Gateway, sessionId: string) => async () =>
  of.get(sessionId).then(
    () => false,
    ({ code }) => code === status.NOT_FOUND,
  );

/** A session that has ended: the robot refuses. */
async function ended(of: Gateway, requestId = ''): Promise<string> {
  const sessionId = newId();
  await of.open({ sessionId, deviceAddress: robot, requestId }).ended;
  return sessionId;
}

async function list(of: Gateway): Promise<string[]> {
  const request = ListSessionsRequest.fromPartial({ pageSize: 1000 });
  const { sessions } = await call(of.sessions.listSessions.bind(of.sessions), request);
  return sessions.map(({ sessionId }) => sessionId);
}

async function shown(of: Gateway): Promise<string[]> {
  const watcher = of.watch();
  const { snapshot } = await watcher.first(({ snapshotComplete }) => snapshotComplete);
  watcher.cancel();
  return snapshot.map(({ sessionId }) => sessionId);
}

test.serial('an ended session is forgotten after session_retention, everywhere, and a live one is not', async (t) => {
  const [live = ''] = await openLeased(gateway(), 1);
  const id = await ended(gateway());
  const { endTime, state } = await gateway().get(id);
  t.is(state, SessionState.FAILED);
  t.true((await shown(gateway())).includes(id));
  await gateway().until(isForgotten(gateway(), id));
  t.true(Date.now() - (endTime?.getTime() ?? 0) >= RETENTION_MS);
  for (const ids of [await list(gateway()), await shown(gateway())]) {
    t.false(ids.includes(id));
    t.true(ids.includes(live));
  }
});

test.serial('a watcher hears nothing of it: to be forgotten is no event', async (t) => {
  const id = await ended(gateway());
  const { newestCursor } = await gateway().getHost();
  await gateway().until(isForgotten(gateway(), id));
  t.is((await gateway().getHost()).newestCursor, newestCursor);
});

test.serial('its name and its request id are then free for another session', async (t) => {
  const requestId = randomUUID();
  const id = await ended(gateway(), requestId);
  await gateway().until(isForgotten(gateway(), id));
  const { stream } = await gateway().openSession({ sessionId: id, deviceAddress: display, requestId });
  t.is((await gateway().get(id)).state, SessionState.OPEN);
  stream.cancel();
});

test.serial('a stream that stands hears its session to the end, also if it is forgotten at once', async (t) => {
  await withGateway(['--set', 'session.retentionMs=0'], async (forgetful) => {
    const watcher = forgetful.watch();
    const { stream, id } = await forgetful.openSession({ deviceAddress: display });
    const { session } = await forgetful.close(id, { waitForDisconnect: true });
    t.is(session?.state, SessionState.CLOSED);
    t.is(await stream.status(), undefined);
    t.deepEqual(stream.types, ['OPENING', 'OPENED', 'CLOSING', 'CLOSED']);
    await watcher.event(id, 'CLOSED');
    t.true(await isForgotten(forgetful, id)());
    watcher.cancel();
  });
});

test.serial('of too many ended sessions the oldest go first', async (t) => {
  await withGateway(['--set', 'session.endedSessionsMax=3'], async (small) => {
    await small.world.setDefaults({ open: 0 });
    const { stream, id: live } = await small.openSession({ deviceAddress: scanner });
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) ids.push(await ended(small));
    t.deepEqual(await list(small), [live, ...ids.slice(2)]);
    stream.cancel();
  });
});

test.serial('of too many request ids the oldest is forgotten first, and then is as good as new', async (t) => {
  const [one = '', two = ''] = await openLeased(gateway(), 2);
  const requestIds = Array.from({ length: 4 }, () => randomUUID());
  for (const requestId of requestIds.slice(0, 3)) await renew(gateway(), one, { requestId });
  const reused = await failure(renew(gateway(), two, { requestId: requestIds[0] }));
  t.is(reused.info?.reason, 'REQUEST_ID_REUSED');
  await renew(gateway(), one, { requestId: requestIds[3] });
  await t.notThrowsAsync(renew(gateway(), two, { requestId: requestIds[0] }));
  t.is((await failure(renew(gateway(), two, { requestId: requestIds[3] }))).info?.reason, 'REQUEST_ID_REUSED');
});
