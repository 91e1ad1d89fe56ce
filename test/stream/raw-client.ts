/**
 * A gRPC client by hand over node:http2. What grpc-js keeps to itself is in the hand of the test:
 * when a stream is read, when its flow-control window stays closed, and how it is left: with or
 * without a word.
 */
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import { Metadata, type ServiceError } from '@grpc/grpc-js';
import {
  OpenSessionRequest,
  OpenSessionResponse,
  WatchSessionsRequest,
  WatchSessionsResponse,
} from '../../proto/gen/wifidirect/v1/session_service.js';
import { type ReadError, readError } from '../harness/calls.js';
import type { OpenFields, WatchFields } from '../harness/gateway.js';

const GRPC_HEADER_BYTES = 5;
const WINDOW_BYTES_DEFAULT = 65_535;
const service = '/wifidirect.v1.SessionService';

/** How a stream ended: with a status, or with none: reset, or cut off. */
interface RawEnd {
  readonly status: ReadError | undefined;
  /** Of RST_STREAM, NO_ERROR where there was none. */
  readonly resetCode: number;
}

interface RawSettings {
  /**
   * How many bytes of each stream (and, where more than usual, of all) the server may send unread;
   * 0: none at all.
   */
  readonly windowBytes?: number;
}

export class RawConnection {
  readonly #session: ClientHttp2Session;

  private constructor(session: ClientHttp2Session) {
    this.#session = session;
    session.on('error', () => {});
  }

  /** @param address `host:port` */
  static async open(address: string, { windowBytes = WINDOW_BYTES_DEFAULT }: RawSettings = {}): Promise<RawConnection> {
    const session = connect(`http://${address}`, { settings: { initialWindowSize: windowBytes, enablePush: false } });
    await once(session, 'connect');
    if (windowBytes > WINDOW_BYTES_DEFAULT) session.setLocalWindowSize(windowBytes);
    return new RawConnection(session);
  }

  get isClosed(): boolean {
    return this.#session.destroyed;
  }

  watch(fields: WatchFields = {}): RawStream<WatchSessionsResponse> {
    const request = WatchSessionsRequest.encode(WatchSessionsRequest.fromPartial(fields)).finish();
    return new RawStream(this.#start('WatchSessions', request), WatchSessionsResponse.decode);
  }

  openSession(fields: OpenFields): RawStream<OpenSessionResponse> {
    const request = OpenSessionRequest.encode(OpenSessionRequest.fromPartial(fields)).finish();
    return new RawStream(this.#start('OpenSession', request), OpenSessionResponse.decode);
  }

  /** Lets the server send so many bytes of each stream from now on. */
  async setWindow(bytes: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#session.settings({ initialWindowSize: bytes }, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  /** Without a word to the server: what a crash or a network that fails leaves. */
  cut(): void {
    this.#session.destroy();
  }

  /** Resolves when the connection is gone, whoever ended it. */
  async closed(): Promise<void> {
    if (!this.#session.closed) await once(this.#session, 'close');
  }

  #start(rpc: string, request: Uint8Array): ClientHttp2Stream {
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': `${service}/${rpc}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const header = Buffer.alloc(GRPC_HEADER_BYTES);
    header.writeUInt32BE(request.length, 1);
    stream.end(Buffer.concat([header, request]));
    return stream;
  }
}

/** A server stream. Nothing is read of it until `read` is called. */
export class RawStream<Message> {
  readonly #stream: ClientHttp2Stream;
  readonly #decode: (bytes: Uint8Array) => Message;
  /** Resolves as soon as the server has answered at all. */
  readonly headers: Promise<void>;
  readonly ended: Promise<RawEnd>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: ClientHttp2Stream, decode: (bytes: Uint8Array) => Message) {
    this.#stream = stream;
    this.#decode = decode;
    stream.on('error', () => {});
    this.headers = new Promise((resolve) => stream.once('response', () => resolve()));
    let trailers: IncomingHttpHeaders | undefined;
    stream.once('response', (headers) => {
      if (headers['grpc-status'] !== undefined) trailers = headers;
    });
    stream.once('trailers', (headers) => {
      trailers = headers;
    });
    this.ended = new Promise((resolve) => {
      stream.once('close', () => resolve({ status: trailers && statusOf(trailers), resetCode: stream.rstCode }));
    });
  }

  /**
   * Reads from now on. Once the stream is cancelled or cut, `each` hears nothing more, also of what
   * had come already.
   */
  read(each: (message: Message) => void): void {
    const stream = this.#stream;
    stream.on('data', (chunk: Buffer) => {
      this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
      for (let end = this.#endOfFirst(); end !== undefined; end = this.#endOfFirst()) {
        if (stream.closed || stream.destroyed) return;
        const bytes = this.#rest.subarray(GRPC_HEADER_BYTES, end);
        this.#rest = this.#rest.subarray(end);
        each(this.#decode(bytes));
      }
    });
  }

  /** Reads no more, so that its window stays closed once it is full. */
  pause(): void {
    this.#stream.pause();
  }

  cancel(): void {
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #endOfFirst(): number | undefined {
    if (this.#rest.length < GRPC_HEADER_BYTES) return undefined;
    const end = GRPC_HEADER_BYTES + this.#rest.readUInt32BE(1);
    return end <= this.#rest.length ? end : undefined;
  }
}

/** Where a cursor stands. Only tests of the host itself may look into one. */
export function sequenceOf(cursor: string): bigint {
  return BigInt(cursor.slice(cursor.indexOf('.') + 1));
}

function statusOf(headers: IncomingHttpHeaders): ReadError {
  const metadata = Metadata.fromHttp2Headers(headers);
  const code = Number(headers['grpc-status']);
  return readError({ code, details: String(headers['grpc-message'] ?? ''), metadata } as ServiceError);
}
