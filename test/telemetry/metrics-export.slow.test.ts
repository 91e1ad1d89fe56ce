/**
 * The daemon sends its metrics to a collector, and nothing that a collector does or fails to do
 * disturbs it.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { startSimulated } from '../harness/daemon.js';

interface Point {
  readonly asDouble?: number;
}

interface Sent {
  readonly headers: IncomingMessage['headers'];
  readonly names: readonly string[];
  value(name: string): number | undefined;
}

/** Takes OTLP on loopback; `answer` is called with what came. */
async function collector(t: ExecutionContext, answer: (response: ServerResponse, count: number) => void) {
  const sent: Sent[] = [];
  const waiting = new Set<() => void>();
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString());
    const metrics = body.resourceMetrics[0].scopeMetrics[0].metrics as {
      name: string;
      gauge?: { dataPoints: Point[] };
      sum?: { dataPoints: Point[] };
    }[];
    sent.push({
      headers: request.headers,
      names: metrics.map(({ name }) => name),
      value: (name) => {
        const found = metrics.find((metric) => metric.name === name);
        return (found?.gauge ?? found?.sum)?.dataPoints[0]?.asDouble;
      },
    });
    for (const wake of waiting) wake();
    answer(response, sent.length);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const arrived = async (count: number): Promise<Sent> => {
    while (sent.length < count) await new Promise<void>((resolve) => waiting.add(resolve));
    return sent[count - 1] as Sent;
  };
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/metrics`;
  return { sent, arrived, endpoint };
}

const every = (intervalMs: number, endpoint: string) =>
  [`metrics.endpoint=${endpoint}`, `metrics.exportIntervalMs=${intervalMs}`].flatMap((each) => ['--set', each]);

test('metrics go to the collector at each interval, with no port that is listened at', async (t) => {
  const { arrived, endpoint } = await collector(t, (response) => response.end('{}'));
  const daemon = await startSimulated(...every(20, endpoint));
  t.teardown(() => daemon.kill());
  const third = await arrived(3);
  t.is(third.headers['content-type'], 'application/json');
  t.is(third.value('wfdd_serving'), 1);
  t.true(third.names.includes('wfdd_native_call_seconds'));
  t.true(third.names.includes('process_resident_memory_bytes'));
});

test('the last values are sent when the daemon stops', async (t) => {
  const { sent, endpoint } = await collector(t, (response) => response.end('{}'));
  const daemon = await startSimulated(...every(3_600_000, endpoint));
  t.teardown(() => daemon.kill());
  t.is(sent.length, 0);
  t.is(await daemon.stop(), 0);
  t.is(sent.length, 1);
});

test('a collector that fails is told of once, and once when it takes metrics again', async (t) => {
  const { arrived, endpoint } = await collector(t, (response, count) => {
    response.writeHead(count < 4 ? 503 : 200).end('{}');
  });
  const daemon = await startSimulated(...every(20, endpoint));
  t.teardown(() => daemon.kill());
  t.regex(String((await daemon.line('metrics-lost'))['msg']), /responded with HTTP status 503/);
  await daemon.line('metrics-delivered');
  await arrived(6);
  t.is(await daemon.stop(), 0);
});

test('a collector that never answers gets one request at a time, and does not hold up the stop', async (t) => {
  const { sent, arrived, endpoint } = await collector(t, () => {});
  const daemon = await startSimulated(...every(10, endpoint), '--set', 'metrics.exportTimeoutMs=60000');
  t.teardown(() => daemon.kill());
  await arrived(1);
  t.is(sent.length, 1);
  t.is(typeof (await daemon.stop()), 'number');
  t.is(sent.length, 1);
});
