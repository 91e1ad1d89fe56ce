/**
 * Sends metrics to an OpenTelemetry collector at an interval, as OTLP over HTTP, for hosts that
 * cannot be scraped.
 *
 * Invariant: a slow, faulty or missing collector costs only a log line. Only one request is in
 * flight at a time, and none is repeated, because the next one contains everything (D-107).
 */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { within } from '../deadline.js';
import type { Log } from './log.js';
import { exportRequest, type Family, type Source } from './otlp-metrics.js';

export interface MetricsExportSettings {
  /** For example `http://127.0.0.1:4318/v1/metrics`. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  /**
   * The authorities trusted for the collector's certificate, PEM; absent: those that come with
   * Node.
   */
  readonly ca?: Buffer | undefined;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly hostId: string;
  readonly version: string;
}

/** How much of a response is read. */
const ANSWER_BYTES_MAX = 64 * 1024;

export class MetricsExport {
  readonly #settings: MetricsExportSettings;
  readonly #read: () => Promise<readonly Family[]>;
  readonly #log: Log;
  readonly #source: Source;
  readonly #timer: NodeJS.Timeout;
  #inFlight: Promise<void> | undefined;
  #isFailing = false;

  constructor(settings: MetricsExportSettings, read: () => Promise<readonly Family[]>, log: Log) {
    this.#settings = settings;
    this.#read = read;
    this.#log = log;
    const { hostId, version } = settings;
    this.#source = { hostId, version, startTimeMs: performance.timeOrigin };
    this.#timer = setInterval(() => void this.#send(settings.timeoutMs), settings.intervalMs);
    this.#timer.unref();
  }

  /** Sends the metrics a last time, within `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    clearInterval(this.#timer);
    const endMs = performance.now() + timeoutMs;
    await within(timeoutMs, this.#inFlight ?? Promise.resolve());
    const leftMs = endMs - performance.now();
    if (leftMs > 0) await this.#send(Math.min(leftMs, this.#settings.timeoutMs));
  }

  #send(timeoutMs: number): Promise<void> {
    this.#inFlight ??= this.#sendNow(timeoutMs).finally(() => {
      this.#inFlight = undefined;
    });
    return this.#inFlight;
  }

  async #sendNow(timeoutMs: number): Promise<void> {
    try {
      const families = await this.#read();
      const body = JSON.stringify(exportRequest(families, this.#source, Date.now()));
      const why = rejection(await post(this.#settings, body, timeoutMs));
      this.#report(why);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      this.#report(code ?? message.slice(0, 200));
    }
  }

  /** Logs when sending starts to fail, and when it works again. */
  #report(why: string | undefined): void {
    const isFailing = why !== undefined;
    if (isFailing === this.#isFailing) return;
    this.#isFailing = isFailing;
    if (!isFailing) this.#log.info('metrics-delivered', 'The collector accepts metrics again.');
    else this.#log.warn('metrics-lost', `Cannot send metrics to ${this.#settings.endpoint}: ${why}.`);
  }
}

/** Describes a partial rejection (`partialSuccess` in OTLP). */
function rejection(answer: string): string | undefined {
  try {
    const { partialSuccess } = JSON.parse(answer || '{}');
    if (!(Number(partialSuccess?.rejectedDataPoints) > 0)) return undefined;
    return `it rejected ${partialSuccess.rejectedDataPoints} data points: ${String(partialSuccess.errorMessage).slice(0, 200)}`;
  } catch {
    return undefined;
  }
}

/** Returns the body of the response. Rejects on a timeout or an error status. */
function post({ endpoint, headers, ca }: MetricsExportSettings, body: string, timeoutMs: number): Promise<string> {
  const url = new URL(endpoint);
  const options = {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    signal: AbortSignal.timeout(Math.max(1, Math.round(timeoutMs))),
    ...(ca && { ca }),
  };
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        if (text.length < ANSWER_BYTES_MAX) text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode = 0 } = response;
        if (statusCode >= 200 && statusCode < 300) resolve(text);
        else reject(new Error(`it responded with HTTP status ${statusCode}`));
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}
