/**
 * Finds and reads the files of a journal. It never writes, so `wfdd journal` can read the folder of
 * a running daemon.
 *
 * The daemon begins a file when it starts, and another one whenever a file is full. A file is named
 * after the sequence of its first event. It begins with a checkpoint: all sessions and request ids
 * that are kept, so that the older files are not needed.
 */
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeFrames, type FileEnd, type Frame, FrameKind } from './frames.js';

/**
 * The version in the header of each file. A file of a higher version is refused and not changed.
 */
export const JOURNAL_VERSION = 1;

/** The content of the first frame of a file. */
export interface SegmentHeader {
  readonly version: number;
  /** The epoch of its events: 16 hexadecimal digits. */
  readonly epoch: string;
  /** Identifies one run of the machine, from its start to its end. */
  readonly bootId: string;
  readonly durability: 'PROCESS' | 'DISK';
  /** The key with which cursors are sealed, so that they can be used after a restart. */
  readonly cursorKey: string;
  /** Counts the files of a journal, because two files can begin at the same sequence. */
  readonly ordinal: number;
}

/** One file, without its contents. */
export interface SegmentFile {
  readonly name: string;
  readonly path: string;
  readonly firstSequence: number;
  readonly ordinal: number;
  readonly bytes: number;
}

/** One file, read. */
export interface Segment {
  readonly file: SegmentFile;
  /** Undefined if even the first frame is torn or damaged. */
  readonly header: SegmentHeader | undefined;
  /** All frames except the header. */
  readonly frames: readonly Frame[];
  readonly end: FileEnd;
  readonly endsAt: number;
}

/** The journal was written by a later version, which this one can't read. */
class JournalVersionError extends Error {
  override readonly name = 'JournalVersionError';
}

const NAME = /^([0-9]{16})-([0-9]{8})\.journal$/;

export function segmentName(firstSequence: number, ordinal: number): string {
  return `${String(firstSequence).padStart(16, '0')}-${String(ordinal).padStart(8, '0')}.journal`;
}

/** The files of a journal, oldest first. Empty if the folder does not exist. */
export async function listSegments(folder: string): Promise<SegmentFile[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const files = await Promise.all(
    names.map(async (name): Promise<SegmentFile[]> => {
      const match = NAME.exec(name);
      if (match === null) return [];
      const path = join(folder, name);
      const { size } = await stat(path);
      return [{ name, path, firstSequence: Number(match[1]), ordinal: Number(match[2]), bytes: size }];
    }),
  );
  return files.flat().sort((a, b) => a.ordinal - b.ordinal);
}

export async function readSegment(file: SegmentFile): Promise<Segment> {
  return toSegment(file, await readWhole(file));
}

/** `isWanted` says which kinds of frames are needed; headers always are. */
export function toSegment(file: SegmentFile, bytes: Buffer, isWanted?: (kind: number) => boolean): Segment {
  const { frames, end, endsAt } = decodeFrames(bytes, isWanted);
  const [first, ...rest] = frames;
  if (first === undefined) return { file, header: undefined, frames: [], end, endsAt };
  const header = first.kind === FrameKind.HEADER ? headerOf(first, file) : undefined;
  if (header === undefined) return { file, header, frames: [], end: 'DAMAGED', endsAt: 0 };
  return { file, header, frames: rest, end, endsAt };
}

/** Reads files in this order, each while the one before is being used. */
export async function* readAhead(files: readonly SegmentFile[]): AsyncGenerator<[SegmentFile, Buffer]> {
  let next: FileHandle | undefined;
  try {
    let reading: Promise<Buffer> = Promise.resolve(Buffer.alloc(0));
    for (const [index, file] of [...files, undefined].entries()) {
      const bytes = await reading;
      await next?.close();
      next = file && (await open(file.path, 'r'));
      // It begins in this turn, so it goes on while the event loop is busy with `bytes`.
      if (next !== undefined && file !== undefined) reading = readAll(next, file.bytes);
      reading.catch(() => {});
      const before = files[index - 1];
      if (before !== undefined) yield [before, bytes];
    }
  } finally {
    await next?.close();
  }
}

async function readWhole({ path, bytes }: SegmentFile): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    return await readAll(handle, bytes);
  } finally {
    await handle.close();
  }
}

/** In one piece: `readFile` goes back to the event loop after each half megabyte. */
async function readAll(handle: FileHandle, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await handle.read(bytes, length, size - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}

function headerOf({ payload }: Frame, file: SegmentFile): SegmentHeader {
  const header = JSON.parse(Buffer.from(payload).toString()) as SegmentHeader;
  if (header.version <= JOURNAL_VERSION) return header;
  throw new JournalVersionError(
    `${file.path} is a journal of version ${header.version}, but this wfdd can read only version ${JOURNAL_VERSION}. ` +
      'Run the wfdd that wrote it, or a later one, or set another journal.folder. Nothing was changed.',
  );
}

/** Parses a payload that is JSON. */
export function payloadOf(frame: Frame): unknown {
  return JSON.parse(Buffer.from(frame.payload).toString());
}
