/**
 * What grpc-js refuses by itself, as the contract has it: with `google.rpc.ErrorInfo`, and the code
 * of its reason.
 *
 * grpc-js tells such refusals apart by their text alone. Should a text change, it is INTERNAL that
 * goes out; a test of each would notice.
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

/**
 * For statuses on their way out. What has its details, or needs none, goes as it is: OK, the
 * client's own deadline and cancellation.
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
    // From grpc-js itself, or from a handler that is not ours.
    const isUnexpected = code === status.INTERNAL || code === status.UNKNOWN;
    return isUnexpected ? toGrpcStatus(toErrorStatus(new Error(details), rpc, log, trace)) : outcome;
  };
}

export function headersTooLarge(bytesMax: number): Fault {
  const message = `The headers of a request may have ${bytesMax} bytes together, 32 more counted for each; send less metadata.`;
  return limitExceeded({ subject: 'host', limit: 'SETTINGS_MAX_HEADER_LIST_SIZE', value: bytesMax }, message);
}

/** Answers a request that is not handed on to grpc-js. */
export function refuseStream(stream: ServerHttp2Stream, fault: Fault): void {
  if (isGone(stream)) return;
  const { code, details, metadata } = faultToGrpcStatus(fault);
  const told = { 'grpc-status': code, 'grpc-message': encodeURI(details), ...metadata.toHttp2Headers() };
  stream.respond({ 'content-type': 'application/grpc+proto', ...told }, { endStream: true });
  discardRequest(stream);
}

/** Answers a request that is not gRPC as HTTP has it. */
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
