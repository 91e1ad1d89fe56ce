/**
 * Sends spans to an OpenTelemetry collector: OTLP over HTTP, in batches, with a bounded queue.
 *
 * Invariant: a slow, faulty or missing collector costs only spans. Lost spans are counted. A line
 * is logged when the collector fails, when it recovers, and when the queue is full.
 */
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { CompressionAlgorithm, OTLPExporterBase } from '@opentelemetry/otlp-exporter-base';
import { createOtlpHttpExportDelegate, httpAgentFactoryFromOptions } from '@opentelemetry/otlp-exporter-base/node-http';
import { JsonTraceSerializer, TraceExporterMetricsHelper } from '@opentelemetry/otlp-transformer';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter, type SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Log } from './log.js';

export interface SpanExportSettings {
  /** For example `http://127.0.0.1:4318/v1/traces`. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  /**
   * The authorities trusted for the collector's certificate, PEM; absent: those that come with
   * Node.
   */
  readonly ca?: Buffer | undefined;
  readonly queueSpansMax: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

interface Rejected {
  readonly rejectedSpans: number;
  readonly errorMessage: string;
}

/** A batch has about 300 KB. Collectors with small limits refuse larger ones. */
const BATCH_SPANS_MAX = 512;
/** Batches in flight at once. At shutdown the whole queue is sent together. */
const BATCHES_MAX = 64;

export class SpanExport implements SpanProcessor {
  readonly #batches: BatchSpanProcessor;
  readonly #spansMax: number;
  readonly #endpoint: string;
  readonly #log: Log;
  /** Spans that wait or are being sent. */
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
          'The span queue is full; dropping spans. See traces.queueSpansMax and wfdd_spans_lost_total.',
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
    if (!isFailing) this.#log.info('traces-delivered', 'The collector accepts spans again.', { lost });
    else this.#log.warn('traces-lost', `Cannot send spans to ${this.#endpoint}: ${whyOf(error)}.`, { lost });
  }

  /**
   * The collector rejected some spans of a batch (`partialSuccess` in OTLP). They must not be sent
   * again.
   */
  #rejected({ rejectedSpans, errorMessage }: Rejected): void {
    this.#lost += rejectedSpans;
    if (rejectedSpans > 0 && !this.#wasRejected) {
      const why = errorMessage === '' ? 'no reason given' : errorMessage;
      const text = `The collector at ${this.#endpoint} rejected spans: ${why}.`;
      this.#log.warn('traces-rejected', text, { rejected: rejectedSpans, lost: this.#lost });
    }
    this.#wasRejected = rejectedSpans > 0;
  }
}

/**
 * Like `OTLPTraceExporter`, but without its environment variables, because only `Config` configures
 * the daemon (D-81).
 */
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
          // OTLP/JSON encodes 64-bit numbers as strings.
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

/** The code and the first line of an error. The rest of a collector's response is not logged. */
function whyOf(error: (Error & { code?: string | number }) | undefined): string {
  const [line = ''] = (error?.message ?? '').split('\n');
  return [error?.code, line.slice(0, 200)].filter((part) => part !== undefined && part !== '').join(' ') || 'no answer';
}
