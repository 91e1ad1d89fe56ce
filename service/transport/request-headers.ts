/** The headers of a request, put right before grpc-js reads them: what it takes for something else, or would do at the host's cost. */
import type { IncomingHttpHeaders } from 'node:http2';

/**
 * Requests are small, so nothing is won by compressing them; and one that unfolds to a thousand times its size would do so on the threads
 * that native calls need. Told in every answer, as gRPC wants it.
 */
export const ACCEPTED_ENCODING = ['grpc-accept-encoding', 'identity'] as const;

/** As gRPC defines it: digits and a unit. */
const TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000_001 };
/** The longest that a timer of Node can wait, some 24 days. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export function putRight(headers: IncomingHttpHeaders): void {
  const timeout = headers['grpc-timeout'];
  if (timeout !== undefined) {
    const [, digits, unit = ''] = TIMEOUT.exec(String(timeout)) ?? [];
    // grpc-js finds a number in any text, and takes one that no timer can hold for one that has passed.
    if (digits === undefined) headers['grpc-timeout'] = 'malformed';
    else if (Number(digits) * (unitMs[unit] ?? 0) > TIMER_MS_MAX) delete headers['grpc-timeout'];
  }
  const encoding = headers['grpc-encoding'];
  if (encoding !== undefined && encoding !== 'identity') headers['grpc-encoding'] = 'refused';
}

export function isOfGrpc(headers: IncomingHttpHeaders): boolean {
  return headers['content-type']?.startsWith('application/grpc') ?? false;
}
