/**
 * Normalizes the headers of a request before grpc-js reads them: values that it would misread, or
 * that would cost the host too much.
 */
import type { IncomingHttpHeaders } from 'node:http2';
import { TIMER_MS_MAX } from '../deadline.js';

/**
 * Requests are small, so compression gains nothing. A compressed request could expand to a thousand
 * times its size, on the threads that native calls need. Sent in every answer, as gRPC requires.
 */
export const ACCEPTED_ENCODING = ['grpc-accept-encoding', 'identity'] as const;

/** As gRPC defines it: digits and a unit. */
const TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000_001 };

export function normalizeHeaders(headers: IncomingHttpHeaders): void {
  // grpc-js accepts only this spelling.
  headers['content-type'] = 'application/grpc';
  const timeout = headers['grpc-timeout'];
  if (timeout !== undefined) {
    const [, digits, unit = ''] = TIMEOUT.exec(String(timeout)) ?? [];
    // grpc-js finds a number in any text, and takes a timeout that is too long for a timer for one
    // that has passed.
    if (digits === undefined) headers['grpc-timeout'] = 'malformed';
    else if (Number(digits) * (unitMs[unit] ?? 0) > TIMER_MS_MAX) delete headers['grpc-timeout'];
  }
  const encoding = headers['grpc-encoding'];
  if (encoding !== undefined && encoding !== 'identity') headers['grpc-encoding'] = 'refused';
}

/**
 * The case of a media type does not matter, and parameters may follow (RFC 9110). The suffix names
 * the encoding of messages.
 */
const MEDIA_TYPE = /^application\/grpc(?:\+proto)?[ \t]*(?:;|$)/i;

/** Whether the request is gRPC with Protocol Buffers, not gRPC-Web or JSON. */
export function isOfGrpc(headers: IncomingHttpHeaders): boolean {
  return MEDIA_TYPE.test(headers['content-type'] ?? '');
}

/** Bytes of headers in one request. The libraries of gRPC allow 8 to 16 KB by default. */
export const HEADER_BYTES_MAX = 16_384;
/** Number of headers in one request, including those of HTTP/2. */
export const HEADERS_MAX = 64;
/** Bytes that RFC 9113 (6.5.2) counts for each header besides its name and value. */
const BYTES_BESIDE = 32;

/**
 * The size of a header list (RFC 9113, 6.5.2). With compression, a client can send a list that is
 * much larger than its bytes.
 */
export function sizeOfHeaders(rawHeaders: readonly string[]): number {
  let size = (rawHeaders.length / 2) * BYTES_BESIDE;
  for (const text of rawHeaders) size += text.length;
  return size;
}
