/** Traces, as a collector receives them from a daemon at work. */
import { randomBytes } from 'node:crypto';
import { Metadata } from '@grpc/grpc-js';
import test from 'ava';
import { UpdateDeviceVisibilityRequest } from '../../proto/gen/wifidirect/v1/device_service.js';
import {
  CancelOpenSessionRequest,
  CloseSessionRequest,
  OpenSessionRequest,
  WatchSessionsRequest,
} from '../../proto/gen/wifidirect/v1/session_service.js';
import { call, Received } from '../harness/calls.js';
import { display, gatewayForThisFile, Opened, robot } from '../harness/gateway.js';
import { Collector, type ReceivedSpan } from './collector.js';

const collector = await Collector.start();
// These are for OpenTelemetry's own way of being configured, and must change nothing here.
process.env['OTEL_EXPORTER_OTLP_HEADERS'] = 'x-from-environment=1';
process.env['OTEL_TRACES_SAMPLER'] = 'always_off';
process.env['WFDD_TRACES_HEADERS'] = 'x-api-key: hunter2';

const gateway = gatewayForThisFile(
  ...['--set', `traces.endpoint=${collector.endpoint}`, '--set', 'traces.exportIntervalMs=10'],
  ...['--set', 'hostId=berlin-7', '--log-level', 'debug'],
);
test.after.always(() => collector.close());

const open = 'wifidirect.v1.SessionService/OpenSession';
const close = 'wifidirect.v1.SessionService/CloseSession';
const getHost = 'wifidirect.v1.HostService/GetHost';

interface Caller {
  readonly traceId: string;
  readonly spanId: string;
  readonly metadata: Metadata;
}

/** A caller that has begun a trace. */
function caller(flags = '01', tracestate?: string): Caller {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  const metadata = new Metadata();
  metadata.set('traceparent', `00-${traceId}-${spanId}-${flags}`);
  if (tracestate !== undefined) metadata.set('tracestate', tracestate);
  return { traceId, spanId, metadata };
}

function openAs({ metadata }: Caller, fields: Parameters<typeof OpenSessionRequest.fromPartial>[0]): Opened {
  return new Opened(gateway().sessions.openSession(OpenSessionRequest.fromPartial(fields), metadata));
}

function closeAs({ metadata }: Caller, sessionId: string) {
  const { sessions } = gateway();
  const request = CloseSessionRequest.fromPartial({ sessionId, waitForDisconnect: true });
  return call(sessions.closeSession.bind(sessions), request, 10_000, metadata);
}

function getHostAs(metadata: Metadata) {
  const { host } = gateway();
  return call(host.getHost.bind(host), {}, 10_000, metadata);
}

const named = (spans: readonly ReceivedSpan[], name: string) => spans.filter((span) => span.name === name);

test.serial('an RPC is one span below the caller, by the semantic conventions', async (t) => {
  const { traceId, spanId, metadata } = caller('01', 'vendor=opaque');
  await getHostAs(metadata);
  const [span, ...others] = await collector.trace(traceId, getHost);
  t.deepEqual(others, []);
  t.like(span, { name: getHost, parentSpanId: spanId, traceState: 'vendor=opaque', kind: 2, status: 0 });
  t.deepEqual(span?.attributes, {
    'rpc.system': 'grpc',
    'rpc.service': 'wifidirect.v1.HostService',
    'rpc.method': 'GetHost',
    'rpc.grpc.status_code': 0,
  });
  t.like(collector.resource, { 'service.name': 'wfdd', 'service.instance.id': 'berlin-7' });
});

test.serial('below the RPCs of a session are its changes and the native calls that they cause', async (t) => {
  const [opener, closer] = [caller(), caller()];
  const stream = openAs(opener, { deviceAddress: display });
  const { session } = await stream.event('OPENED');
  await closeAs(closer, session.sessionId);
  await stream.ended;

  const opened = await collector.trace(opener.traceId, open, 'WFDStartOpenSession');
  const [rpc] = named(opened, open);
  t.is(rpc?.parentSpanId, opener.spanId);
  t.is(named(opened, 'session OPENING')[0]?.parentSpanId, rpc?.spanId);
  const [native] = named(opened, 'WFDStartOpenSession');
  t.is(native?.parentSpanId, rpc?.spanId);
  t.deepEqual(native?.attributes, {
    'code.function.name': 'WFDStartOpenSession',
    'wifidirect.native.code': 0,
    'wifidirect.native.name': 'ERROR_SUCCESS',
  });

  const closed = await collector.trace(closer.traceId, close, 'session CLOSED');
  const [closing] = named(closed, close);
  t.is(closing?.parentSpanId, closer.spanId);
  t.is(named(closed, 'WFDCloseSession')[0]?.parentSpanId, closing?.spanId);
  t.like(named(closed, 'session CLOSED')[0], {
    parentSpanId: closing?.spanId,
    attributes: { 'wifidirect.session.id': session.sessionId, 'wifidirect.session.end.reason': 'REQUESTED' },
  });
});

test.serial(
  'a stream that lives on has no long span: its end and later changes are short ones with a link',
  async (t) => {
    const opener = caller();
    const stream = openAs(opener, { deviceAddress: display });
    const { session } = await stream.event('OPENED');
    const [rpc] = named(await collector.trace(opener.traceId, open), open);
    t.deepEqual(rpc?.attributes['rpc.grpc.status_code'], undefined, 'its span has ended and it has not');
    const linked = (span: ReceivedSpan) => span.links.some(({ spanId }) => spanId === rpc?.spanId);
    const isSession = (span: ReceivedSpan) => span.attributes['wifidirect.session.id'] === session.sessionId;
    const change = await collector.span((span) => span.name === 'session OPENED' && isSession(span));
    t.true(linked(change));
    t.is(change.parentSpanId, undefined);

    stream.stream.cancel();
    const end = await collector.span((span) => span.name === `${open} end` && linked(span));
    t.is(end.attributes['rpc.grpc.status_code'], 1);
    t.true(Number(end.attributes['wifidirect.stream.seconds']) * 1000 > end.durationMs);
    const closed = await collector.span((span) => span.name === 'session CLOSED' && isSession(span));
    t.true(linked(closed));
    t.is(closed.attributes['wifidirect.session.end.reason'], 'STREAM_ENDED');
    const native = await collector.span((span) => span.name === 'WFDCloseSession' && linked(span));
    t.is(native.parentSpanId, undefined, 'the host closed it by itself');
  },
);

test.serial('looking for a device is below the RPC that asked for it', async (t) => {
  const { traceId, metadata } = caller();
  const { devices } = gateway();
  const request = UpdateDeviceVisibilityRequest.fromPartial({ deviceAddress: display });
  await call(devices.updateDeviceVisibility.bind(devices), request, 10_000, metadata);
  const rpc = 'wifidirect.v1.DeviceService/UpdateDeviceVisibility';
  const spans = await collector.trace(traceId, rpc, 'WFDUpdateDeviceVisibility');
  t.is(named(spans, 'WFDUpdateDeviceVisibility')[0]?.parentSpanId, named(spans, rpc)[0]?.spanId);
});

test.serial('a cancel is below its RPC, and the end that it brings about', async (t) => {
  await gateway().world.scriptOpen({ deviceAddress: display, delayMs: 'never' });
  const stream = openAs(caller(), { deviceAddress: display });
  const { session } = await stream.event('OPENING');
  const canceller = caller();
  const { sessions } = gateway();
  const request = CancelOpenSessionRequest.fromPartial({ sessionId: session.sessionId });
  await call(sessions.cancelOpenSession.bind(sessions), request, 10_000, canceller.metadata);
  await stream.ended;
  const rpc = 'wifidirect.v1.SessionService/CancelOpenSession';
  const names = ['session CANCELLING', 'WFDCancelOpenSession', 'session CANCELLED'];
  const spans = await collector.trace(canceller.traceId, rpc, ...names);
  for (const name of names) t.is(named(spans, name)[0]?.parentSpanId, named(spans, rpc)[0]?.spanId, name);
});

test.serial('a watch has its span as soon as it stands', async (t) => {
  const { traceId, metadata } = caller();
  const { sessions } = gateway();
  await using watch = new Received(sessions.watchSessions(WatchSessionsRequest.fromPartial({}), metadata));
  await watch.first(({ snapshotComplete }) => snapshotComplete);
  const [span] = await collector.trace(traceId, 'wifidirect.v1.SessionService/WatchSessions');
  t.is(span?.status, 0);
});

test.serial('a failed open says so in its spans', async (t) => {
  const opener = caller();
  const stream = openAs(opener, { deviceAddress: robot });
  await stream.status();
  const [rpc] = named(await collector.trace(opener.traceId, open), open);
  const failed = await collector.span(
    ({ name, links }) => name === 'session FAILED' && links.some(({ spanId }) => spanId === rpc?.spanId),
  );
  t.like(failed, { status: 2, attributes: { 'wifidirect.native.name': 'ERROR_TIMEOUT' } });
});

test.serial('what the caller does not record is not sent, nor what comes of it', async (t) => {
  const quiet = caller('00');
  const stream = openAs(quiet, { deviceAddress: display });
  const { session } = await stream.event('OPENED');
  await closeAs(quiet, session.sessionId);
  await stream.ended;
  // Spans are sent in the order of their ends, so those would have come before this one.
  const after = caller();
  await getHostAs(after.metadata);
  await collector.trace(after.traceId, getHost);
  t.deepEqual(
    collector.spans.filter(
      ({ traceId, attributes }) =>
        traceId === quiet.traceId || attributes['wifidirect.session.id'] === session.sessionId,
    ),
    [],
  );
});

const traceId = 'ab'.repeat(16);
const hostile: Readonly<Record<string, readonly string[]>> = {
  empty: [''],
  'of another form': [`00-${traceId}-${'cd'.repeat(8)}`],
  'all zero': [`00-${'0'.repeat(32)}-${'cd'.repeat(8)}-01`],
  'without a parent': [`00-${traceId}-${'0'.repeat(16)}-01`],
  'in upper case': [`00-${traceId.toUpperCase()}-${'cd'.repeat(8)}-01`],
  'of the version that is forbidden': [`ff-${traceId}-${'cd'.repeat(8)}-01`],
  'with more behind it': [`00-${traceId}-${'cd'.repeat(8)}-01-more`],
  'with a script': [`00-${traceId}-<script>alert(1)</script>-01`],
  'very long': [`00-${traceId}-${'cd'.repeat(8)}-01`.repeat(100)],
  'there twice': [`00-${traceId}-${'cd'.repeat(8)}-01`, `00-${traceId}-${'ef'.repeat(8)}-01`],
};

for (const [what, values] of Object.entries(hostile)) {
  test.serial(`a traceparent that is ${what} counts for nothing`, async (t) => {
    const metadata = new Metadata();
    for (const value of values) metadata.add('traceparent', value);
    const before = collector.spans.length;
    await getHostAs(metadata);
    const isNew = (span: ReceivedSpan) => span.name === getHost && collector.spans.indexOf(span) >= before;
    const span = await collector.span(isNew);
    t.is(span.parentSpanId, undefined);
    t.not(span.traceId, traceId);
  });
}

for (const [what, value] of [
  ['too long', `vendor=${'x'.repeat(600)}`],
  ['of another form', 'no equals sign'],
] as const) {
  test.serial(`a tracestate that is ${what} is left out, and its traceparent counts`, async (t) => {
    const { traceId, spanId, metadata } = caller('01', value);
    await getHostAs(metadata);
    const [span] = await collector.trace(traceId, getHost);
    t.is(span?.parentSpanId, spanId);
    t.falsy(span?.traceState);
  });
}

test.serial('lines of the log have the id of their trace', async (t) => {
  const opener = caller();
  const stream = openAs(opener, { deviceAddress: display });
  const { session } = await stream.event('OPENED');
  const closer = caller();
  await closeAs(closer, session.sessionId);
  await stream.ended;
  await collector.trace(closer.traceId, close, 'session CLOSED');
  const lines = gateway().daemon.log.filter((line) => line['sessionId'] === session.sessionId);
  const idOf = (event: string, rpc?: string) =>
    lines.find((line) => line.event === event && (rpc === undefined || line['rpc'] === rpc))?.['trace_id'];
  t.is(idOf('session-opening'), opener.traceId);
  t.is(idOf('session-opened'), opener.traceId);
  t.is(idOf('session-closed'), closer.traceId);
  t.is(idOf('audit', close), closer.traceId);
  const native = gateway().daemon.log.find(
    (line) => line['trace_id'] === closer.traceId && line.event === 'native-call',
  );
  t.is(native?.['function'], 'WFDCloseSession');
});

test.serial('what is sent has the headers that were configured, and neither addresses nor principals', async (t) => {
  await getHostAs(new Metadata());
  t.like(collector.requests[0], { 'x-api-key': 'hunter2', 'content-type': 'application/json' });
  t.false('x-from-environment' in (collector.requests[0] ?? {}));
  t.notRegex(JSON.stringify(collector.spans), /02:11:22:33:44|anonymous|127\.0\.0\.1/);
  t.false(JSON.stringify(gateway().daemon.log).includes('hunter2'));
});
