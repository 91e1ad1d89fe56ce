/**
 * What every handler of ours works with: the caller whom the gate let in, the quotas, and the one place where a failure becomes a status.
 *
 * The rule that must not be broken: no handler is reached but through `gate.ts`, and nothing thrown in one escapes `settle`.
 */
import type { Metadata, StatusObject } from '@grpc/grpc-js';
import type { Caller } from '../access/caller.js';
import { isChangeOfOperators } from '../access/permissions.js';
import type { PrincipalRates } from '../access/principal-rates.js';
import type { Quota } from '../access/quota.js';
import { type Fault, FaultError, type Result } from '../fault.js';
import type { EventCause } from '../session/session.js';
import type { Log } from '../telemetry/log.js';
import type { Observer } from '../telemetry/observer.js';
import type { TraceContext } from '../trace.js';
import type { OpenStreams } from './server-stream.js';
import { toStatus } from './status.js';
import type { Transit } from './transit.js';

export interface Edge {
  /** Who makes a call that the gate has let in. Throws for any other. */
  readonly callerOf: (call: { readonly metadata: Metadata }) => Caller;
  /** The span of a call, where it is traced. */
  readonly traceOf: (call: { readonly metadata: Metadata }) => TraceContext | undefined;
  /** How often a principal may change something, and how often begin a watch. */
  readonly changes: PrincipalRates;
  readonly watches: PrincipalRates;
  readonly requests: Quota;
  readonly watchers: Quota;
  /** The ids and addresses that watches are restricted to: each is kept for as long as its watch. */
  readonly watchedIds: Quota;
  readonly transit: Transit;
  readonly streams: OpenStreams;
  readonly observer: Observer;
  readonly log: Log;
}

/** One call on its way, and who makes it. */
export interface Context {
  readonly caller: Caller;
  /** `wifidirect.v1.SessionService/CloseSession` */
  readonly rpc: string;
  readonly metadata: Metadata;
  readonly trace: TraceContext | undefined;
}

export interface UnaryContext extends Context {
  /** Aborts when the client no longer waits. */
  readonly signal: AbortSignal;
}

export function causeOf(context: Context, requestId: string): EventCause {
  const { rpc, caller, trace } = context;
  return { source: 'CLIENT', rpc, principal: caller.principal, requestId, ...(trace && { trace }) };
}

/** What every call of ours passes before its handler: how often its principal may make one. */
export function paced({ changes, watches }: Edge, rpc: string, principal: string): void {
  if (isChangeOfOperators(rpc)) must(changes.take(principal));
  else if (WATCHES.has(rpc)) must(watches.take(principal));
}

const WATCHES: ReadonlySet<string> = new Set([
  'wifidirect.v1.SessionService/WatchSessions',
  'wifidirect.v1.DeviceService/WatchDevices',
]);

/** Gives the value of a Result, or leaves the handler with its fault. */
export function must<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new FaultError(result.fault);
}

/** Anything thrown, as the status that the client gets. What is not a fault of ours by name leaks no detail. */
export function settle(error: unknown, rpc: string, log: Log, trace?: TraceContext): StatusObject {
  if (error instanceof FaultError) return toStatus(error.fault);
  const fields = { rpc, err: error, trace_id: trace?.traceId };
  log.error('rpc-failed', `${rpc} failed in a way that it should not.`, fields);
  const fault: Fault = { reason: 'INTERNAL', message: 'An internal error; the log of the host has the details.' };
  return toStatus(fault);
}
