/**
 * gRPC by hand over node:http2: calls whose headers and message bytes are as a test wants them,
 * right or wrong.
 */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { Metadata, type ServiceError } from '@grpc/grpc-js';
import { type ReadError, readError } from './calls.js';

/**
 * How a call ended: with a status of gRPC or of HTTP, or by a reset, or all were to come and the
 * connection ended.
 */
export interface WireEnd {
  readonly http: number | undefined;
  readonly status: ReadError | undefined;
  readonly headers: IncomingHttpHeaders | undefined;
  /** Of RST_STREAM; 0 where there was none. */
  readonly resetCode: number;
}

const GRPC_HEADER_BYTES = 5;

/** A message as gRPC frames it; the length and the flag may lie. */
export function framed(message: Uint8Array, { flag = 0, length = message.length } = {}): Buffer {
  const header = Buffer.alloc(GRPC_HEADER_BYTES);
  header.writeUInt8(flag, 0);
  header.writeUInt32BE(length, 1);
  return Buffer.concat([header, message]);
}

export class WireClient implements Disposable {
  readonly session: ClientHttp2Session;

  /** @param initialWindowSize How many bytes of each stream the server may send unread. */
  constructor(address: string, initialWindowSize = 65_535) {
    const settings = { enablePush: false, initialWindowSize };
    // What a test writes may wait here, in megabytes.
    this.session = connect(`http://${address}`, { settings, maxSessionMemory: 2000 });
    this.session.on('error', () => {});
  }

  /** @param rpc `wifidirect.v1.HostService/GetHost`. The request has no body yet. */
  start(rpc: string, headers: OutgoingHttpHeaders = {}): ClientHttp2Stream {
    const stream = this.session.request({
      ':method': 'POST',
      ':path': `/${rpc}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    stream.on('error', () => {});
    return stream;
  }

  /** Sends these bytes as the whole body, and answers with how the call ended. */
  async call(rpc: string, body: Uint8Array, headers: OutgoingHttpHeaders = {}): Promise<WireEnd> {
    const stream = this.start(rpc, headers);
    stream.end(body);
    return endOf(stream);
  }

  [Symbol.dispose](): void {
    this.session.destroy();
  }
}

/** Reads a stream to its end. */
export async function endOf(stream: ClientHttp2Stream): Promise<WireEnd> {
  let first: IncomingHttpHeaders | undefined;
  let last: IncomingHttpHeaders | undefined;
  stream.once('response', (headers) => {
    first = headers;
    if (headers['grpc-status'] !== undefined) last = headers;
  });
  stream.once('trailers', (headers) => {
    last = headers;
  });
  stream.resume();
  await new Promise<void>((resolve) => stream.once('close', resolve));
  return {
    http: first && Number(first[':status']),
    headers: first,
    status: last && readTrailers(last),
    resetCode: stream.rstCode ?? 0,
  };
}

/** The status that the trailers of a call hold. */
function readTrailers(trailers: IncomingHttpHeaders): ReadError {
  const metadata = Metadata.fromHttp2Headers(trailers);
  const code = Number(trailers['grpc-status']);
  return readError({ code, details: decodeURI(String(trailers['grpc-message'] ?? '')), metadata } as ServiceError);
}
