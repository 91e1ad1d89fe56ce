/**
 * Starts metrics and traces. Each is loaded only if it is configured: together they take a fifth of
 * the daemon's memory.
 */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Log } from './log.js';
import type { Metrics, Readings } from './metrics.js';
import type { MetricsExport, MetricsExportSettings } from './metrics-export.js';
import type { PortSettings } from './metrics-port.js';
import { Observers } from './observer.js';
import { observingLog } from './observing-log.js';
import type { SpanExportSettings } from './span-export.js';
import type { Traces, TracesSettings } from './traces.js';

export interface TelemetrySettings {
  /** The address of `/metrics`; undefined: not served. */
  readonly metrics: PortSettings | undefined;
  /** The collector for metrics; undefined: not sent. */
  readonly metricsExport: MetricsExportSettings | undefined;
  /** The collector for spans; undefined: not sent. */
  readonly traces: (SpanExportSettings & TracesSettings) | undefined;
}

export class Telemetry {
  /** Receives everything that rooms report. */
  readonly observers = new Observers();
  readonly #settings: TelemetrySettings;
  readonly #log: Log;
  #metrics: Server | undefined;
  #metricsExport: MetricsExport | undefined;
  #traces: Traces | undefined;

  constructor(settings: TelemetrySettings, log: Log) {
    this.#settings = settings;
    this.#log = log;
    this.observers.add(observingLog(log));
  }

  async start(readings: Omit<Readings, 'spansLost'>): Promise<void> {
    await this.#startTraces();
    await this.#startMetrics(readings);
  }

  /** Sends the last spans and metrics within `timeoutMs`, then stops serving metrics. */
  async close(timeoutMs: number): Promise<void> {
    await Promise.all([this.#traces?.close(timeoutMs), this.#metricsExport?.close(timeoutMs)]);
    this.#metrics?.close();
  }

  async #startTraces(): Promise<void> {
    const { traces } = this.#settings;
    if (traces === undefined) return;
    const { SpanExport } = await import('./span-export.js');
    const { Traces } = await import('./traces.js');
    this.#traces = new Traces(traces, new SpanExport(traces, this.#log));
    this.observers.add(this.#traces);
    const { endpoint, sampleRatio } = traces;
    this.#log.info('traces-on', `Sending traces to ${endpoint}.`, { endpoint, sampleRatio });
  }

  async #startMetrics(readings: Omit<Readings, 'spansLost'>): Promise<void> {
    const { metrics: address, metricsExport } = this.#settings;
    if (address === undefined && metricsExport === undefined) return;
    const { Metrics } = await import('./metrics.js');
    const metrics = new Metrics({ ...readings, spansLost: () => this.#traces?.spansLost ?? 0 });
    this.observers.add(metrics);
    if (address !== undefined) await this.#serveMetrics(metrics, address);
    if (metricsExport !== undefined) await this.#sendMetrics(metrics, metricsExport);
  }

  async #serveMetrics(metrics: Metrics, address: PortSettings): Promise<void> {
    this.#metrics = await metrics.serve(address);
    const { family, address: host, port } = this.#metrics.address() as AddressInfo;
    const text = `${family === 'IPv6' ? `[${host}]` : host}:${port}`;
    this.#log.info('metrics-serving', `Serving metrics at http://${text}/metrics.`, { address: text });
  }

  async #sendMetrics(metrics: Metrics, settings: MetricsExportSettings): Promise<void> {
    const { MetricsExport } = await import('./metrics-export.js');
    this.#metricsExport = new MetricsExport(settings, () => metrics.families(), this.#log);
    const { endpoint, intervalMs } = settings;
    this.#log.info('metrics-sending', `Sending metrics to ${endpoint}.`, { endpoint, intervalMs });
  }
}
