/**
 * HTTP/2 frames as bytes (RFC 9113), and gRPC requests that are encoded once and sent many times.
 */

export const frameType = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
} as const;
export const frameFlag = { ack: 1, endStream: 1, endHeaders: 4, padded: 8 } as const;

export const FRAME_HEADER_BYTES = 9;
export const CONNECTION_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
/** The largest flow-control window there is. */
export const WINDOW_BYTES_MAX = 2 ** 31 - 1;
export const WINDOW_BYTES_DEFAULT = 65_535;

const setting = { enablePush: 2, initialWindowSize: 4 } as const;
const CANCEL = 8;

export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  return Buffer.concat([frameHeader(payload.length, type, flags, stream), payload]);
}

function frameHeader(length: number, type: number, flags: number, stream: number): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  bytes.writeUIntBE(length, 0, 3);
  bytes.writeUInt8(type, 3);
  bytes.writeUInt8(flags, 4);
  bytes.writeUInt32BE(stream, 5);
  return bytes;
}

/**
 * What a client begins with: no pushes, and windows so large that the client never holds the server
 * back.
 */
export function clientSettings(): Buffer {
  const settings = Buffer.alloc(12);
  settings.writeUInt16BE(setting.enablePush, 0);
  settings.writeUInt16BE(setting.initialWindowSize, 6);
  settings.writeUInt32BE(WINDOW_BYTES_MAX, 8);
  return frame(frameType.settings, 0, 0, settings);
}

export function windowUpdate(stream: number, bytes: number): Buffer {
  return frame(frameType.windowUpdate, 0, stream, uint32(bytes));
}

export function cancelStream(stream: number): Buffer {
  return frame(frameType.rstStream, 0, stream, uint32(CANCEL));
}

/** A gRPC request with one message, encoded: only the number of its stream is still missing. */
export class PreparedCall {
  readonly method: string;
  readonly #headers: Buffer;
  readonly #data: Buffer;

  /** @param path `/wifidirect.v1.SessionService/GetSession` */
  constructor(path: string, message: Uint8Array) {
    this.method = path.slice(path.lastIndexOf('/') + 1);
    this.#headers = Buffer.concat([
      // Whole entries of HPACK's static table (RFC 7541, appendix A): `:method: POST`, `:scheme:
      // http`.
      Buffer.of(0x83, 0x86),
      literal(Buffer.of(0x04), path),
      literal(Buffer.of(0x01), 'localhost'),
      literal(Buffer.of(0x0f, 0x10), 'application/grpc'),
      headers({ te: 'trailers' }),
    ]);
    const length = Buffer.alloc(5);
    length.writeUInt32BE(message.length, 1);
    this.#data = Buffer.concat([length, message]);
  }

  /** Its HEADERS and DATA frames, with `metadata` (see `headers`) among the headers. */
  onStream(stream: number, metadata: Buffer): Buffer {
    return Buffer.concat([
      frameHeader(this.#headers.length + metadata.length, frameType.headers, frameFlag.endHeaders, stream),
      this.#headers,
      metadata,
      frameHeader(this.#data.length, frameType.data, frameFlag.endStream, stream),
      this.#data,
    ]);
  }
}

/** Header fields as HPACK that is not to be remembered, names in lower case. */
export function headers(fields: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(
    Object.entries(fields).map(([name, value]) => literal(Buffer.concat([Buffer.of(0), text(name)]), value)),
  );
}

/** A header field that is not to be remembered, after the name (RFC 7541, 6.2.2). */
function literal(name: Buffer, value: string): Buffer {
  return Buffer.concat([name, text(value)]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const LONG = 127;
  if (bytes.length < LONG) return Buffer.concat([Buffer.of(bytes.length), bytes]);
  const length = [LONG];
  let rest = bytes.length - LONG;
  for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) | 128);
  return Buffer.concat([Buffer.of(...length, rest), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
