/** The way to the collector: bounded, and no matter of the service. */
import test, { type ExecutionContext } from 'ava';
import { makeConfig } from '../../service/config/schema.js';
import { createLog } from '../../service/telemetry/log.js';
import { SpanExport, type SpanExportSettings } from '../../service/telemetry/span-export.js';
import { Traces } from '../../service/telemetry/traces.js';
import { makeAuthority } from '../access/authority.js';
import { withGateway } from '../harness/gateway.js';
import { KeptLog } from '../harness/kept-log.js';
import { Collector } from './collector.js';

async function make(endpoint: string, settings: Partial<SpanExportSettings> = {}, sampleRatio = 1) {
  const log = new KeptLog();
  const limits = { queueSpansMax: 100, intervalMs: 1, timeoutMs: 5000, headers: {}, ...settings };
  const spans = new SpanExport({ endpoint, ...limits }, await createLog(makeConfig().log, log));
  return { log, traces: new Traces({ sampleRatio, hostId: 'h', version: '0' }, spans) };
}

async function collect(t: ExecutionContext): Promise<Collector> {
  const collector = await Collector.start();
  t.teardown(() => collector.close());
  return collector;
}

function callMany(traces: Traces, count: number, traceparent = ''): void {
  for (let n = 0; n < count; n += 1) {
    traces.onRpcStarted('a.B/C', (name) => (name === 'traceparent' ? traceparent : '')).onEnded('OK');
  }
}

test('what does not find room is lost and counted, and the rest arrives', async (t) => {
  const collector = await collect(t);
  const { log, traces } = await make(collector.endpoint);
  callMany(traces, 250);
  t.is(traces.spansLost, 150);
  t.is(log.lines('traces-lost').length, 1);
  await traces.close(60_000);
  t.is(collector.spans.length, 100);
});

test('a collector that is gone is told of once, and the spans for it are counted', async (t) => {
  const gone = await Collector.start();
  const { endpoint } = gone;
  gone.close();
  const { log, traces } = await make(endpoint);
  callMany(traces, 10);
  await log.line('traces-lost');
  callMany(traces, 10);
  await traces.close(60_000);
  t.is(traces.spansLost, 20);
  t.is(log.lines('traces-lost').length, 1);
  t.regex(log.lines('traces-lost')[0]?.msg ?? '', /ECONNREFUSED/);
});

test('a collector beyond the host is trusted by its authority, and by none other', async (t) => {
  const authority = makeAuthority('Authority of the collector');
  const collector = await Collector.start(authority.issue({ commonName: 'c', ips: ['127.0.0.1'], isServer: true }));
  t.teardown(() => collector.close());
  const trusting = await make(collector.endpoint, { ca: Buffer.from(authority.cert) });
  callMany(trusting.traces, 1);
  await trusting.traces.close(60_000);
  t.is(collector.spans.length, 1);
  const other = await make(collector.endpoint, { ca: Buffer.from(makeAuthority('Another').cert) });
  callMany(other.traces, 1);
  await other.log.line('traces-lost');
  t.is(collector.spans.length, 1);
  await other.traces.close(1000);
});

test('a collector that takes spans again is told of too', async (t) => {
  const collector = await collect(t);
  const { log, traces } = await make(collector.endpoint);
  collector.status = 400;
  callMany(traces, 3);
  await log.line('traces-lost');
  collector.status = 200;
  callMany(traces, 2);
  const { lost } = (await log.line('traces-delivered')) as unknown as { lost: number };
  t.is(lost, 3);
  t.is(collector.spans.length, 2);
  await traces.close(1000);
});

test('spans that a collector rejects in part are counted, and told of with its reason', async (t) => {
  const collector = await collect(t);
  const { log, traces } = await make(collector.endpoint);
  collector.answer = '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}';
  callMany(traces, 3);
  const line = await log.line('traces-rejected');
  t.like(line, { rejected: 2, lost: 2, msg: `The collector at ${collector.endpoint} rejected spans: too old.` });
  t.is(traces.spansLost, 2);
  callMany(traces, 3);
  await traces.close(60_000);
  t.is(traces.spansLost, 4);
  t.is(log.lines('traces-rejected').length, 1);
});

test('a collector that has another path is named with the path that was tried', async (t) => {
  const collector = await collect(t);
  const { log, traces } = await make(collector.endpoint);
  collector.status = 404;
  callMany(traces, 1);
  const { msg } = await log.line('traces-lost');
  t.is(msg, `Cannot send spans to ${collector.endpoint}: 404 Not Found.`);
  await traces.close(1000);
});

test('a collector that never answers holds up nobody for longer than it may', async (t) => {
  const collector = await collect(t);
  collector.status = undefined;
  const { traces } = await make(collector.endpoint, { timeoutMs: 60_000 });
  callMany(traces, 1);
  await collector.arrival();
  await traces.close(1);
  t.pass();
});

test('the ratio is for traces that begin here; callers decide on theirs', async (t) => {
  const collector = await collect(t);
  const { traces } = await make(collector.endpoint, {}, 0);
  const traceId = '12'.repeat(16);
  callMany(traces, 50);
  callMany(traces, 1, `00-${traceId}-${'34'.repeat(8)}-01`);
  await traces.close(60_000);
  t.deepEqual(
    collector.spans.map((span) => span.traceId),
    [traceId],
  );
});

test('a daemon that stops sends its last spans first', async (t) => {
  const collector = await collect(t);
  const flags = ['--set', `traces.endpoint=${collector.endpoint}`, '--set', 'traces.exportIntervalMs=60000'];
  await withGateway(flags, async (gateway) => {
    await gateway.getHost();
    gateway.disconnect();
    t.is(await gateway.daemon.stop(), 0);
  });
  t.true(collector.spans.some(({ name }) => name === 'wifidirect.v1.HostService/GetHost'));
  t.true(collector.spans.some(({ name }) => name === 'WFDCloseHandle'));
});

test('a daemon stops in good order though its collector never answers', async (t) => {
  const collector = await collect(t);
  collector.status = undefined;
  await withGateway(['--set', `traces.endpoint=${collector.endpoint}`], async (gateway) => {
    await gateway.getHost();
    gateway.disconnect();
    t.is(await gateway.daemon.stop(), 0);
  });
});
