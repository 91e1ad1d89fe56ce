/**
 * One client connection that costs next to nothing: HTTP/2 by hand over a socket, with prepared
 * requests, so that the server is the limit and not its client. (A grpc-js client makes a third of
 * the calls that a grpc-js server answers.)
 *
 * It does not read response headers: a call that was answered has a message, one that failed has
 * none.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import {
  CONNECTION_PREFACE,
  cancelStream,
  clientSettings,
  FRAME_HEADER_BYTES,
  frame,
  frameFlag,
  frameType,
  headers,
  type PreparedCall,
  WINDOW_BYTES_DEFAULT,
  WINDOW_BYTES_MAX,
  windowUpdate,
} from './frames.js';

/**
 * What hears of one call. Messages are views into the bytes received: good only until `message`
 * returns.
 */
interface Listener {
  message(bytes: Buffer): void;
  /** The server has ended the stream, well or not. */
  end(): void;
}

/** How a server is reached, beyond its address. */
export interface Reach {
  readonly tls?: ConnectionOptions;
  /** Goes with every call; names in lower case. */
  readonly metadata?: Readonly<Record<string, string>>;
}

interface Stream {
  readonly listener: Listener;
  /**
   * What has come of a message that is not whole yet; put together once, when `wantedBytes` are
   * there.
   */
  parts: Buffer[];
  partBytes: number;
  wantedBytes: number;
}

const GRPC_HEADER_BYTES = 5;
const WINDOW_RENEWED_AT_BYTES = 2 ** 30;

export class Connection {
  readonly #socket: Socket;
  readonly #metadata: Buffer;
  readonly #streams = new Map<number, Stream>();
  readonly #ready: Promise<void>;
  #isReady = () => {};
  #nextStream = 1;
  #rest: Buffer | undefined;
  #unacknowledgedBytes = 0;

  private constructor(socket: Socket, metadata: Buffer) {
    this.#socket = socket;
    this.#metadata = metadata;
    this.#ready = new Promise((resolve) => {
      this.#isReady = resolve;
    });
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('close', () => {
      for (const { listener } of this.#streams.values()) listener.end();
      this.#streams.clear();
    });
    socket.write(
      Buffer.concat([CONNECTION_PREFACE, clientSettings(), windowUpdate(0, WINDOW_BYTES_MAX - WINDOW_BYTES_DEFAULT)]),
    );
  }

  /** @param address `host:port` */
  static async open(address: string, { tls, metadata = {} }: Reach = {}): Promise<Connection> {
    const { hostname: host, port } = new URL(`http://${address}`);
    const where = { host, port: Number(port) };
    const socket = tls === undefined ? connect(where) : connectTls({ ...where, ...tls, ALPNProtocols: ['h2'] });
    await once(socket, tls === undefined ? 'connect' : 'secureConnect');
    const connection = new Connection(socket, headers(metadata));
    await connection.#ready;
    return connection;
  }

  /** Sends a call; the answer is what cancels it. */
  start(call: PreparedCall, listener: Listener): () => void {
    const id = this.#nextStream;
    this.#nextStream += 2;
    this.#streams.set(id, { listener, parts: [], partBytes: 0, wantedBytes: GRPC_HEADER_BYTES });
    this.#socket.write(call.onStream(id, this.#metadata));
    return () => {
      if (this.#streams.delete(id)) this.#socket.write(cancelStream(id));
    };
  }

  /** The one message that a unary call is answered with. */
  async answer(call: PreparedCall): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      let answer: Buffer | undefined;
      this.start(call, {
        message: (bytes) => {
          answer = Buffer.from(bytes);
        },
        end: () => (answer === undefined ? reject(new Error(`${call.method} failed`)) : resolve(answer)),
      });
    });
  }

  async close(): Promise<void> {
    if (this.#socket.closed) return;
    this.#socket.destroy();
    await once(this.#socket, 'close');
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    // What the listeners send meanwhile goes out as one.
    this.#socket.cork();
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const end = at + FRAME_HEADER_BYTES + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      this.#frame(
        bytes.readUInt8(at + 3),
        bytes.readUInt8(at + 4),
        bytes.readUInt32BE(at + 5),
        bytes.subarray(at + FRAME_HEADER_BYTES, end),
      );
      at = end;
    }
    this.#rest = at === bytes.length ? undefined : bytes.subarray(at);
    this.#socket.uncork();
  }

  #frame(type: number, flags: number, id: number, payload: Buffer): void {
    if (type === frameType.data) this.#data(id, flags, payload);
    else if (type === frameType.headers) this.#endIf((flags & frameFlag.endStream) !== 0, id);
    else if (type === frameType.rstStream) this.#endIf(true, id);
    else if (type === frameType.settings && (flags & frameFlag.ack) === 0) {
      this.#socket.write(frame(frameType.settings, frameFlag.ack, 0, Buffer.of()));
      this.#isReady();
    } else if (type === frameType.ping && (flags & frameFlag.ack) === 0) {
      this.#socket.write(frame(frameType.ping, frameFlag.ack, 0, payload));
    }
  }

  #data(id: number, flags: number, payload: Buffer): void {
    if ((flags & frameFlag.padded) !== 0) throw new Error('padded frames are not expected of these servers');
    this.#unacknowledgedBytes += payload.length;
    if (this.#unacknowledgedBytes > WINDOW_RENEWED_AT_BYTES) {
      this.#socket.write(windowUpdate(0, this.#unacknowledgedBytes));
      this.#unacknowledgedBytes = 0;
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    if (stream.parts.length === 0) this.#messages(stream, payload);
    else if (stream.partBytes + payload.length < stream.wantedBytes) keep(stream, payload);
    else {
      const bytes = Buffer.concat([...stream.parts, payload]);
      stream.parts = [];
      stream.partBytes = 0;
      this.#messages(stream, bytes);
    }
    this.#endIf((flags & frameFlag.endStream) !== 0, id);
  }

  /** Hands on the messages that are whole, and keeps the beginning of the next. */
  #messages(stream: Stream, bytes: Buffer): void {
    let at = 0;
    while (bytes.length - at >= GRPC_HEADER_BYTES) {
      const end = at + GRPC_HEADER_BYTES + bytes.readUInt32BE(at + 1);
      stream.wantedBytes = end - at;
      if (end > bytes.length) break;
      stream.listener.message(bytes.subarray(at + GRPC_HEADER_BYTES, end));
      stream.wantedBytes = GRPC_HEADER_BYTES;
      at = end;
    }
    if (at < bytes.length) keep(stream, bytes.subarray(at));
  }

  #endIf(isEnd: boolean, id: number): void {
    if (!isEnd) return;
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    stream?.listener.end();
  }
}

/** As a copy, since what the socket received is not to be kept for the sake of a few bytes. */
function keep(stream: Stream, bytes: Buffer): void {
  stream.parts.push(Buffer.from(bytes));
  stream.partBytes += bytes.length;
}
