/**
 * The format of the journal on disk: files of frames, each with its length and a checksum (D-17).
 * Pure.
 *
 * A file begins with a frame of kind HEADER. Numbers are big-endian.
 *
 *     frame  = length of the body (u32) | CRC-32 of the body (u32) | CRC-32 of these 8 bytes (u32) | body
 *     body   = kind (u8) | sequence (u64) | time in ms since 1970 (f64) | length of the topic (u16) | topic | payload
 *
 * The length has a checksum of its own. Without it, a damaged length would look like a frame that
 * the process was writing when it died, and everything after it would be dropped silently.
 */
import { crc32 } from 'node:zlib';

/** What a frame holds. A number never gets another meaning. */
export const FrameKind = {
  /** The first frame of a file: JSON of `SegmentHeader`. `sequence` is that of the next event. */
  HEADER: 1,
  /** An event of the log, encoded as on the wire. */
  EVENT: 2,
  /** A session, by its id: JSON of what is kept of it beside its events. */
  SESSION: 3,
  /** The newest event of a session, repeated because the file that has it can be deleted. */
  LAST_EVENT: 4,
  /** A request id that was used, by its key: JSON of what it was used for. */
  REQUEST: 5,
  /** The checkpoint at the beginning of the file is complete: older files are not needed. */
  CHECKPOINT_END: 6,
  /** The process ended cleanly after writing everything before this frame. */
  CLEAN_END: 7,
  /** Why a session ended badly: JSON of the fault. Its event has only a part of it, and follows. */
  FAULT: 8,
} as const;

export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind];

export interface Frame {
  readonly kind: number;
  /** The sequence of the event; 0 if the frame has no event. */
  readonly sequence: number;
  /** On the wall clock of the host. */
  readonly timeMs: number;
  /** The id of the session or the key of the request; empty in other frames. */
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** How the frames of a file end. */
export type FileEnd =
  /** After a whole frame. */
  | 'WHOLE'
  /**
   * Within a frame: the process died while it wrote the frame, so its event was never published.
   */
  | 'TORN'
  /** The checksum of a frame is wrong. */
  | 'DAMAGED';

const PREFIX_BYTES = 12;
const HEAD_BYTES = 19;
/** Much larger than any event: a larger length is damage. */
const FRAME_BYTES_MAX = 16 << 20;

export function encodeFrame({ kind, sequence, timeMs, topic, payload }: Frame): Buffer {
  const topicBytes = Buffer.byteLength(topic);
  const length = HEAD_BYTES + topicBytes + payload.length;
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + length);
  const body = frame.subarray(PREFIX_BYTES);
  body.writeUInt8(kind, 0);
  body.writeBigUInt64BE(BigInt(sequence), 1);
  body.writeDoubleBE(timeMs, 9);
  body.writeUInt16BE(topicBytes, 17);
  body.write(topic, HEAD_BYTES);
  body.set(payload, HEAD_BYTES + topicBytes);
  frame.writeUInt32BE(length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8);
  return frame;
}

/**
 * The frames of a file that are wanted, up to the first one that is torn or damaged. The others are
 * only checked.
 */
export function decodeFrames(
  bytes: Buffer,
  isWanted: (kind: number) => boolean = () => true,
): { readonly frames: Frame[]; readonly end: FileEnd; readonly endsAt: number } {
  const frames: Frame[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = lengthAt(bytes, at);
    if (typeof length === 'string') return { frames, end: length, endsAt: at };
    const bodyAt = at + PREFIX_BYTES;
    const end = bodyAt + length;
    if (end > bytes.length) return { frames, end: 'TORN', endsAt: at };
    const payloadAt = bodyAt + HEAD_BYTES + bytes.readUInt16BE(bodyAt + 17);
    const isWhole = crc32(view(bytes, bodyAt, end)) === bytes.readUInt32BE(at + 4) && payloadAt <= end;
    if (!isWhole) return { frames, end: 'DAMAGED', endsAt: at };
    if (isWanted(bytes.readUInt8(bodyAt))) frames.push(new FrameInFile(bytes, bodyAt, end));
    at = end;
  }
  return { frames, end: 'WHOLE', endsAt: at };
}

/**
 * A frame that is read where it is. A start goes through all events of a full journal and drops
 * most of them, and values that were decoded for nothing would be a third of its time.
 */
class FrameInFile implements Frame {
  readonly #bytes: Buffer;
  readonly #at: number;
  readonly #end: number;

  constructor(bytes: Buffer, at: number, end: number) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  get kind(): number {
    return this.#bytes.readUInt8(this.#at);
  }

  get sequence(): number {
    return this.#bytes.readUInt32BE(this.#at + 1) * 2 ** 32 + this.#bytes.readUInt32BE(this.#at + 5);
  }

  get timeMs(): number {
    return this.#bytes.readDoubleBE(this.#at + 9);
  }

  get topic(): string {
    return textAt(this.#bytes, this.#at + HEAD_BYTES, this.#payloadAt);
  }

  /** A view of the file. */
  get payload(): Uint8Array {
    return view(this.#bytes, this.#payloadAt, this.#end);
  }

  get #payloadAt(): number {
    return this.#at + HEAD_BYTES + this.#bytes.readUInt16BE(this.#at + 17);
  }
}

/** The text that was read last. Most frames have the topic of the one before. */
let known = { bytes: Buffer.alloc(0), text: '' };

function textAt(bytes: Buffer, from: number, to: number): string {
  let isKnown = known.bytes.length === to - from;
  for (let i = 0; isKnown && i < known.bytes.length; i++) isKnown = known.bytes[i] === bytes[from + i];
  if (!isKnown) known = { bytes: Buffer.from(bytes.subarray(from, to)), text: bytes.toString('utf8', from, to) };
  return known.text;
}

/** Faster than `Buffer.subarray`. */
function view({ buffer, byteOffset }: Buffer, from: number, to: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + from, to - from);
}

/** The length of the body of the frame that begins at `at`, or why there is no such frame. */
function lengthAt(bytes: Buffer, at: number): number | FileEnd {
  if (bytes.length - at < PREFIX_BYTES) return 'TORN';
  const length = bytes.readUInt32BE(at);
  const isWhole = crc32OfPrefix(bytes, at) === bytes.readUInt32BE(at + 8);
  if (isWhole && length >= HEAD_BYTES && length <= FRAME_BYTES_MAX) return length;
  // After a power cut, a file can be longer than what was written. The rest is zeros.
  return bytes.subarray(at).every((byte) => byte === 0) ? 'TORN' : 'DAMAGED';
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc >>> 0;
});

/** The checksum of 8 bytes. For so few, a call of `zlib.crc32` takes several times as long. */
function crc32OfPrefix(bytes: Buffer, at: number): number {
  let crc = -1;
  for (let i = at; i < at + 8; i++) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ (bytes[i] ?? 0)) & 255] ?? 0);
  return ~crc >>> 0;
}
