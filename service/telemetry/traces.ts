/**
 * Spans for OpenTelemetry: one for each RPC, each native call and each change of a session.
 *
 * - The `traceparent` and `tracestate` of a request are the parent of its RPC span. Spans of what
 *   the RPC causes are its children.
 * - The span of a stream ends when its headers have been sent. Its end, and what the host does by
 *   itself later, are short spans with a link to the first one, so that no span is as long as a
 *   session. They are sampled like the first one (D-78).
 * - Native calls of the host itself, such as probes and link checks, are spans without a parent.
 *
 * Invariant: spans contain ids, states and codes, never an address or a principal (D-79).
 *
 * Nothing is registered globally or patched (D-80). This file and its imports are loaded only if
 * traces are on.
 */
import { setTimeout } from 'node:timers/promises';
import {
  type Attributes,
  type Context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  type SamplingResult,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { SessionEvent } from '../session/session.js';
import type { TracePlace } from '../trace.js';
import { RPC_CODES } from './closed-sets.js';
import type { Observer, RpcObserver } from './observer.js';
import type { SpanExport } from './span-export.js';

export interface TracesSettings {
  /**
   * The fraction of traces starting here that is recorded, 0 to 1. Callers decide for their own
   * traces.
   */
  readonly sampleRatio: number;
  readonly hostId: string;
  readonly version: string;
}

/** Codes that the semantic conventions count as server failures. */
const FAILURES = new Set(['UNKNOWN', 'DEADLINE_EXCEEDED', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS']);

const fromHeaders = { get: (header: (name: string) => string, name: string) => header(name), keys: () => [] };

export class Traces implements Pick<Observer, 'onRpcStarted' | 'onNativeReturned' | 'onSessionChanged'> {
  readonly #spans: SpanExport;
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;
  readonly #propagator = new W3CTraceContextPropagator();

  constructor({ sampleRatio, hostId, version }: TracesSettings, spans: SpanExport) {
    this.#spans = spans;
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({
        'service.name': 'wfdd',
        'service.version': version,
        'service.instance.id': hostId,
      }),
      sampler: new ParentBasedSampler({ root: new LikeItsLink(new TraceIdRatioBasedSampler(sampleRatio)) }),
      spanProcessors: [spans],
    });
    this.#tracer = this.#provider.getTracer('wfdd', version);
  }

  onRpcStarted(rpc: string, header: (name: string) => string): RpcObserver {
    const [service = '', method = ''] = rpc.split('/');
    const attributes = { 'rpc.system': 'grpc', 'rpc.service': service, 'rpc.method': method };
    const caller = this.#propagator.extract(ROOT_CONTEXT, header, fromHeaders);
    const span = this.#tracer.startSpan(rpc, { kind: SpanKind.SERVER, attributes }, caller);
    const own = span.spanContext();
    let establishedMs: number | undefined;
    return {
      trace: own,
      onEstablished: () => {
        establishedMs ??= performance.now();
        span.end();
      },
      onEnded: (code) => {
        if (establishedMs === undefined) return endRpc(span, code);
        const seconds = (performance.now() - establishedMs) / 1000;
        endRpc(this.#start(`${rpc} end`, { link: own }, { ...attributes, 'wifidirect.stream.seconds': seconds }), code);
      },
    };
  }

  onNativeReturned(fn: string, code: number, durationMs: number, name: string, place: TracePlace): void {
    const endMs = Date.now();
    const span = this.#start(fn, place, nativeAttributes({ function: fn, code, name }), endMs - durationMs);
    if (code !== 0) span.setStatus({ code: SpanStatusCode.ERROR, message: name });
    span.end(endMs);
  }

  onSessionChanged({ type, sequence, session, cause, native, timeMs, steadyMs }: SessionEvent): void {
    const place = { parent: cause.trace, link: session.trace };
    const attributes = {
      'wifidirect.session.id': session.id,
      'wifidirect.session.state': session.state,
      'wifidirect.event.sequence': sequence,
      'wifidirect.event.source': cause.source,
      'wifidirect.session.end.reason': session.end?.reason,
      'wifidirect.session.end.evidence': session.end?.evidence,
      ...(native && nativeAttributes(native)),
    };
    const span = this.#start(`session ${type}`, place, attributes, timeMs);
    if (type === 'FAILED' || type === 'LOST') {
      span.setStatus({ code: SpanStatusCode.ERROR, message: session.end?.reason ?? type });
    }
    // Uses the steady clock, because the wall clock may have been changed.
    span.end(timeMs + performance.now() - steadyMs);
  }

  /** The number of spans that did not reach the collector. */
  get spansLost(): number {
    return this.#spans.lost;
  }

  /** Sends the remaining spans within `graceMs`. */
  async close(graceMs: number): Promise<void> {
    const late = new AbortController();
    const passed = setTimeout(graceMs, undefined, { signal: late.signal }).catch(() => {});
    await Promise.race([this.#provider.shutdown().catch(() => {}), passed]);
    late.abort();
  }

  #start(name: string, { parent, link }: TracePlace, attributes: Attributes, startTime?: number): Span {
    const context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
    const links = link === undefined || link.spanId === parent?.spanId ? [] : [{ context: link }];
    return this.#tracer.startSpan(name, { attributes, links, ...(startTime !== undefined && { startTime }) }, context);
  }
}

/** Samples a span with a link like the span it links to, and any other root span by the ratio. */
class LikeItsLink implements Sampler {
  readonly #ratio: TraceIdRatioBasedSampler;

  constructor(ratio: TraceIdRatioBasedSampler) {
    this.#ratio = ratio;
  }

  shouldSample(
    context: Context,
    traceId: string,
    _name: string,
    _kind: SpanKind,
    _attributes: Attributes,
    [link]: Link[],
  ): SamplingResult {
    if (link === undefined) return this.#ratio.shouldSample(context, traceId);
    const isSampled = (link.context.traceFlags & TraceFlags.SAMPLED) !== 0;
    return { decision: isSampled ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD };
  }
}

function endRpc(span: Span, code: string): void {
  span.setAttribute('rpc.grpc.status_code', RPC_CODES.indexOf(code));
  if (FAILURES.has(code)) span.setStatus({ code: SpanStatusCode.ERROR, message: code });
  span.end();
}

function nativeAttributes({ function: fn, code, name }: { function: string; code: number; name: string }): Attributes {
  return { 'code.function.name': fn, 'wifidirect.native.code': code, 'wifidirect.native.name': name };
}
