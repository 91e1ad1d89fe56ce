/** Calls and streams: who ends them, and that they end. */
import { type ServerWritableStream, status } from '@grpc/grpc-js';
import test from 'ava';
import { firstValueFrom, lastValueFrom, retry, tap, toArray } from 'rxjs';
import {
  type Client,
  type ConnectOptions,
  connect,
  GatewayError,
  SessionState,
} from '../../clients/typescript/src/client.js';
import type { OpenSessionRequest, OpenSessionResponse } from '../../proto/gen/wifidirect/v1/session_service.js';
import { faultToGrpcStatus } from '../../service/grpc/status.js';
import { event, type Handlers, session, startHost } from './typescript-host.js';

type OpenCall = ServerWritableStream<OpenSessionRequest, OpenSessionResponse>;

const deviceAddress = '02:11:22:33:44:01';
const ends: (() => void)[] = [];
test.after.always(() => {
  for (const end of ends) end();
});

async function withHost(handlers: Handlers, options?: ConnectOptions): Promise<Client> {
  const host = await startHost(handlers);
  const client = connect(host.address, options);
  ends.push(
    () => client.close(),
    () => host.close(),
  );
  return client;
}

/** A promise and what resolves it, for what a handler of the host has to tell the test. */
function told<Value>(): { promise: Promise<Value>; tell: (value: Value) => void } {
  let tell: (value: Value) => void = () => {};
  const promise = new Promise<Value>((resolve) => {
    tell = resolve;
  });
  return { promise, tell };
}

test('an aborted call is CANCELLED, says why, and is cancelled on the host', async (t) => {
  const began = told<void>();
  const cancelled = told<boolean>();
  const client = await withHost({
    getSession: (call) => {
      call.once('cancelled', () => cancelled.tell(true));
      began.tell();
    },
  });
  const abort = new AbortController();
  const answer = client.sessions.get('a-session', { signal: abort.signal });
  await began.promise;
  abort.abort('no longer needed');
  const error = await t.throwsAsync(answer, { instanceOf: GatewayError });
  t.like(error, { code: status.CANCELLED, cause: 'no longer needed' });
  t.true(await cancelled.promise);
});

test('a stream that is left in the turn in which it was begun does not live on at the host', async (t) => {
  let [begun, running] = [0, 0];
  const answer: Handlers['getSession'] = (_, reply) =>
    reply(null, { session: session('OPEN'), cursor: 'c1', hostTime: undefined });
  const open = (call: OpenCall) => {
    begun += 1;
    running += 1;
    call.once('cancelled', () => {
      running -= 1;
    });
  };
  const client = await withHost({ getSession: answer, openSession: open });
  await client.sessions.get('a-session');
  for (let times = 0; times < 20; times += 1) client.sessions.open({ deviceAddress }).subscribe().unsubscribe();
  // What was sent before this answer came has been read by the host.
  await client.sessions.get('a-session');
  await client.sessions.get('a-session');
  t.is(running, 0, `of ${begun} that the host saw`);
});

test('a call whose signal was aborted before is not made', async (t) => {
  const client = await withHost({ getSession: () => t.fail('the host was asked') });
  const answer = client.sessions.get('a-session', { signal: AbortSignal.abort() });
  t.like(await t.throwsAsync(answer, { instanceOf: GatewayError }), { code: status.CANCELLED });
});

test('a call has the deadline of its client, or its own', async (t) => {
  const deadlines: number[] = [];
  const client = await withHost(
    {
      getSession: (call, answer) => {
        deadlines.push(Number(call.getDeadline()) - Date.now());
        answer(null, { session: session('OPEN'), cursor: 'c1', hostTime: undefined });
      },
    },
    { timeoutMs: 100_000 },
  );
  await client.sessions.get('a-session');
  await client.sessions.get('a-session', { timeoutMs: 5000 });
  await client.sessions.get('a-session', { timeoutMs: Number.POSITIVE_INFINITY });
  const [ofClient = 0, ofCall = 0, none] = deadlines;
  t.true(ofClient > 90_000 && ofClient <= 100_000);
  t.true(ofCall > 0 && ofCall <= 5000);
  t.is(none, Number.POSITIVE_INFINITY);
});

test('a passed deadline is DEADLINE_EXCEEDED, without a reason', async (t) => {
  const client = await withHost({ getSession: () => {} });
  const error = await t.throwsAsync(client.sessions.get('a-session', { timeoutMs: 20 }), { instanceOf: GatewayError });
  t.like(error, { code: status.DEADLINE_EXCEEDED, reason: undefined });
});

test('a timeout that gRPC can not write is refused', async (t) => {
  const client = await withHost({ getSession: () => {} });
  for (const timeoutMs of [Number.MAX_SAFE_INTEGER, Number.NaN]) {
    await t.throwsAsync(client.sessions.get('a-session', { timeoutMs }), {
      instanceOf: GatewayError,
      message: /timeoutMs: it must be less than 24 days, or Infinity\./,
    });
  }
});

test('a close that waits has no deadline of its own', async (t) => {
  const deadlines: unknown[] = [];
  const client = await withHost({
    closeSession: (call, answer) => {
      deadlines.push(call.getDeadline(), call.request.waitForDisconnect);
      answer(null, { session: session('CLOSED'), cursor: 'c1', hostTime: undefined });
    },
  });
  t.is((await client.sessions.close('a-session', { wait: true })).session.state, SessionState.CLOSED);
  t.deepEqual(deadlines, [Number.POSITIVE_INFINITY, true]);
});

test('every event that came before an error is seen before it', async (t) => {
  const count = 2000;
  const client = await withHost({
    openSession: (call: OpenCall) => {
      for (let i = 1; i <= count; i++) call.write({ event: event(i, 'OPEN'), cursor: '', hostTime: undefined });
      call.emit('error', faultToGrpcStatus({ reason: 'HOST_STOPPING', message: 'Stopping.' }));
    },
  });
  let seen = 0;
  const stream = lastValueFrom(
    client.sessions.open({ deviceAddress }).pipe(tap(({ sequence }) => t.is(Number(sequence), ++seen))),
  );
  t.like(await t.throwsAsync(stream, { instanceOf: GatewayError }), { reason: 'HOST_STOPPING' });
  t.is(seen, count);
});

test('nothing is asked before someone subscribes, and unsubscribing cancels on the host', async (t) => {
  const calls: OpenCall[] = [];
  const cancelled = told<void>();
  const client = await withHost({
    openSession: (call: OpenCall) => {
      calls.push(call);
      call.once('cancelled', () => cancelled.tell());
      call.write({ event: event(1, 'OPENING'), cursor: '', hostTime: undefined });
    },
  });
  const opening = client.sessions.open({ deviceAddress });
  t.is(calls.length, 0);
  t.is((await firstValueFrom(opening)).session?.state, SessionState.OPENING);
  await cancelled.promise;
  t.is(calls.length, 1);
});

test('subscribing again asks with the same request_id, and so for the same session', async (t) => {
  const requests: OpenSessionRequest[] = [];
  const client = await withHost({
    openSession: (call: OpenCall) => {
      requests.push(call.request);
      if (requests.length === 1) return void call.emit('error', { code: status.UNAVAILABLE, details: 'Broken.' });
      call.write({ event: event(1, 'CLOSED'), cursor: '', hostTime: undefined });
      call.end();
    },
  });
  const events = await lastValueFrom(
    client.sessions.open({ deviceAddress, leaseTtlMs: 1500 }).pipe(retry(1), toArray()),
  );
  t.is(events.length, 1);
  t.is(requests[0]?.requestId.length, 36);
  t.deepEqual(requests[1], requests[0]);
  t.deepEqual(requests[0]?.leaseTtl, { seconds: 1n, nanos: 500_000_000 });
});

test('all pages are asked for, with the same filter', async (t) => {
  const asked: unknown[] = [];
  const client = await withHost({
    listSessions: ({ request }, answer) => {
      asked.push([request.pageToken, request.states, request.pageSize]);
      const page = Number(request.pageToken);
      const nextPageToken = page < 2 ? String(page + 1) : '';
      answer(null, {
        sessions: [session('OPEN', `session-${page}`)],
        cursor: `c${page}`,
        nextPageToken,
        hostTime: undefined,
      });
    },
  });
  const ids: string[] = [];
  for await (const { sessions } of client.sessions.list({ states: [SessionState.OPEN], pageSize: 1 })) {
    ids.push(...sessions.map(({ sessionId }) => sessionId));
  }
  t.deepEqual(ids, ['session-0', 'session-1', 'session-2']);
  const states = [SessionState.OPEN];
  t.deepEqual(asked, [
    ['', states, 1],
    ['1', states, 1],
    ['2', states, 1],
  ]);
});

test('closing the client ends its calls, its streams and its watches, and refuses new ones', async (t) => {
  const client = await withHost({
    getSession: () => {},
    watchSessions: (call) =>
      call.write({ events: [], cursor: 'c1', snapshot: [], snapshotComplete: true, hostTime: undefined }),
  });
  const call = client.sessions.get('a-session');
  const items = client.sessions.watch();
  await firstValueFrom(items);
  const watch = lastValueFrom(items);
  client.close();
  client.close();
  for (const ended of [call, watch, client.sessions.get('a-session'), lastValueFrom(client.sessions.watch())]) {
    t.like(await t.throwsAsync(ended, { instanceOf: GatewayError }), { code: status.CANCELLED });
  }
});
