/** Where something belongs in the traces of its callers. Carried from room to room beside the work; read by `telemetry/` alone. */

/** One span of a trace, by the names that W3C Trace Context has for its parts. */
export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  /** Bit 0: the trace is recorded. */
  readonly traceFlags: number;
}

/** Within the span of what caused it, beside the span of what it comes of, or nowhere. */
export interface TracePlace {
  readonly parent?: TraceContext | undefined;
  readonly link?: TraceContext | undefined;
}
