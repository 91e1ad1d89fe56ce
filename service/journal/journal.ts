/**
 * The journal: an event log that outlives the process. Events, sessions and request ids are appended
 * to a file before anybody is told of them.
 *
 * Invariant: the event loop never waits for the disk. `append` only puts frames into a queue; one
 * write at a time takes all that is in it, so the events of one turn cost one write. `durable` says
 * how far it has come, and nothing after it may be told.
 *
 * A disk that fails stops nothing: the journal is `FAILED`, its owner goes on in memory under a new
 * epoch, and the journal begins a new file as soon as the disk lets it. A file whose write or flush
 * has failed is never written to again: what the system then says of it can't be relied on.
 */
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeFrame, type Frame, FrameKind } from './frames.js';
import { type History, type Restored, restore } from './restore.js';
import { JOURNAL_VERSION, type SegmentFile, type SegmentHeader, segmentName } from './segments.js';

export type Durability = 'PROCESS' | 'DISK';

export interface JournalSettings {
  readonly folder: string;
  /** `PROCESS`: written, so it survives the end of the process. `DISK`: flushed, so it survives a power cut. */
  readonly durability: Durability;
  /** All files together; the oldest are deleted beyond. */
  readonly bytesMax: number;
  /** A file is deleted when all of its events are older. */
  readonly ageMaxMs: number;
}

/** What the journal asks of those whose events it keeps. */
export interface JournalOwner {
  /** Where the log stands: what the next file begins with. */
  position(): { readonly epoch: string; readonly newest: number };
  /** What cursors are sealed with. */
  cursorKey(): string;
  /** All that is remembered now: frames of SESSION, LAST_EVENT and REQUEST. */
  checkpoint(): Iterable<Frame>;
  /** `durable` has grown. */
  onDurable(): void;
  /** Nothing is kept any more; what was not durable has to be told under another epoch. */
  onFailed(error: Error): void;
  /** The disk is back: from `position()` on all is kept. */
  onRecovered(): void;
}

export interface JournalStatus {
  readonly isWriting: boolean;
  readonly bytes: number;
  /** Writes so far, and the events in them. */
  readonly writes: number;
  readonly events: number;
  /** Events that are not durable yet. */
  readonly waiting: number;
  readonly lastWriteMs: number;
  readonly error: Error | undefined;
}

interface Entry {
  readonly bytes: Buffer;
  /** The newest event in it, 0 where there is none. */
  readonly sequence: number;
  readonly timeMs: number;
}

/** A file to begin, with the frames that it begins with. */
interface Rotation {
  readonly file: Omit<SegmentFile, 'bytes'>;
  readonly head: Buffer;
}

type Work = Entry | Rotation;

/** A file that is being written or was: what trimming needs to know of it. */
interface Kept extends SegmentFile {
  readonly newestMs: number;
}

const RETRY_MS = 5_000;
/** A folder holds eight files at least, so that trimming takes an eighth at most. */
const FILES_MIN = 8;
const FILE_BYTES_MAX = 8 << 20;
const DAMAGED_FOLDER = 'damaged';

export class Journal {
  readonly #settings: JournalSettings;
  readonly #bootId: string;
  readonly #owner: JournalOwner;
  readonly #files: Kept[];
  #ordinal: number;
  #handle: FileHandle | undefined;
  #queue: Work[] = [];
  #isPumping = false;
  #pumped: Promise<void> = Promise.resolve();
  /** Bytes that the newest file will have when the queue is written. */
  #plannedBytes = 0;
  #durable: number;
  #appended: number;
  #writes = 0;
  #events = 0;
  #lastWriteMs = 0;
  #error: Error | undefined;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** Make it with `openJournal`. */
  constructor(settings: JournalSettings, bootId: string, restored: Restored, owner: JournalOwner) {
    this.#settings = settings;
    this.#bootId = bootId;
    this.#owner = owner;
    this.#ordinal = restored.nextOrdinal;
    this.#files = restored.files
      .filter(({ name }) => !restored.damaged.some((damaged) => damaged.name === name))
      .map((file) => ({ ...file, newestMs: Date.now() }));
    this.#durable = restored.newest;
    this.#appended = restored.newest;
    this.#rotate(restored.newest + 1);
  }

  /** Every event up to this sequence is as durable as the settings say. */
  get durable(): number {
    return this.#durable;
  }

  get status(): JournalStatus {
    return {
      isWriting: this.#error === undefined && !this.#isClosed,
      bytes: this.#files.reduce((sum, { bytes }) => sum + bytes, 0),
      writes: this.#writes,
      events: this.#events,
      waiting: this.#appended - this.#durable,
      lastWriteMs: this.#lastWriteMs,
      error: this.#error,
    };
  }

  /**
   * Keeps frames, in this order and in one file; one of kind EVENT has the next sequence, and comes last. While the disk
   * fails, nothing is kept.
   */
  append(frames: readonly Frame[]): void {
    if (this.#error !== undefined || this.#isClosed) return;
    const bytes = Buffer.concat(frames.map(encodeFrame));
    const last = frames.at(-1);
    if (last === undefined) return;
    if (this.#plannedBytes + bytes.length > this.#fileBytesMax()) this.#rotate(this.#appended + 1);
    this.#plannedBytes += bytes.length;
    const sequence = last.kind === FrameKind.EVENT ? last.sequence : 0;
    if (sequence > 0) this.#appended = sequence;
    this.#queue.push({ bytes, sequence, timeMs: last.timeMs });
    this.#pump();
  }

  /** Writes what is left and the mark of a clean end. The journal is done with when it resolves. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.append([{ kind: FrameKind.CLEAN_END, sequence: 0, timeMs: Date.now(), topic: '', payload: new Uint8Array() }]);
    this.#isClosed = true;
    clearTimeout(this.#retry);
    await this.#pumped;
    await this.#handle?.datasync().catch(() => {});
    await this.#handle?.close().catch(() => {});
    this.#handle = undefined;
  }

  /** Begins a file with all that is remembered now. Its frames are made at once: later ones follow in the queue. */
  #rotate(firstSequence: number): void {
    const { epoch } = this.#owner.position();
    const ordinal = this.#ordinal++;
    const header: SegmentHeader = {
      version: JOURNAL_VERSION,
      epoch,
      bootId: this.#bootId,
      durability: this.#settings.durability,
      cursorKey: this.#owner.cursorKey(),
      ordinal,
    };
    const timeMs = Date.now();
    const mark = (kind: FrameKind, payload = '') =>
      encodeFrame({ kind, sequence: firstSequence, timeMs, topic: '', payload: Buffer.from(payload) });
    const head = Buffer.concat([
      mark(FrameKind.HEADER, JSON.stringify(header)),
      ...Array.from(this.#owner.checkpoint(), encodeFrame),
      mark(FrameKind.CHECKPOINT_END),
    ]);
    const name = segmentName(firstSequence, ordinal);
    const path = join(this.#settings.folder, name);
    // Only what comes after the head counts, or a large checkpoint would be followed by the next one.
    this.#plannedBytes = 0;
    this.#queue.push({ file: { name, path, firstSequence, ordinal }, head });
    this.#pump();
  }

  #fileBytesMax(): number {
    return Math.min(FILE_BYTES_MAX, this.#settings.bytesMax / FILES_MIN);
  }

  /** One write after another, each with all that has come meanwhile; the first one when this turn is over. */
  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    this.#pumped = Promise.resolve().then(async () => {
      try {
        while (this.#queue.length > 0 && this.#error === undefined) await this.#writeNext();
      } catch (error) {
        this.#fail(error instanceof Error ? error : new Error(String(error)));
      } finally {
        this.#isPumping = false;
      }
    });
  }

  async #writeNext(): Promise<void> {
    const [first] = this.#queue;
    if (first !== undefined && 'head' in first) {
      this.#queue.shift();
      await this.#begin(first);
      return;
    }
    const next = this.#queue.findIndex((work) => 'head' in work);
    const entries = this.#queue.splice(0, next === -1 ? this.#queue.length : next) as Entry[];
    await this.#write(
      Buffer.concat(entries.map(({ bytes }) => bytes)),
      entries.reduce((newest, { timeMs }) => Math.max(newest, timeMs), 0),
    );
    const last = entries.findLast(({ sequence }) => sequence > 0);
    if (last === undefined) return;
    this.#events += entries.filter(({ sequence }) => sequence > 0).length;
    this.#durable = last.sequence;
    this.#owner.onDurable();
  }

  async #begin({ file, head }: Rotation): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
    // Readable by this account alone, where the folder is not closed already.
    this.#handle = await open(file.path, 'wx', 0o600);
    this.#files.push({ ...file, bytes: 0, newestMs: 0 });
    await this.#write(head, Date.now());
    if (this.#settings.durability === 'DISK') await syncFolder(this.#settings.folder);
    await this.#trim();
  }

  async #write(bytes: Buffer, newestMs: number): Promise<void> {
    const began = performance.now();
    const handle = this.#handle;
    if (handle === undefined) throw new Error('the journal has no open file');
    for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten;
    if (this.#settings.durability === 'DISK') await handle.datasync();
    this.#writes += 1;
    this.#lastWriteMs = performance.now() - began;
    const file = this.#files.pop();
    if (file !== undefined) {
      this.#files.push({ ...file, bytes: file.bytes + bytes.length, newestMs: Math.max(file.newestMs, newestMs) });
    }
  }

  /** Deletes the oldest files beyond the bounds, never the one that is written to. */
  async #trim(): Promise<void> {
    const { bytesMax, ageMaxMs } = this.#settings;
    const horizonMs = Date.now() - ageMaxMs;
    let bytes = this.#files.reduce((sum, file) => sum + file.bytes, 0);
    while (this.#files.length > 1) {
      const [oldest] = this.#files;
      if (oldest === undefined || (bytes <= bytesMax && oldest.newestMs >= horizonMs)) return;
      await rm(oldest.path, { force: true });
      this.#files.shift();
      bytes -= oldest.bytes;
    }
  }

  #fail(error: Error): void {
    this.#error = error;
    this.#queue = [];
    void this.#handle?.close().catch(() => {});
    this.#handle = undefined;
    if (this.#isClosed) return;
    this.#owner.onFailed(error);
    this.#retry = setTimeout(() => void this.#recover(), RETRY_MS).unref();
  }

  /** Tries the disk with a new file. What comes while it is tried is in the file's head or follows it. */
  async #recover(): Promise<void> {
    this.#error = undefined;
    const { newest } = this.#owner.position();
    this.#durable = newest;
    this.#appended = newest;
    this.#rotate(newest + 1);
    await this.#pumped;
    if (this.#error === undefined) this.#owner.onRecovered();
  }
}

export interface JournalSources {
  /** Names this life of the machine. */
  readonly bootId: string;
  readonly history: History;
}

/** Reads the journal of a folder, which is made if it isn't there, and sets aside what is damaged. Begin it with `new Journal`. */
export async function openJournal(settings: JournalSettings, { bootId, history }: JournalSources): Promise<Restored> {
  await mkdir(settings.folder, { recursive: true, mode: 0o700 });
  const restored = await restore(settings.folder, bootId, history);
  if (restored.damaged.length > 0) {
    const aside = join(settings.folder, DAMAGED_FOLDER);
    await mkdir(aside, { recursive: true, mode: 0o700 });
    for (const { name, path } of restored.damaged) await rename(path, join(aside, name));
  }
  return restored;
}

/** So that the names of new files survive a power cut as well. Windows needs and knows no such thing. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
