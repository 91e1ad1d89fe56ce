/**
 * A collector of traces as small as can be: it takes OTLP over HTTP on loopback, decodes what
 * arrives, and lets tests wait for it.
 */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** One span as it arrived, its attributes by name. */
export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly traceState: string | undefined;
  readonly kind: number;
  readonly durationMs: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  /** 0: not set, 2: error. */
  readonly status: number;
}

type Value = Readonly<Record<string, unknown>>;
type Attribute = { readonly key: string; readonly value: Value };

/**
 * OTLP/JSON, as far as it is read here:
 * https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly RawSpan[] }[];
  }[];
}

interface RawSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code: number };
}

export class Collector {
  readonly spans: ReceivedSpan[] = [];
  readonly requests: IncomingHttpHeaders[] = [];
  resource: Readonly<Record<string, unknown>> = {};
  /** What it answers with; undefined: nothing, ever. */
  status: number | undefined = 200;
  /** What it answers where it answers with 200. */
  answer = '{}';
  readonly #server: Server;
  readonly #protocol: 'http' | 'https';
  readonly #waiting = new Set<() => void>();

  private constructor(tls: { readonly cert: string; readonly key: string } | undefined) {
    this.#protocol = tls === undefined ? 'http' : 'https';
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    this.#server = server.on('request', async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      this.requests.push(request.headers);
      if (this.status === 200) this.#take(JSON.parse(Buffer.concat(chunks).toString()) as Export);
      for (const wake of this.#waiting) wake();
      if (this.status !== undefined)
        response.writeHead(this.status, { 'content-type': 'application/json' }).end(this.answer);
    });
  }

  static async start(tls?: { readonly cert: string; readonly key: string }): Promise<Collector> {
    const collector = new Collector(tls);
    collector.#server.listen(0, '127.0.0.1');
    await once(collector.#server, 'listening');
    return collector;
  }

  get endpoint(): string {
    return `${this.#protocol}://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1/traces`;
  }

  /** The first span, past or to come, that is so. */
  async span(isSo: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan> {
    for (;;) {
      const found = this.spans.find(isSo);
      if (found !== undefined) return found;
      await this.arrival();
    }
  }

  /** The spans of one trace, when there is one of each name among them. */
  async trace(traceId: string, ...names: readonly string[]): Promise<ReceivedSpan[]> {
    for (const name of names) await this.span((span) => span.traceId === traceId && span.name === name);
    return this.spans.filter((span) => span.traceId === traceId);
  }

  /** Resolves at the next request, whatever it is answered with. */
  arrival(): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
    });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #take({ resourceSpans }: Export): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      this.resource = byName(resource.attributes);
      for (const raw of scopeSpans.flatMap(({ spans }) => spans)) {
        this.spans.push({
          name: raw.name,
          traceId: raw.traceId,
          spanId: raw.spanId,
          parentSpanId: raw.parentSpanId,
          traceState: raw.traceState,
          kind: raw.kind,
          durationMs: Number(BigInt(raw.endTimeUnixNano) - BigInt(raw.startTimeUnixNano)) / 1e6,
          attributes: byName(raw.attributes),
          links: raw.links ?? [],
          status: raw.status.code,
        });
      }
    }
  }
}

function byName(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
