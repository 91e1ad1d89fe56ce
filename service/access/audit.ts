/**
 * The audit: one line for each call that can change something (D-85).
 *
 * Invariant: a line contains no free text of a caller, and no caller can crowd out the lines of
 * another. Ids are recorded only if they are well formed. Lines about refused calls are limited per
 * principal.
 */
import type { Log } from '../telemetry/log.js';
import { LineLimits } from './line-limit.js';

export interface AuditRecord {
  readonly principal: string;
  readonly rpc: string;
  /** As sent and not validated, like the next two. */
  readonly sessionId: string | undefined;
  readonly deviceAddress: string | undefined;
  readonly requestId: string | undefined;
  /** The name of the status code that the call was answered with. */
  readonly code: string;
  readonly client: string;
  readonly traceId: string | undefined;
}

const SESSION_ID = /^[a-z0-9-]{4,63}$/;
const DEVICE_ADDRESS = /^[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}$/i;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export class Audit {
  readonly #log: Log;
  readonly #failures = new LineLimits();
  /** A session can be renewed many times per second. */
  readonly #renewals = new LineLimits();

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Successful changes are always recorded. Refused calls and renewals are limited per principal.
   */
  keep(record: AuditRecord): void {
    const { principal, rpc, code, client } = record;
    const turn = this.#turnOf(record);
    if (turn === undefined) return;
    this.#log.info('audit', `${principal} called ${rpc}: ${code}.`, {
      principal,
      rpc,
      sessionId: valid(record.sessionId, SESSION_ID),
      deviceAddress: valid(record.deviceAddress, DEVICE_ADDRESS),
      requestId: valid(record.requestId, UUID),
      code,
      client,
      trace_id: record.traceId,
      ...turn,
    });
  }

  #turnOf({ principal, rpc, code }: AuditRecord): ReturnType<LineLimits['take']> {
    if (code !== 'OK') return this.#failures.take(principal);
    return rpc.endsWith('/RenewSession') ? this.#renewals.take(principal) : {};
  }
}

function valid(value: string | undefined, form: RegExp): string | undefined {
  return value === undefined || form.test(value) ? value : '[invalid]';
}
