/**
 * The files of a journal: found, read and judged. Nothing is written here, so `wfdd journal` can read
 * beside a daemon that is at work.
 *
 * Each life of the daemon begins a file, and each file that is full is followed by another. A file is
 * named after the sequence of the first event that it can hold, and begins with all that is needed to
 * go on without the older ones: the sessions and request ids that are remembered.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeFrames, type FileEnd, type Frame, FrameKind } from './frames.js';

/** Written in the header of each file. A file of a higher version is refused, and left alone. */
export const JOURNAL_VERSION = 1;

/** What the first frame of a file says. */
export interface SegmentHeader {
  readonly version: number;
  /** 16 hexadecimal digits: the epoch of the events in it. */
  readonly epoch: string;
  /** Names one life of the machine, from its start to its end. */
  readonly bootId: string;
  readonly durability: 'PROCESS' | 'DISK';
  /** What cursors are sealed with, so that they can be used after a restart. */
  readonly cursorKey: string;
  /** Counts the files of a journal. Two of them can begin at the same sequence. */
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
  /** Undefined where even the first frame is torn or damaged. */
  readonly header: SegmentHeader | undefined;
  /** Without the header. */
  readonly frames: readonly Frame[];
  readonly end: FileEnd;
  readonly endsAt: number;
}

/** A journal that this version can't read. */
export class JournalVersionError extends Error {
  override readonly name = 'JournalVersionError';
}

const NAME = /^([0-9]{16})-([0-9]{8})\.journal$/;

export function segmentName(firstSequence: number, ordinal: number): string {
  return `${String(firstSequence).padStart(16, '0')}-${String(ordinal).padStart(8, '0')}.journal`;
}

/** The files of a journal, oldest first. None where the folder does not exist. */
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
  const { frames, end, endsAt } = decodeFrames(await readFile(file.path));
  const [first, ...rest] = frames;
  if (first === undefined) return { file, header: undefined, frames: [], end, endsAt };
  const header = first.kind === FrameKind.HEADER ? headerOf(first, file) : undefined;
  if (header === undefined) return { file, header, frames: [], end: 'DAMAGED', endsAt: 0 };
  return { file, header, frames: rest, end, endsAt };
}

function headerOf({ payload }: Frame, file: SegmentFile): SegmentHeader {
  const header = JSON.parse(Buffer.from(payload).toString()) as SegmentHeader;
  if (header.version <= JOURNAL_VERSION) return header;
  throw new JournalVersionError(
    `${file.path} is a journal of version ${header.version}, and this wfdd knows version ${JOURNAL_VERSION}. ` +
      'Run the wfdd that wrote it or a later one, or give another journal.folder; nothing was changed.',
  );
}

/** A payload that is JSON. */
export function payloadOf(frame: Frame): unknown {
  return JSON.parse(Buffer.from(frame.payload).toString());
}
