/**
 * Converts the metrics of a registry to OTLP/JSON. All are cumulative since the start of the
 * process, as for Prometheus, so a lost request only loses one point in time (D-107).
 * https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */

/** A metric as prom-client returns it. */
export interface Family {
  readonly name: string;
  readonly help: string;
  /** `counter`, `gauge` or `histogram`. prom-client's types say that it is a number. */
  readonly type: unknown;
  readonly values: readonly Sample[];
}

interface Sample {
  readonly value: number;
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
}

export interface Source {
  readonly hostId: string;
  readonly version: string;
  readonly startTimeMs: number;
}

/** AGGREGATION_TEMPORALITY_CUMULATIVE */
const CUMULATIVE = 2;

/** An ExportMetricsServiceRequest. */
export function exportRequest(families: readonly Family[], source: Source, nowMs: number): object {
  const times = { startTimeUnixNano: nanos(source.startTimeMs), timeUnixNano: nanos(nowMs) };
  const attributes = attributesOf({
    'service.name': 'wfdd',
    'service.version': source.version,
    'host.id': source.hostId,
  });
  const metrics = families.map((family) => metric(family, times)).filter((made) => made !== undefined);
  return { resourceMetrics: [{ resource: { attributes }, scopeMetrics: [{ scope: { name: 'wfdd' }, metrics }] }] };
}

type Times = Readonly<Record<'startTimeUnixNano' | 'timeUnixNano', string>>;

function metric({ name, help, type, values }: Family, times: Times): object | undefined {
  const described = { name, description: help, ...(unitOf(name) && { unit: unitOf(name) }) };
  if (type === 'histogram') {
    const dataPoints = histogramPoints(name, values, times);
    return dataPoints.length > 0
      ? { ...described, histogram: { aggregationTemporality: CUMULATIVE, dataPoints } }
      : undefined;
  }
  // An unknown value, such as the expiry of a missing certificate, has no data point.
  const dataPoints = values
    .filter(({ value }) => Number.isFinite(value))
    .map(({ value, labels }) => ({ attributes: attributesOf(labels), ...times, asDouble: value }));
  if (dataPoints.length === 0) return undefined;
  if (type !== 'counter') return { ...described, gauge: { dataPoints } };
  return { ...described, sum: { aggregationTemporality: CUMULATIVE, isMonotonic: true, dataPoints } };
}

/** Prometheus buckets are cumulative, OTLP buckets are not. */
function histogramPoints(name: string, values: readonly Sample[], times: Times): object[] {
  const series = new Map<string, Sample[]>();
  for (const sample of values) {
    const { le: _, ...labels } = sample.labels;
    const key = JSON.stringify(Object.entries(labels).sort());
    series.set(key, [...(series.get(key) ?? []), sample]);
  }
  return [...series.values()].map((samples) => {
    const buckets = samples.filter(({ metricName }) => metricName === `${name}_bucket`);
    const upTo = buckets.map(({ value }) => value);
    const valueNamed = (suffix: string) =>
      samples.find(({ metricName }) => metricName === `${name}_${suffix}`)?.value ?? 0;
    const { le: _, ...labels } = samples[0]?.labels ?? {};
    return {
      attributes: attributesOf(labels),
      ...times,
      count: String(valueNamed('count')),
      sum: valueNamed('sum'),
      bucketCounts: upTo.map((count, i) => String(count - (upTo[i - 1] ?? 0))),
      explicitBounds: buckets
        .map(({ labels: { le } }) => le)
        .filter((le) => le !== '+Inf')
        .map(Number),
    };
  });
}

function attributesOf(labels: Readonly<Record<string, string | number>>): object[] {
  return Object.entries(labels).map(([key, value]) => ({ key, value: { stringValue: String(value) } }));
}

function unitOf(name: string): string | undefined {
  const plain = name.replace(/_total$/, '');
  if (plain.endsWith('_seconds')) return 's';
  return plain.endsWith('_bytes') ? 'By' : undefined;
}

function nanos(ms: number): string {
  return `${Math.round(ms)}000000`;
}
