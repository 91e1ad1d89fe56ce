/**
 * The headers of a request, put right before grpc-js reads them: what it takes for something else,
 * or would do at the host's cost.
 */
import type { IncomingHttpHeaders } from 'node:http2';
import { TIMER_MS_MAX } from '../deadline.js';

/**
 * Requests are small, so nothing is won by compressing them; and one that unfolds to a thousand
 * times its size would do so on the threads that native calls need. Told in every answer, as gRPC
 * wants it.
 */
export const ACCEPTED_ENCODING = ['grpc-accept-encoding', 'identity'] as const;

/** As gRPC defines it: digits and a unit. */
const TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000_001 };

export function normalizeHeaders(headers: IncomingHttpHeaders): void {
  // grpc-js compares it with the one spelling.
  headers['content-type'] = 'application/grpc';
  const timeout = headers['grpc-timeout'];
  if (timeout !== undefined) {
    const [, digits, unit = ''] = TIMEOUT.exec(String(timeout)) ?? [];
    // grpc-js finds a number in any text, and takes one that no timer can hold for one that has
    // passed.
    if (digits === undefined) headers['grpc-timeout'] = 'malformed';
    else if (Number(digits) * (unitMs[unit] ?? 0) > TIMER_MS_MAX) delete headers['grpc-timeout'];
  }
  const encoding = headers['grpc-encoding'];
  if (encoding !== undefined && encoding !== 'identity') headers['grpc-encoding'] = 'refused';
}

/**
 * RFC 9110: the case of a media type does not matter, and parameters may follow. gRPC's own suffix
 * is the message's encoding.
 */
const MEDIA_TYPE = /^application\/grpc(?:\+proto)?[ \t]*(?:;|$)/i;

/** Whether the request is gRPC with messages of Protocol Buffers: no gRPC-Web, no JSON. */
export function isOfGrpc(headers: IncomingHttpHeaders): boolean {
  return MEDIA_TYPE.test(headers['content-type'] ?? '');
}

/** What one request may hold in headers: gRPC's libraries allow 8 to 16 KB by default. */
export const HEADER_BYTES_MAX = 16_384;
/** How many headers one request may have, those of HTTP/2 itself included. */
export const HEADERS_MAX = 64;
/** What RFC 9113 (6.5.2) counts for a header beside its name and value. */
const BYTES_BESIDE = 32;

/**
 * The size of a header list (RFC 9113, 6.5.2). A client that compresses can send much more of it
 * than bytes.
 */
export function sizeOfHeaders(rawHeaders: readonly string[]): number {
  let size = (rawHeaders.length / 2) * BYTES_BESIDE;
  for (const text of rawHeaders) size += text.length;
  return size;
}
