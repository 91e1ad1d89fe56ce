/**
 * What a restart is to a client: its watch goes on, its session is lost, and its request id is
 * known.
 */
import { randomUUID } from 'node:crypto';
import { type ServiceError, status } from '@grpc/grpc-js';
import test from 'ava';
import { Durability, PreviousEnd } from '../../proto/gen/wifidirect/v1/host_service.js';
import { EventSource, SessionEndReason, SessionState } from '../../proto/gen/wifidirect/v1/session.js';
import { RenewSessionRequest } from '../../proto/gen/wifidirect/v1/session_service.js';
import { call, readError } from '../harness/calls.js';
import { display, scanner } from '../harness/gateway.js';
import { newId, openLeased, renew } from '../stream/lively.js';
import { temporaryFolder } from './keeper.js';
import { killed, life } from './lives.js';

const lease = { seconds: 600n };

test('a watch over a kill goes on: no snapshot, no gap, and what was live ends LOST first', async (t) => {
  const folder = temporaryFolder(t);
  const first = await life(t, folder);
  const watch = first.watch();
  const [live = ''] = await openLeased(first, 1);
  const { id: ended, stream } = await first.openSession({ deviceAddress: scanner, sessionId: newId() });
  await first.close(ended, { waitForDisconnect: true });
  await watch.event(ended, 'CLOSED');
  await stream.ended;
  const { cursor } = await first.getHost().then(({ newestCursor }) => ({ cursor: newestCursor }));
  const { epoch } = await first.getHost();
  await killed(first);

  const second = await life(t, folder);
  const host = await second.getHost();
  t.is(host.epoch, epoch);
  t.is(host.durability, Durability.PROCESS);
  t.is(host.previousEnd, PreviousEnd.CRASHED);
  t.true((host.startTime?.getTime() ?? 0) <= Date.now());
  const resumed = second.watch({ cursor });
  const lost = await resumed.event(live, 'LOST');
  t.is(resumed.events[0]?.sequence, lost.sequence, 'it is the first event of the new life');
  t.is(lost.cause?.source, EventSource.RESTART);
  t.is(lost.session?.end?.reason, SessionEndReason.HOST_RESTARTED);
  t.deepEqual(resumed.messages[0]?.snapshot, []);
  t.is((await second.get(live)).state, SessionState.LOST);
  t.is((await second.get(ended)).state, SessionState.CLOSED);
  resumed.cancel();
  t.truthy(await second.daemon.line('previous-end'));
  t.deepEqual(await second.world.misuse(), {});
});

test('asking again with the same request_id opens no second session, and tells the end of the first', async (t) => {
  const folder = temporaryFolder(t);
  const first = await life(t, folder);
  const request = { deviceAddress: display, sessionId: newId(), requestId: randomUUID(), leaseTtl: lease };
  const { id } = await first.openSession(request);
  const renewal = RenewSessionRequest.fromPartial({ sessionId: id, requestId: randomUUID() });
  await renew(first, id, { requestId: renewal.requestId });
  await killed(first);

  const second = await life(t, folder);
  const again = second.open(request);
  const error = readError((await again.ended) as ServiceError);
  t.is(error.code, status.UNAVAILABLE);
  t.is(error.info?.reason, 'HOST_RESTARTED');
  t.deepEqual(again.types, ['LOST']);
  t.is(again.events[0]?.session?.sessionId, id);
  const other = second.open({ ...request, deviceAddress: scanner });
  t.is(readError((await other.ended) as ServiceError).info?.reason, 'REQUEST_ID_REUSED');
  const used = await t.throwsAsync(
    call(second.sessions.closeSession.bind(second.sessions), {
      sessionId: id,
      waitForDisconnect: false,
      requestId: renewal.requestId,
    }),
  );
  t.is(readError(used as ServiceError).info?.reason, 'REQUEST_ID_REUSED');
  t.deepEqual(await second.world.misuse(), {});
});
