/**
 * The way of metrics to an OpenTelemetry collector, for hosts that nobody can scrape: OTLP over HTTP, at an interval.
 *
 * The rule that must not be broken: a collector that is slow, wrong or gone costs the service nothing but a line in the
 * log. One request is under way at a time, and none is repeated: the next has all that the last had.
 */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { within } from '../deadline.js';
import type { Log } from './log.js';
import { exportRequest, type Family, type Source } from './otlp-metrics.js';

export interface MetricsExportSettings {
  /** Such as `http://127.0.0.1:4318/v1/metrics`. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The authorities that the collector's certificate may come from, PEM; absent: those that Node brings. */
  readonly ca?: Buffer | undefined;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly hostId: string;
  readonly version: string;
}

/** Of an answer, what is read. */
const ANSWER_BYTES_MAX = 64 * 1024;

export class MetricsExport {
  readonly #settings: MetricsExportSettings;
  readonly #read: () => Promise<readonly Family[]>;
  readonly #log: Log;
  readonly #source: Source;
  readonly #timer: NodeJS.Timeout;
  #underWay: Promise<void> | undefined;
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

  /** Sends the metrics once more, for as long as this. */
  async close(timeoutMs: number): Promise<void> {
    clearInterval(this.#timer);
    const endMs = performance.now() + timeoutMs;
    await within(timeoutMs, this.#underWay ?? Promise.resolve());
    const leftMs = endMs - performance.now();
    if (leftMs > 0) await this.#send(Math.min(leftMs, this.#settings.timeoutMs));
  }

  #send(timeoutMs: number): Promise<void> {
    this.#underWay ??= this.#sendNow(timeoutMs).finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async #sendNow(timeoutMs: number): Promise<void> {
    try {
      const families = await this.#read();
      const body = JSON.stringify(exportRequest(families, this.#source, Date.now()));
      const why = rejection(await post(this.#settings, body, timeoutMs));
      this.#told(why);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      this.#told(code ?? message.slice(0, 200));
    }
  }

  /** One line when it begins to fail, and one when it is over. */
  #told(why: string | undefined): void {
    const isFailing = why !== undefined;
    if (isFailing === this.#isFailing) return;
    this.#isFailing = isFailing;
    if (!isFailing) this.#log.info('metrics-delivered', 'The collector of metrics takes them again.');
    else this.#log.warn('metrics-lost', `Metrics do not reach ${this.#settings.endpoint}: ${why}.`);
  }
}

/** What it took only in part (`partialSuccess` of OTLP), in words. */
function rejection(answer: string): string | undefined {
  try {
    const { partialSuccess } = JSON.parse(answer || '{}');
    if (!(Number(partialSuccess?.rejectedDataPoints) > 0)) return undefined;
    return `it rejects ${partialSuccess.rejectedDataPoints} points: ${String(partialSuccess.errorMessage).slice(0, 200)}`;
  } catch {
    return undefined;
  }
}

/** The body of the answer. Rejects where there is none in time, or one that is no success. */
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
        else reject(new Error(`it answers ${statusCode}`));
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}
