/** Metrics as OTLP/JSON has them, from those of a registry of prom-client. */
import test from 'ava';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { exportRequest, type Family } from '../../service/telemetry/otlp-metrics.js';

const source = { hostId: 'host-7', version: '1.2.3', startTimeMs: 1000 };

/** What is sent of a registry. */
// biome-ignore lint/suspicious/noExplicitAny: it is JSON.
async function sent(registry: Registry): Promise<any> {
  const families = (await registry.getMetricsAsJSON()) as unknown as Family[];
  return JSON.parse(JSON.stringify(exportRequest(families, source, 2000))).resourceMetrics[0];
}

const metricsOf = async (registry: Registry) => (await sent(registry)).scopeMetrics[0].metrics;
const label = (key: string, value: string) => ({ key, value: { stringValue: value } });
const times = { startTimeUnixNano: '1000000000', timeUnixNano: '2000000000' };

test('the resource says which daemon of which host it is', async (t) => {
  const { resource } = await sent(new Registry());
  t.deepEqual(resource.attributes, [
    label('service.name', 'wfdd'),
    label('service.version', '1.2.3'),
    label('host.id', 'host-7'),
  ]);
});

test('a counter is a monotonic sum since the start, a gauge what it is now', async (t) => {
  const registry = new Registry();
  const registers = [registry];
  new Counter({ name: 'calls_total', help: 'Calls.', labelNames: ['code'], registers }).inc({ code: 'OK' }, 3);
  new Gauge({ name: 'held_bytes', help: 'Held.', registers }).set(7.5);
  const [calls, held] = await metricsOf(registry);
  const points = [{ attributes: [label('code', 'OK')], ...times, asDouble: 3 }];
  t.deepEqual(calls, {
    name: 'calls_total',
    description: 'Calls.',
    sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: points },
  });
  t.like(held, { unit: 'By', gauge: { dataPoints: [{ attributes: [], ...times, asDouble: 7.5 }] } });
});

test('what has no value now is not sent', async (t) => {
  const registry = new Registry();
  new Gauge({ name: 'expires_seconds', help: 'End.', registers: [registry] }).set(Number.NaN);
  t.deepEqual(await metricsOf(registry), []);
});

test('a histogram counts what is between two bounds, for each set of labels', async (t) => {
  const registry = new Registry();
  const settings = { name: 'took_seconds', help: 'Took.', labelNames: ['method'] as const, buckets: [1, 2] };
  const histogram = new Histogram({ ...settings, registers: [registry] });
  for (const value of [0.5, 1.5, 1.6, 9]) histogram.observe({ method: 'a' }, value);
  histogram.observe({ method: 'b' }, 3);
  const [{ unit, histogram: made }] = await metricsOf(registry);
  t.is(unit, 's');
  t.is(made.aggregationTemporality, 2);
  t.deepEqual(
    made.dataPoints.map(({ attributes, count, sum, bucketCounts, explicitBounds }: Record<string, unknown>) => [
      attributes,
      count,
      sum,
      bucketCounts,
      explicitBounds,
    ]),
    [
      [[label('method', 'a')], '4', 12.6, ['1', '2', '1'], [1, 2]],
      [[label('method', 'b')], '1', 3, ['0', '0', '1'], [1, 2]],
    ],
  );
});
