/**
 * What every call uses, whatever its wire: admission, quotas and rates, the open streams, and the
 * one place where an error becomes a status.
 *
 * Invariant: an error that is thrown in a handler reaches a wire only as a status from
 * `toErrorStatus`.
 */

import type { Status } from '../../proto/gen/google/rpc/status.js';
import type { Access } from '../access/access.js';
import type { PrincipalRates } from '../access/principal-rates.js';
import type { Quota } from '../access/quota.js';
import { toStatus } from '../codec/status.js';
import { type Fault, FaultError, ok, type Result, unwrap } from '../fault.js';
import type { GiveBack } from '../once.js';
import type { Log } from '../telemetry/log.js';
import type { Observer } from '../telemetry/observer.js';
import type { TraceContext } from '../trace.js';
import type { InFlightBytes } from './in-flight-bytes.js';
import type { Method } from './method.js';
import type { OpenStreams } from './open-streams.js';

export interface CallServices {
  readonly access: Access;
  /** Open calls, including streams. */
  readonly calls: Quota;
  /** Unary calls whose handler is running. */
  readonly requests: Quota;
  readonly watchers: Quota;
  /** The ids and addresses of restricted watches. Each takes memory for as long as its watch. */
  readonly watchedIds: Quota;
  /** How often a principal may make changes and begin watches. */
  readonly rates: Readonly<Record<'changes' | 'watches', PrincipalRates>>;
  readonly inFlight: InFlightBytes;
  readonly streams: OpenStreams;
  readonly observer: Observer;
  readonly log: Log;
}

/** Calls that take no place of a quota: a prober must be answered even if all places are taken. */
const PROBES: ReadonlySet<string> = new Set(['grpc.health.v1.Health/Check', 'grpc.health.v1.Health/List']);

/** Takes a place for an admitted call. */
export function takePlace({ calls }: Pick<CallServices, 'calls'>, rpc: string, principal: string): Result<GiveBack> {
  return PROBES.has(rpc) ? ok(() => {}) : calls.take(principal);
}

/** The fault of a call of an RPC that this host does not serve. */
export function notServed(rpc: string): Fault {
  return { reason: 'NOT_IMPLEMENTED', message: `This host does not serve ${rpc}.`, metadata: { rpc } };
}

/** Counts a call against the rate of its kind. Throws if its principal calls too often. */
export function checkRate({ rates }: Pick<CallServices, 'rates'>, { permission }: Method, principal: string): void {
  if (permission.rate !== undefined) unwrap(rates[permission.rate].take(principal));
}

/**
 * Turns an error into the status for the client. Only a FaultError tells the client more than
 * INTERNAL.
 */
export function toErrorStatus(error: unknown, rpc: string, log: Log, trace?: TraceContext): Status {
  if (error instanceof FaultError) return toStatus(error.fault);
  log.error('rpc-failed', `Unexpected error in ${rpc}.`, { rpc, err: error, trace_id: trace?.traceId });
  const fault: Fault = { reason: 'INTERNAL', message: 'An internal error; the log of the host has the details.' };
  return toStatus(fault);
}
