/**
 * The way of spans to an OpenTelemetry collector: OTLP over HTTP, in batches, behind a bounded queue.
 *
 * The rule that must not be broken: a collector that is slow, wrong or gone costs the service spans and nothing else. What is lost is
 * counted, and logged when a collector fails and takes spans again, and at the first that finds no room.
 */
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { CompressionAlgorithm, OTLPExporterBase } from '@opentelemetry/otlp-exporter-base';
import { createOtlpHttpExportDelegate, httpAgentFactoryFromOptions } from '@opentelemetry/otlp-exporter-base/node-http';
import { JsonTraceSerializer, TraceExporterMetricsHelper } from '@opentelemetry/otlp-transformer';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter, type SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Log } from './log.js';

export interface SpanExportSettings {
  /** Such as `http://127.0.0.1:4318/v1/traces`. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The authorities that the collector's certificate may come from, PEM; absent: those that Node brings. */
  readonly ca?: Buffer | undefined;
  readonly queueSpansMax: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

interface Rejected {
  readonly rejectedSpans: number;
  readonly errorMessage: string;
}

/** Larger ones would be refused by collectors with small limits; a batch of these has about 300 KB. */
const BATCH_SPANS_MAX = 512;
/** Batches under way at once: at the end the whole queue goes out together. */
const BATCHES_MAX = 64;

export class SpanExport implements SpanProcessor {
  readonly #batches: BatchSpanProcessor;
  readonly #spansMax: number;
  readonly #endpoint: string;
  readonly #log: Log;
  /** Of those that are under way, too. */
  #waiting = 0;
  #lost = 0;
  #isFailing = false;
  #wasFull = false;
  #wasRejected = false;

  constructor(settings: SpanExportSettings, log: Log) {
    this.#log = log;
    this.#spansMax = settings.queueSpansMax;
    this.#endpoint = settings.endpoint;
    const http = otlpOverHttp(settings, (rejected) => this.#rejected(rejected));
    const exporter: SpanExporter = {
      export: (spans, done) => {
        http.export(spans, (result) => {
          this.#waiting -= spans.length;
          this.#delivered(result, spans.length);
          done(result);
        });
      },
      shutdown: () => http.shutdown(),
    };
    this.#batches = new BatchSpanProcessor({
      exporter,
      maxQueueSize: settings.queueSpansMax,
      maxExportBatchSize: Math.min(BATCH_SPANS_MAX, settings.queueSpansMax),
      scheduledDelayMillis: settings.intervalMs,
      // It waits for each retry of the exporter, whose own limit this is.
      exportTimeoutMillis: 2 * settings.timeoutMs,
    });
  }

  /** Spans that never reached the collector. */
  get lost(): number {
    return this.#lost;
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if (this.#waiting >= this.#spansMax) {
      this.#lost += 1;
      if (!this.#wasFull) {
        this.#log.warn(
          'traces-lost',
          'More spans wait for the collector than may; what is beyond that is lost, and counted.',
        );
      }
      this.#wasFull = true;
      return;
    }
    this.#waiting += 1;
    this.#batches.onEnd(span);
  }

  forceFlush(): Promise<void> {
    return this.#batches.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.#batches.shutdown();
  }

  #delivered({ code, error }: ExportResult, spans: number): void {
    const isFailing = code !== ExportResultCode.SUCCESS;
    if (isFailing) this.#lost += spans;
    if (isFailing === this.#isFailing) return;
    this.#isFailing = isFailing;
    const lost = this.#lost;
    if (!isFailing) this.#log.info('traces-delivered', 'The collector of traces takes spans again.', { lost });
    else this.#log.warn('traces-lost', `Spans do not reach ${this.#endpoint}: ${whyOf(error)}.`, { lost });
  }

  /** The collector took a batch but for so many (`partialSuccess` of OTLP), which it wants to see no second time. */
  #rejected({ rejectedSpans, errorMessage }: Rejected): void {
    this.#lost += rejectedSpans;
    if (rejectedSpans > 0 && !this.#wasRejected) {
      const why = errorMessage === '' ? 'it does not say why' : errorMessage;
      const text = `The collector at ${this.#endpoint} rejects spans: ${why}.`;
      this.#log.warn('traces-rejected', text, { rejected: rejectedSpans, lost: this.#lost });
    }
    this.#wasRejected = rejectedSpans > 0;
  }
}

/** What `OTLPTraceExporter` does, less the environment variables that it obeys: all that configures the daemon is in its `Config`. */
function otlpOverHttp(
  { endpoint, headers, ca, timeoutMs }: SpanExportSettings,
  onAnswer: (rejected: Rejected) => void,
): OTLPExporterBase<ReadableSpan[]> {
  const options = {
    url: endpoint,
    headers: async () => ({ ...headers, 'Content-Type': 'application/json' }),
    timeoutMillis: timeoutMs,
    concurrencyLimit: BATCHES_MAX,
    compression: CompressionAlgorithm.NONE,
    agentFactory: httpAgentFactoryFromOptions({ keepAlive: true, ...(ca && { ca }) }),
  };
  return new OTLPExporterBase(
    createOtlpHttpExportDelegate(
      options,
      {
        serializeRequest: (spans: ReadableSpan[]) => JsonTraceSerializer.serializeRequest(spans),
        deserializeResponse: (bytes: Uint8Array) => {
          const answer = JsonTraceSerializer.deserializeResponse(bytes);
          const { rejectedSpans, errorMessage } = answer.partialSuccess ?? {};
          // In JSON a number of 64 bits is a text.
          onAnswer({ rejectedSpans: Math.max(Number(rejectedSpans ?? 0) || 0, 0), errorMessage: errorMessage ?? '' });
          return answer;
        },
      },
      'otlp_http_json_span_exporter',
      TraceExporterMetricsHelper,
      undefined,
    ),
  );
}

/** Its code, or its first line: what a collector answers at length is not for the log. */
function whyOf(error: (Error & { code?: string | number }) | undefined): string {
  const [line = ''] = (error?.message ?? '').split('\n');
  return [error?.code, line.slice(0, 200)].filter((part) => part !== undefined && part !== '').join(' ') || 'no answer';
}
