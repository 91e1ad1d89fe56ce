/** The life of a session as a client sees it: every edge of the diagram in the contract. */
import { status } from '@grpc/grpc-js';
import test from 'ava';
import {
  DisconnectEvidence,
  EventSource,
  SessionEndReason,
  SessionKind,
  SessionState,
} from '../../proto/gen/wifidirect/v1/session.js';
import { display, gatewayForThisFile, printer, robot, scanner } from '../harness/gateway.js';

const gateway = gatewayForThisFile('--set', 'driver.linkPollMs=100');

/** The open completes when it is cancelled, and has succeeded: so the cancel always comes first. */
const cancelLoses = { deviceAddress: display, delayMs: 'never', cancelled: { error: 0, reasonCode: 0 } } as const;

test.serial('a session opens, is closed by a client, and ends CLOSED with evidence', async (t) => {
  const stream = gateway().open({ deviceAddress: display });
  const opening = await stream.event('OPENING');
  t.is(opening.session.state, SessionState.OPENING);
  t.is(opening.cause?.source, EventSource.CLIENT);
  const opened = await stream.event('OPENED');
  t.is(opened.session.state, SessionState.OPEN);
  t.regex(opened.session.networkInterface?.guid ?? '', /^[0-9a-f-]{36}$/);
  t.true((opened.session.networkInterface?.index ?? 0) > 0);
  t.like(opened.nativeResult, { function: 'WFD_OPEN_SESSION_COMPLETE_CALLBACK', code: 0, name: 'ERROR_SUCCESS' });

  const { session, cursor } = await gateway().close(opening.session.sessionId);
  t.is(session?.state, SessionState.CLOSING);
  t.not(cursor, '');
  const closed = await stream.event('CLOSED');
  t.is(closed.session.end?.reason, SessionEndReason.REQUESTED);
  t.is(closed.session.end?.evidence, DisconnectEvidence.DEVICE_DISCONNECTED);
  t.is(closed.cause?.rpc, 'wifidirect.v1.SessionService/CloseSession');
  t.is(await stream.status(), undefined);
  t.deepEqual(stream.types, ['OPENING', 'OPENED', 'CLOSING', 'CLOSED']);
});

test.serial('a close can wait for the disconnection', async (t) => {
  const { id, stream } = await gateway().openSession({ deviceAddress: display });
  const { session } = await gateway().close(id, { waitForDisconnect: true });
  t.is(session?.state, SessionState.CLOSED);
  t.is(await stream.status(), undefined);
});

test.serial('a session ends with the stream that it is tied to', async (t) => {
  const { id, stream } = await gateway().openSession({ deviceAddress: display });
  const { session } = await gateway()
    .close('none-such')
    .catch(() => ({ session: undefined }));
  t.is(session, undefined);
  const watcher = gateway().watch();
  stream.cancel();
  const closed = await watcher.event(id, 'CLOSED');
  t.is(closed.session?.end?.reason, SessionEndReason.STREAM_ENDED);
  t.is(closed.cause?.source, EventSource.STREAM_LOST);
  watcher.cancel();
});

test.serial('an opening session whose stream ends is cancelled', async (t) => {
  await gateway().world.scriptOpen({ deviceAddress: display, delayMs: 'never' });
  const watcher = gateway().watch();
  const stream = gateway().open({ deviceAddress: display });
  const { session } = await stream.event('OPENING');
  stream.cancel();
  const cancelled = await watcher.event(session.sessionId, 'CANCELLED');
  t.is(cancelled.session?.end?.reason, SessionEndReason.STREAM_ENDED);
  watcher.cancel();
});

test.serial('an opening session whose stream ends is closed where the open wins', async (t) => {
  await gateway().world.scriptOpen(cancelLoses);
  const watcher = gateway().watch();
  const stream = gateway().open({ deviceAddress: display });
  const { session } = await stream.event('OPENING');
  stream.cancel();
  const closed = await watcher.event(session.sessionId, 'CLOSED');
  t.deepEqual(watcher.typesOf(session.sessionId), ['OPENING', 'CANCELLING', 'CLOSING', 'CLOSED']);
  t.is(closed.session?.end?.reason, SessionEndReason.STREAM_ENDED);
  watcher.cancel();
});

test.serial('a cancel ends a pending open, and its stream OK', async (t) => {
  await gateway().world.scriptOpen({ deviceAddress: display, delayMs: 'never' });
  const stream = gateway().open({ deviceAddress: display });
  const { session } = await stream.event('OPENING');
  const answer = await gateway().cancel(session.sessionId);
  t.is(answer.session?.state, SessionState.CANCELLING);
  const cancelled = await stream.event('CANCELLED');
  t.is(cancelled.session.end?.reason, SessionEndReason.CANCELLED);
  t.is(cancelled.nativeResult?.name, 'ERROR_CANCELLED');
  t.is(await stream.status(), undefined);
});

test.serial('a cancel that loses to success is closed and never handed out', async (t) => {
  await gateway().world.scriptOpen(cancelLoses);
  const stream = gateway().open({ deviceAddress: display });
  const { session } = await stream.event('OPENING');
  await gateway().cancel(session.sessionId);
  const closed = await stream.event('CLOSED');
  t.deepEqual(stream.types, ['OPENING', 'CANCELLING', 'CLOSING', 'CLOSED']);
  t.is(closed.session.end?.reason, SessionEndReason.CANCELLED);
  t.is(await stream.status(), undefined);
});

test.serial('a close while opening cancels first, and closes where the open wins', async (t) => {
  await gateway().world.scriptOpen(cancelLoses);
  const stream = gateway().open({ deviceAddress: display });
  const { session } = await stream.event('OPENING');
  const answer = await gateway().close(session.sessionId, { waitForDisconnect: true });
  t.is(answer.session?.state, SessionState.CLOSED);
  t.is(answer.session?.end?.reason, SessionEndReason.REQUESTED);
  t.deepEqual(stream.types, ['OPENING', 'CANCELLING', 'CLOSING', 'CLOSED']);
});

test.serial('an open that fails ends FAILED, then with the status of its failure', async (t) => {
  const stream = gateway().open({ deviceAddress: robot });
  const failed = await stream.event('FAILED');
  t.is(failed.session.end?.reason, SessionEndReason.OPEN_FAILED);
  t.like(failed.nativeResult, { code: 1460, name: 'ERROR_TIMEOUT', reasonCode: 163851 });
  t.is((await stream.status())?.code, status.ABORTED);
});

test.serial('an open that takes too long is cancelled and ends OPEN_TIMED_OUT', async (t) => {
  await gateway().world.scriptOpen({ deviceAddress: display, delayMs: 'never' });
  const stream = gateway().open({ deviceAddress: display, openTimeout: { seconds: 0n, nanos: 100_000_000 } });
  const cancelled = await stream.event('CANCELLED');
  t.is(cancelled.session.end?.reason, SessionEndReason.OPEN_TIMED_OUT);
  t.is(cancelled.cause?.source, EventSource.TIMEOUT);
  const error = await stream.status();
  t.is(error?.code, status.DEADLINE_EXCEEDED);
  t.is(error?.info?.reason, 'OPEN_TIMED_OUT');
});

test.serial('a timed out open that wins after all is closed', async (t) => {
  await gateway().world.scriptOpen(cancelLoses);
  const stream = gateway().open({ deviceAddress: display, openTimeout: { seconds: 0n, nanos: 50_000_000 } });
  await stream.event('CLOSED');
  t.deepEqual(stream.types, ['OPENING', 'CANCELLING', 'CLOSING', 'CLOSED']);
  t.is((await stream.status())?.info?.reason, 'OPEN_TIMED_OUT');
});

test.serial('a legacy device opens by its stored profile, and closes like any other', async (t) => {
  const { id, stream } = await gateway().openSession({ deviceAddress: printer, kind: SessionKind.LEGACY });
  await gateway().close(id);
  const closed = await stream.event('CLOSED');
  t.is(closed.session.kind, SessionKind.LEGACY);
  t.is(await stream.status(), undefined);
});

test.serial('a legacy open can not be cancelled: it is closed when it has returned', async (t) => {
  const stream = gateway().open({ deviceAddress: printer, kind: SessionKind.LEGACY });
  const { session } = await stream.event('OPENING');
  await gateway().cancel(session.sessionId);
  await stream.event('CLOSED');
  t.deepEqual(stream.types, ['OPENING', 'CANCELLING', 'CLOSING', 'CLOSED']);
});

test.serial('a link that drops is PEER_DISCONNECTED, and the handle is released once', async (t) => {
  const { stream } = await gateway().openSession({ deviceAddress: scanner });
  await gateway().world.dropLink(scanner);
  const closed = await stream.event('CLOSED');
  t.is(closed.session.end?.reason, SessionEndReason.PEER_DISCONNECTED);
  t.is(closed.cause?.source, EventSource.PEER);
  t.is(await stream.status(), undefined);
  t.is((await gateway().world.counts()).sessions, 0);
});

test.serial('sessions are LOST when the WLAN service stops, and their streams end UNAVAILABLE', async (t) => {
  const { stream } = await gateway().openSession({ deviceAddress: display });
  await gateway().world.stopService();
  const lost = await stream.event('LOST');
  t.is(lost.session.end?.reason, SessionEndReason.DRIVER_LOST);
  t.is((await stream.status())?.code, status.UNAVAILABLE);
});
