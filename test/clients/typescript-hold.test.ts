/** A session that is awaited rather than subscribed to. */
import { type ServerWritableStream, status } from '@grpc/grpc-js';
import test from 'ava';
import { lastValueFrom } from 'rxjs';
import { type Client, connect, GatewayError, SessionState } from '../../clients/typescript/src/client.js';
import type { OpenSessionRequest, OpenSessionResponse } from '../../proto/gen/wifidirect/v1/session_service.js';
import { faultToGrpcStatus } from '../../service/grpc/status.js';
import { event, type Handlers, session, startHost } from './typescript-host.js';

type OpenCall = ServerWritableStream<OpenSessionRequest, OpenSessionResponse>;

const request = { deviceAddress: '02:11:22:33:44:01' };
const ends: (() => void)[] = [];
test.after.always(() => {
  for (const end of ends) end();
});

async function withHost(handlers: Handlers): Promise<Client> {
  const host = await startHost(handlers);
  const client = connect(host.address);
  ends.push(
    () => client.close(),
    () => host.close(),
  );
  return client;
}

/** A host on which a session opens, and ends when it is closed. */
function obliging(streams: OpenCall[] = []): Handlers {
  return {
    openSession: (call: OpenCall) => {
      streams.push(call);
      const { sessionId } = call.request;
      call.write({ event: event(1, 'OPENING', sessionId), cursor: '', hostTime: undefined });
      call.write({ event: event(2, 'OPEN', sessionId), cursor: '', hostTime: undefined });
    },
    closeSession: ({ request: { sessionId } }, answer) => {
      for (const stream of streams) {
        stream.write({ event: event(3, 'CLOSED', sessionId), cursor: '', hostTime: undefined });
        stream.end();
      }
      answer(null, { session: session('CLOSED', sessionId), cursor: 'c3', hostTime: undefined });
    },
  };
}

test('a session is awaited open, held, closed by its name, and awaited ended', async (t) => {
  const streams: OpenCall[] = [];
  const client = await withHost(obliging(streams));
  const held = client.sessions.hold(request);
  const open = await held.opened;
  t.is(open.state, SessionState.OPEN);
  t.is(open.sessionId, held.sessionId);
  t.is(streams.length, 1);
  t.false(streams[0]?.cancelled);
  t.is((await held.close()).state, SessionState.CLOSED);
  t.is((await held.ended).state, SessionState.CLOSED);
});

test('its events can be watched as well, which has no effect on it', async (t) => {
  const client = await withHost(obliging());
  const held = client.sessions.hold(request);
  await held.opened;
  const seen: (number | undefined)[] = [];
  const subscription = held.events.subscribe(({ session }) => seen.push(session?.state));
  t.deepEqual(seen, [SessionState.OPEN]);
  subscription.unsubscribe();
  await held.close();
  t.is((await lastValueFrom(held.events)).session?.state, SessionState.CLOSED);
});

test('an open that fails rejects the one promise, and resolves the other', async (t) => {
  const client = await withHost({
    openSession: (call: OpenCall) => {
      call.write({ event: event(1, 'OPENING'), cursor: '', hostTime: undefined });
      call.write({ event: event(2, 'FAILED'), cursor: '', hostTime: undefined });
      call.emit('error', faultToGrpcStatus({ reason: 'OPEN_FAILED', message: 'Out of range.' }));
    },
  });
  const held = client.sessions.hold(request);
  t.like(await t.throwsAsync(held.opened, { instanceOf: GatewayError }), { reason: 'OPEN_FAILED' });
  t.is((await held.ended).state, SessionState.FAILED);
});

test('a session that ends well before it was open rejects as CANCELLED', async (t) => {
  const client = await withHost({
    openSession: (call: OpenCall) => {
      call.write({ event: event(1, 'CANCELLED'), cursor: '', hostTime: undefined });
      call.end();
    },
  });
  const held = client.sessions.hold(request);
  t.like(await t.throwsAsync(held.opened, { instanceOf: GatewayError }), { code: status.CANCELLED });
});

test('closing a session that the host refused tells the refusal again', async (t) => {
  const client = await withHost({
    openSession: (call: OpenCall) =>
      call.emit('error', faultToGrpcStatus({ reason: 'QUOTA_EXCEEDED', message: 'Too many sessions.' })),
    closeSession: () => t.fail('there is nothing to close'),
  });
  const held = client.sessions.hold(request);
  for (const rejected of [held.opened, held.ended]) {
    t.like(await t.throwsAsync(rejected, { instanceOf: GatewayError }), { reason: 'QUOTA_EXCEEDED' });
  }
  t.like(await t.throwsAsync(held.close(), { instanceOf: GatewayError }), { reason: 'QUOTA_EXCEEDED' });
});

test('a session whose stream broke can still be closed', async (t) => {
  const client = await withHost({
    ...obliging(),
    openSession: (call: OpenCall) => {
      call.write({ event: event(1, 'OPEN'), cursor: '', hostTime: undefined });
      call.emit('error', { code: status.UNAVAILABLE, details: 'Broken.' });
    },
  });
  const held = client.sessions.hold({ ...request, leaseTtlMs: 60_000 });
  await held.opened;
  await t.throwsAsync(held.ended, { instanceOf: GatewayError });
  t.is((await held.close()).state, SessionState.CLOSED);
});

test('what nobody awaits does not end the process', async (t) => {
  const client = await withHost({
    openSession: (call: OpenCall) => call.emit('error', faultToGrpcStatus({ reason: 'INTERNAL', message: 'A fault.' })),
  });
  const held = client.sessions.hold(request);
  await t.throwsAsync(lastValueFrom(held.events));
  await new Promise((resolve) => setImmediate(resolve));
  t.pass();
});

test('who detaches leaves the stream, and what has not come by then is CANCELLED', async (t) => {
  const streams: OpenCall[] = [];
  const client = await withHost(obliging(streams));
  const held = client.sessions.hold({ ...request, leaseTtlMs: 60_000 });
  await held.opened;
  const cancelled = new Promise((resolve) => streams[0]?.on('cancelled', resolve));
  held.detach();
  held.detach();
  await cancelled;
  t.is((await held.opened).state, SessionState.OPEN);
  t.like(await t.throwsAsync(held.ended, { instanceOf: GatewayError }), { code: status.CANCELLED });
  t.like(await t.throwsAsync(lastValueFrom(held.events)), { code: status.CANCELLED });
});

test('to detach after the end changes nothing', async (t) => {
  const client = await withHost(obliging());
  const held = client.sessions.hold(request);
  await held.opened;
  await held.close();
  t.is((await held.ended).state, SessionState.CLOSED);
  held.detach();
  t.is((await held.ended).state, SessionState.CLOSED);
});
