/** Trace context. All rooms pass it on; only `telemetry/` reads it (D-7). */

/** One span of a trace, with the names of W3C Trace Context. */
export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  /** Bit 0: the trace is recorded. */
  readonly traceFlags: number;
}

/** Where a new span belongs: below a parent, linked to another span, or neither. */
export interface TracePlace {
  readonly parent?: TraceContext | undefined;
  readonly link?: TraceContext | undefined;
}
