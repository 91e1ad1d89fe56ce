/**
 * What every call passes, whatever wire it came by: admission, quotas and rates, the streams that
 * are open, and the one place where a failure becomes a status.
 *
 * Invariant: nothing that is thrown in a handler reaches a wire except as a status from
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
  /** Calls that are open, streams too. */
  readonly calls: Quota;
  /** Unary calls whose handler is at work. */
  readonly requests: Quota;
  readonly watchers: Quota;
  /**
   * The ids and addresses that watches are restricted to: each is kept for as long as its watch.
   */
  readonly watchedIds: Quota;
  /** How often a principal may change something, and how often begin a watch. */
  readonly rates: Readonly<Record<'changes' | 'watches', PrincipalRates>>;
  readonly inFlight: InFlightBytes;
  readonly streams: OpenStreams;
  readonly observer: Observer;
  readonly log: Log;
}

/** Calls that no quota counts: a prober is answered also when everybody else has had enough. */
const PROBES: ReadonlySet<string> = new Set(['grpc.health.v1.Health/Check', 'grpc.health.v1.Health/List']);

/** A place for a call that has been admitted. */
export function takePlace({ calls }: Pick<CallServices, 'calls'>, rpc: string, principal: string): Result<GiveBack> {
  return PROBES.has(rpc) ? ok(() => {}) : calls.take(principal);
}

/** For a call of an RPC that this host does not serve. */
export function notServed(rpc: string): Fault {
  return { reason: 'NOT_IMPLEMENTED', message: `This host does not serve ${rpc}.`, metadata: { rpc } };
}

/** Counts a call against the rate of its kind. Throws if its principal calls too often. */
export function checkRate({ rates }: Pick<CallServices, 'rates'>, { permission }: Method, principal: string): void {
  if (permission.rate !== undefined) unwrap(rates[permission.rate].take(principal));
}

/**
 * Anything thrown, as the status that the client gets. Only a FaultError tells the client more than
 * INTERNAL.
 */
export function toErrorStatus(error: unknown, rpc: string, log: Log, trace?: TraceContext): Status {
  if (error instanceof FaultError) return toStatus(error.fault);
  log.error('rpc-failed', `Unexpected error in ${rpc}.`, { rpc, err: error, trace_id: trace?.traceId });
  const fault: Fault = { reason: 'INTERNAL', message: 'An internal error; the log of the host has the details.' };
  return toStatus(fault);
}
