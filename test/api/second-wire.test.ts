/**
 * The contract behaves alike on both wires: over gRPC, and in memory. What one wire takes of a
 * quota the other has less.
 */
import { credentials, Client as GrpcClient, Metadata, type ServiceError } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { Status } from '../../proto/gen/google/rpc/status.js';
import { GetHostRequest, GetHostResponse } from '../../proto/gen/wifidirect/v1/host_service.js';
import { SessionEventType } from '../../proto/gen/wifidirect/v1/session.js';
import {
  CloseSessionRequest,
  CloseSessionResponse,
  GetSessionRequest,
  GetSessionResponse,
  OpenSessionRequest,
  OpenSessionResponse,
  WatchSessionsRequest,
  WatchSessionsResponse,
} from '../../proto/gen/wifidirect/v1/session_service.js';
import { hostStopping } from '../../service/fault.js';
import { Files } from '../access/files.js';
import type { LogLine } from '../harness/daemon.js';
import { display, Host, misuses } from '../harness/host.js';
import { Collector } from '../telemetry/collector.js';
import { type Ending, type Headers, MemoryWire } from './memory-wire.js';

/** One call on a wire: its messages as they come, and its end. */
interface WireCall {
  next(): Promise<Uint8Array | undefined>;
  ending(): Promise<Ending>;
  cancel(): void;
}

interface Wire {
  call(rpc: string, request: Uint8Array, headers?: Headers): WireCall;
}

const names = ['gRPC', 'memory'] as const;
type Wires = Readonly<Record<(typeof names)[number], Wire>>;

const sessions = (method: string) => `wifidirect.v1.SessionService/${method}`;
const GET_HOST = 'wifidirect.v1.HostService/GetHost';

const files = new Files();
const collector = await Collector.start();
const tokens = { alice: 'token-of-alice', wall: 'token-of-wall' };
const as = (principal: keyof typeof tokens): Headers => ({ authorization: `Bearer ${tokens[principal]}` });

let host: Host;
let wires: Wires;
let grpc: GrpcClient;
test.before(async () => {
  host = await Host.start({
    access: {
      mode: 'authenticated',
      tokensFile: files.writeTokens(tokens),
      roles: [
        { role: 'operator', principals: ['alice'] },
        { role: 'viewer', principals: ['wall'] },
      ],
    },
    limits: { watchersPerPrincipalMax: 2 },
    traces: { endpoint: collector.endpoint, exportIntervalMs: 10 },
  });
  grpc = new GrpcClient(host.address, credentials.createInsecure());
  const { services, calls } = host.parts;
  wires = { gRPC: { call: (...args) => grpcCall(grpc, ...args) }, memory: new MemoryWire(services, calls) };
});
test.after.always(async (t) => {
  grpc.close();
  await host[Symbol.asyncDispose]();
  await collector.close();
  files[Symbol.dispose]();
  t.deepEqual(misuses(), []);
});

/** Every call as a stream of bytes, which a unary one is too, with one message. */
function grpcCall(client: GrpcClient, rpc: string, request: Uint8Array, headers: Headers = {}): WireCall {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const bytes = (value: Uint8Array) => Buffer.from(value);
  const call = client.makeServerStreamRequest(`/${rpc}`, bytes, bytes, request, metadata);
  const ended = new Promise<Status | undefined>((resolve) => {
    call.once('error', ({ metadata: trailers }: ServiceError) => {
      const [details] = trailers.get('grpc-status-details-bin');
      resolve(details === undefined ? undefined : Status.decode(details as Buffer));
    });
    call.once('end', () => resolve(undefined));
  });
  call.on('error', () => {});
  const messages = call[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  const next = async () => {
    try {
      const { done, value } = await messages.next();
      return done ? undefined : value;
    } catch {
      return undefined;
    }
  };
  return {
    next,
    cancel: () => call.cancel(),
    ending: async () => {
      const all: Uint8Array[] = [];
      for (let message = await next(); message !== undefined; message = await next()) all.push(message);
      return { messages: all, status: await ended };
    },
  };
}

/** What each wire makes of the same call. */
async function onBoth<T>(ask: (wire: Wire, name: (typeof names)[number]) => Promise<T>): Promise<T[]> {
  const answers: T[] = [];
  for (const name of names) answers.push(await ask(wires[name], name));
  return answers;
}

function same<T>(t: ExecutionContext, [first, second]: readonly T[]): T {
  t.deepEqual(second, first);
  return first as T;
}

test.serial('a unary call is answered alike', async (t) => {
  const answers = await onBoth(async (wire) => {
    const { messages, status } = await wire.call(GET_HOST, GetHostRequest.encode({}).finish(), as('alice')).ending();
    t.is(status, undefined);
    t.is(messages.length, 1);
    return GetHostResponse.decode(messages[0] as Uint8Array);
  });
  // Cursors are sealed for each caller anew, and say the same.
  const { serviceVersion, epoch } = same(
    t,
    answers.map((answer) => ({ ...answer, oldestCursor: '', newestCursor: '' })),
  );
  t.is(serviceVersion, '0.0.0');
  t.regex(epoch, /^[0-9a-f]{16}$/);
});

for (const [what, rpc, request, headers, code] of [
  ['of a session that is not there', sessions('GetSession'), { sessionId: 'nobody' }, as('alice'), 5],
  ['without a credential', sessions('GetSession'), { sessionId: 'nobody' }, {}, 16],
  ['that the role does not allow', sessions('CloseSession'), { sessionId: 'nobody' }, as('wall'), 7],
  ['with a field that is wrong', sessions('GetSession'), { sessionId: '!' }, as('alice'), 3],
] as const) {
  test.serial(`a call ${what} is refused in the same words, with the same details`, async (t) => {
    const bytes = GetSessionRequest.encode(request).finish();
    const endings = await onBoth((wire) => wire.call(rpc, bytes, headers).ending());
    t.is(same(t, endings).status?.code, code);
  });
}

/** Without the addresses, which can become known before or after the close. */
const typesOf = (messages: readonly Uint8Array[]) =>
  messages
    .flatMap((bytes) => OpenSessionResponse.decode(bytes).event?.type ?? [])
    .filter((type) => type !== SessionEventType.NETWORK_INTERFACE_CHANGED);

async function untilOpened(stream: WireCall): Promise<void> {
  for (let bytes = await stream.next(); bytes !== undefined; bytes = await stream.next()) {
    if (OpenSessionResponse.decode(bytes).event?.type === SessionEventType.OPENED) return;
  }
  throw new Error('the session did not open');
}

function openSession(wire: Wire, sessionId: string, headers = as('alice')): WireCall {
  const request = OpenSessionRequest.fromPartial({ sessionId, deviceAddress: display });
  return wire.call(sessions('OpenSession'), OpenSessionRequest.encode(request).finish(), headers);
}

async function closeSession(wire: Wire, sessionId: string): Promise<CloseSessionResponse> {
  const request = CloseSessionRequest.fromPartial({ sessionId, waitForDisconnect: true });
  const call = wire.call(sessions('CloseSession'), CloseSessionRequest.encode(request).finish(), as('alice'));
  const { messages, status } = await call.ending();
  if (status !== undefined) throw new Error(status.message);
  return CloseSessionResponse.decode(messages[0] as Uint8Array);
}

test.serial('a stream has the same events and the same end; the other wire closes its session', async (t) => {
  const lives = await onBoth(async (wire, name) => {
    const stream = openSession(wire, `by-${name.toLowerCase()}`);
    await untilOpened(stream);
    await closeSession(wires[name === 'gRPC' ? 'memory' : 'gRPC'], `by-${name.toLowerCase()}`);
    const { messages, status } = await stream.ending();
    return { types: typesOf(messages), status };
  });
  const { types, status } = same(t, lives);
  t.deepEqual(types, [SessionEventType.CLOSING, SessionEventType.CLOSED]);
  t.is(status, undefined);
});

test.serial('a session whose client leaves is closed', async (t) => {
  await onBoth(async (wire, name) => {
    const sessionId = `left-${name.toLowerCase()}`;
    const stream = openSession(wire, sessionId);
    await untilOpened(stream);
    stream.cancel();
    const line = await host.log.line('session-closed', ({ sessionId: id }) => id === sessionId);
    t.is(line['sessionId'], sessionId);
  });
});

function watch(wire: Wire, headers: Headers): WireCall {
  const request = WatchSessionsRequest.encode(WatchSessionsRequest.fromPartial({})).finish();
  return wire.call(sessions('WatchSessions'), request, headers);
}

test.serial('watches on both wires count for one quota, and see the same', async (t) => {
  const watches = await onBoth(async (wire) => watch(wire, as('wall')));
  const first = await Promise.all(
    watches.map(async (each) => WatchSessionsResponse.decode((await each.next()) as Uint8Array)),
  );
  t.true(
    same(
      t,
      first.map(({ snapshotComplete, cursor }) => ({ snapshotComplete, cursor })),
    ).snapshotComplete,
  );
  const endings = await onBoth((wire) => watch(wire, as('wall')).ending());
  t.is(same(t, endings).status?.code, 8);

  const stream = openSession(wires.memory, 'seen-by-both');
  await untilOpened(stream);
  await closeSession(wires.gRPC, 'seen-by-both');
  await stream.ending();
  const seen = await Promise.all(
    watches.map(async (each) => {
      const types: number[] = [];
      while (types.at(-1) !== SessionEventType.CLOSED) {
        const { events } = WatchSessionsResponse.decode((await each.next()) as Uint8Array);
        types.push(...events.map(({ type }) => type));
      }
      return types;
    }),
  );
  t.is(same(t, seen).length, 4);
  for (const each of watches) each.cancel();
});

test.serial('each change leaves the same record', async (t) => {
  const refused = GetSessionRequest.encode({ sessionId: 'nobody' }).finish();
  await onBoth((wire) => wire.call(sessions('RenewSession'), refused, as('alice')).ending());
  const records = host.log.lines('audit').filter(({ rpc }) => rpc === sessions('RenewSession'));
  const withoutOrigin = ({ time, client, trace_id, ...record }: LogLine) => record;
  t.is(records.length, 2);
  t.like(same(t, records.map(withoutOrigin)), { principal: 'alice', sessionId: 'nobody', code: 'NOT_FOUND' });
});

test.serial('each call is a span of its caller’s trace', async (t) => {
  const spans = await onBoth(async (wire, name) => {
    const traceId = (name === 'gRPC' ? 'a' : 'b').repeat(32);
    const headers = { ...as('alice'), traceparent: `00-${traceId}-${'c'.repeat(16)}-01` };
    await wire.call(GET_HOST, GetHostRequest.encode({}).finish(), headers).ending();
    const [span] = await collector.trace(traceId, GET_HOST);
    return { name: span?.name, parent: span?.parentSpanId, attributes: span?.attributes, status: span?.status };
  });
  t.is(same(t, spans).name, GET_HOST);
});

test.serial('nothing is held for calls that have ended', async (t) => {
  const { calls } = host.parts;
  t.is(calls.requests.total, 0);
  t.is(calls.watchers.total, 0);
  t.is(calls.inFlight.total, 0);
});

test.serial('streams of both wires end when the host stops', async (t) => {
  const watches = await onBoth(async (wire) => watch(wire, as('wall')));
  await Promise.all(watches.map((each) => each.next()));
  host.parts.calls.streams.stop(hostStopping(), () => true);
  const endings = await Promise.all(watches.map((each) => each.ending()));
  t.is(
    same(
      t,
      endings.map(({ status }) => status?.message),
    ),
    hostStopping().message,
  );
});

test.serial('an RPC that is not served is refused alike', async (t) => {
  const endings = await onBoth((wire) => wire.call(sessions('Nonsense'), new Uint8Array(), as('alice')).ending());
  t.is(same(t, endings).status?.code, 12);
});

test('a session can be read on the wire that did not open it', async (t) => {
  const stream = openSession(wires.memory, 'opened-in-memory');
  await untilOpened(stream);
  const request = GetSessionRequest.encode({ sessionId: 'opened-in-memory' }).finish();
  const { messages } = await wires.gRPC.call(sessions('GetSession'), request, as('alice')).ending();
  t.is(GetSessionResponse.decode(messages[0] as Uint8Array).session?.sessionId, 'opened-in-memory');
  await closeSession(wires.memory, 'opened-in-memory');
  await stream.ending();
});
