/**
 * How the journal lies on disk: files of frames, each frame with its length and a checksum. Pure.
 *
 * A file begins with a frame of kind HEADER. Numbers are big-endian, as in the names of the files.
 *
 *     frame  = length of the body (u32) | CRC-32 of the body (u32) | CRC-32 of these 8 bytes (u32) | body
 *     body   = kind (u8) | sequence (u64) | time in ms since 1970 (f64) | length of the topic (u16) | topic | payload
 *
 * The length has a checksum of its own: without it, a length that was damaged would look like a frame
 * that the process was writing when it died, and what follows would be dropped without a word.
 */
import { crc32 } from 'node:zlib';

/** What a frame holds. Numbers are never given a second meaning. */
export const FrameKind = {
  /** The first of a file: JSON of `SegmentHeader`. `sequence` is that of the first event to come. */
  HEADER: 1,
  /** An event of the log, as it goes over the wire. */
  EVENT: 2,
  /** A session that is remembered, by its id: JSON of what is remembered beside its events. */
  SESSION: 3,
  /** The newest event of a session that is remembered, repeated because older files may be gone. */
  LAST_EVENT: 4,
  /** A request id that was used, by its key: JSON of what it was used for. */
  REQUEST: 5,
  /** All frames that a file begins with, to go on without the older ones, are there. */
  CHECKPOINT_END: 6,
  /** The process ended in good order after all that comes before. */
  CLEAN_END: 7,
  /** Why a session ended badly: JSON of the fault, of which the event has only a part. Comes before the event. */
  FAULT: 8,
} as const;

export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind];

export interface Frame {
  readonly kind: number;
  /** Of the event; 0 for what is none. */
  readonly sequence: number;
  /** By the clock of the host. */
  readonly timeMs: number;
  /** What the frame is about: the id of a session, the key of a request; empty in the others. */
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** Why the frames of a file end where they do. */
export type FileEnd =
  /** After a whole frame. */
  | 'WHOLE'
  /** Within a frame: the process died while it wrote it, so nobody was told of it. */
  | 'TORN'
  /** A frame does not have the checksum that it had when it was written. */
  | 'DAMAGED';

const PREFIX_BYTES = 12;
const HEAD_BYTES = 19;
/** Far more than an event can have: a larger length is damage. */
export const FRAME_BYTES_MAX = 16 << 20;

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

/** The frames of a file, up to the first that is torn or damaged. Payloads are views of `bytes`. */
export function decodeFrames(bytes: Buffer): {
  readonly frames: Frame[];
  readonly end: FileEnd;
  readonly endsAt: number;
} {
  const frames: Frame[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = lengthAt(bytes, at);
    if (typeof length === 'string') return { frames, end: length, endsAt: at };
    const body = bytes.subarray(at + PREFIX_BYTES, at + PREFIX_BYTES + length);
    if (body.length < length) return { frames, end: 'TORN', endsAt: at };
    if (crc32(body) !== bytes.readUInt32BE(at + 4)) return { frames, end: 'DAMAGED', endsAt: at };
    const payloadAt = HEAD_BYTES + body.readUInt16BE(17);
    if (payloadAt > length) return { frames, end: 'DAMAGED', endsAt: at };
    frames.push({
      kind: body.readUInt8(0),
      sequence: Number(body.readBigUInt64BE(1)),
      timeMs: body.readDoubleBE(9),
      topic: body.toString('utf8', HEAD_BYTES, payloadAt),
      payload: body.subarray(payloadAt),
    });
    at += PREFIX_BYTES + length;
  }
  return { frames, end: 'WHOLE', endsAt: at };
}

/** The length of the body of the frame that begins here, or why there is none. */
function lengthAt(bytes: Buffer, at: number): number | FileEnd {
  if (bytes.length - at < PREFIX_BYTES) return 'TORN';
  const length = bytes.readUInt32BE(at);
  const isWhole = crc32(bytes.subarray(at, at + 8)) === bytes.readUInt32BE(at + 8);
  if (isWhole && length >= HEAD_BYTES && length <= FRAME_BYTES_MAX) return length;
  // After a power cut a file can be longer than what was written, and is then filled up with zeros.
  return bytes.subarray(at).every((byte) => byte === 0) ? 'TORN' : 'DAMAGED';
}
