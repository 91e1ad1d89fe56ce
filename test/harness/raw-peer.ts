/**
 * A peer that speaks HTTP/2 by the byte over a socket, well or badly: it sends whatever it is told
 * to, and keeps the frames that it is answered with.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, TLSSocket } from 'node:tls';
import { CONNECTION_PREFACE, FRAME_HEADER_BYTES, frame, frameFlag, frameType } from '../bench/load/frames.js';

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export interface PeerOptions {
  /** Whence it comes: on Linux any of 127.0.0.0/8. */
  readonly localAddress?: string;
  readonly tls?: ConnectionOptions;
}

export class RawPeer {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  /**
   * What came that was not HTTP/2, or all that came where the peer did not begin with the preface.
   */
  text = '';
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;
  readonly #waiting = new Set<() => void>();
  #rest: Buffer = Buffer.alloc(0);
  readonly #isHttp2: boolean;
  #isAlive = false;

  private constructor(socket: Socket, isHttp2: boolean) {
    this.socket = socket;
    this.#isHttp2 = isHttp2;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.once('close', () => this.#wake());
  }

  /** @param address `host:port`. Says nothing yet. */
  static async connect(address: string, { localAddress, tls }: PeerOptions = {}, isHttp2 = false): Promise<RawPeer> {
    const { hostname: host, port } = new URL(`http://${address}`);
    const where = { host, port: Number(port), ...(localAddress !== undefined && { localAddress }) };
    const socket = tls === undefined ? connect(where) : connectTls({ ...where, ...tls });
    const peer = new RawPeer(socket, isHttp2);
    await Promise.race([once(socket, tls === undefined ? 'connect' : 'secureConnect').catch(() => {}), peer.closed]);
    return peer;
  }

  /** Has begun as a good client does. */
  static async greet(address: string, options: PeerOptions = {}): Promise<RawPeer> {
    const peer = await RawPeer.connect(address, options, true);
    await peer.send(CONNECTION_PREFACE, frame(frameType.settings, 0, 0, Buffer.alloc(0)));
    await peer.frame(({ type }) => type === frameType.settings);
    await peer.send(frame(frameType.settings, frameFlag.ack, 0, Buffer.alloc(0)));
    return peer;
  }

  /** From now on it answers the PINGs of the server, as who does not is taken for dead. */
  stayAlive(): void {
    this.#isAlive = true;
  }

  get isClosed(): boolean {
    return this.socket.destroyed;
  }

  /** Resolves when the system has taken the bytes, or the connection is gone. */
  async send(...parts: readonly Uint8Array[]): Promise<void> {
    if (this.isClosed) return;
    await new Promise<void>((resolve) => {
      this.socket.write(Buffer.concat(parts), () => resolve());
    });
  }

  /** The first frame, past or to come, that is so; undefined where the connection ends before. */
  async frame(isSo: (frame: Frame) => boolean): Promise<Frame | undefined> {
    for (;;) {
      const found = this.frames.find(isSo);
      if (found !== undefined || this.isClosed) return found;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** The error code of the GOAWAY that came; undefined where none did. */
  get goAwayCode(): number | undefined {
    return this.frames.findLast(({ type }) => type === frameType.goAway)?.payload.readUInt32BE(4);
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Ends it as a program does that has crashed: with a TCP reset, where there is no TLS. */
  reset(): void {
    if (this.socket instanceof TLSSocket) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  #read(chunk: Buffer): void {
    if (this.#isHttp2) this.#readFrames(Buffer.concat([this.#rest, chunk]));
    else this.text += chunk.toString('latin1');
    this.#wake();
  }

  #readFrames(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length >= FRAME_HEADER_BYTES) {
      const end = FRAME_HEADER_BYTES + rest.readUIntBE(0, 3);
      if (rest.length < end) break;
      const [type, flags, stream] = [rest.readUInt8(3), rest.readUInt8(4), rest.readUInt32BE(5)];
      // What an attack is answered with in thousands is not worth keeping.
      const isAck = flags === frameFlag.ack && (type === frameType.settings || type === frameType.ping);
      const payload = Buffer.from(rest.subarray(FRAME_HEADER_BYTES, end));
      if (!isAck) this.frames.push({ type, flags, stream, payload });
      if (this.#isAlive && !isAck && type === frameType.ping) void this.send(frame(type, frameFlag.ack, 0, payload));
      rest = rest.subarray(end);
    }
    this.#rest = Buffer.from(rest);
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
