/**
 * Refusals by grpc-js itself, as the contract describes them: with `google.rpc.ErrorInfo` and the
 * code of its reason.
 *
 * The refusals of grpc-js differ only in their texts. If a text changes, the client gets INTERNAL;
 * there is a test for each.
 */
import { constants, type ServerHttp2Stream } from 'node:http2';
import { type ServerInterceptingCallInterface, status } from '@grpc/grpc-js';
import { toErrorStatus } from '../api/call-services.js';
import { type Fault, limitExceeded } from '../fault.js';
import type { Log } from '../telemetry/log.js';
import type { TraceContext } from '../trace.js';
import { ACCEPTED_ENCODING } from './request-headers.js';
import { DETAILS_KEY, faultToGrpcStatus, toGrpcStatus } from './status.js';
import { discardRequest, isGone } from './wire.js';

type Status = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];
export type Explain = (outcome: Status, rpc: string, trace: TraceContext | undefined) => Status;

interface Refused {
  readonly rpc: string;
  readonly requestBytesMax: number;
}

const texts: readonly (readonly [start: string, fault: (of: Refused) => Fault])[] = [
  ['Received message larger than max', ({ requestBytesMax }) => tooLarge(requestBytesMax)],
  ['Received message compressed', compressed],
  ['Received no request message', () => malformed('The request ended before its message was whole.')],
  [
    'Received a second request message',
    () => malformed('The request has more than one message, and this RPC takes one.'),
  ],
  ['Error deserializing request', () => malformed('The message of the request is not one of Protocol Buffers.')],
  [
    'Invalid grpc-timeout',
    () => malformed('The header grpc-timeout must be 1 to 8 digits and one of H, M, S, m, u, n.'),
  ],
];

/** What grpc-js says of a message that it could not write to the stream. */
const WRITE_FAILED = 'Internal server error';

/**
 * Changes a status before it is sent, unless it has details or needs none: OK, and the client's own
 * deadline and cancellation.
 */
export function refusals(requestBytesMax: number, log: Log): Explain {
  return (outcome, rpc, trace) => {
    const { code, details, metadata } = outcome;
    if (code === status.OK || (metadata?.get(DETAILS_KEY).length ?? 0) > 0) return outcome;
    const [, fault] = texts.find(([start]) => details.startsWith(start)) ?? [];
    if (fault !== undefined) {
      const told = faultToGrpcStatus(fault({ rpc, requestBytesMax }));
      told.metadata.set(...ACCEPTED_ENCODING);
      return told;
    }
    // The client has gone, so nobody gets this status.
    if (details === WRITE_FAILED) return outcome;
    // From grpc-js itself, or from a handler that is not ours.
    const isUnexpected = code === status.INTERNAL || code === status.UNKNOWN;
    return isUnexpected ? toGrpcStatus(toErrorStatus(new Error(details), rpc, log, trace)) : outcome;
  };
}

export function headersTooLarge(bytesMax: number): Fault {
  const message = `The headers of a request may have ${bytesMax} bytes together, 32 more counted for each; send less metadata.`;
  return limitExceeded({ subject: 'host', limit: 'SETTINGS_MAX_HEADER_LIST_SIZE', value: bytesMax }, message);
}

/** Answers a request that grpc-js does not get. */
export function refuseStream(stream: ServerHttp2Stream, fault: Fault): void {
  if (isGone(stream)) return;
  const { code, details, metadata } = faultToGrpcStatus(fault);
  const told = { 'grpc-status': code, 'grpc-message': encodeURI(details), ...metadata.toHttp2Headers() };
  stream.respond({ 'content-type': 'application/grpc+proto', ...told }, { endStream: true });
  discardRequest(stream);
}

/** Answers a request that is not gRPC with an HTTP status. */
export function refuseMediaType(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': constants.HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE }, { endStream: true });
  discardRequest(stream);
}

function malformed(message: string): Fault {
  return { reason: 'INVALID_FIELD', message };
}

function compressed({ rpc }: Refused): Fault {
  return { reason: 'NOT_IMPLEMENTED', message: 'This host takes no compressed requests.', metadata: { rpc } };
}

function tooLarge(requestBytesMax: number): Fault {
  const message = `A request may have request_bytes_max (${requestBytesMax}) bytes; ask for less at once.`;
  return limitExceeded({ subject: 'host', limit: 'request_bytes_max', value: requestBytesMax }, message);
}
