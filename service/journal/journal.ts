/**
 * The journal: an event log that survives the process. Events, sessions and request ids are written
 * to a file before they are published.
 *
 * Invariant: the event loop never waits for the disk. `append` only adds frames to a queue. One
 * write at a time takes everything in the queue, so the events of one turn cost one write.
 * `durable` is the last event that has been written, and no later event may be published.
 *
 * If the disk fails, the service goes on. The owner of the journal continues in memory under a new
 * epoch (D-21), and the journal begins a new file as soon as the disk works again. A file whose
 * write or flush has failed is never written again, because later results for it can't be trusted.
 * A disk that does not answer in time has failed as well.
 */
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LATE, within } from '../deadline.js';
import { encodeFrame, type Frame, FrameKind } from './frames.js';
import { type History, type Restored, restore } from './restore.js';
import { JOURNAL_VERSION, type SegmentFile, type SegmentHeader, segmentName } from './segments.js';

export type Durability = 'PROCESS' | 'DISK';

export interface JournalSettings {
  readonly folder: string;
  /**
   * `PROCESS`: written, so it survives the process. `DISK`: flushed, so it survives a power cut.
   */
  readonly durability: Durability;
  /** The size of all files together. Beyond it, the oldest files are deleted. */
  readonly bytesMax: number;
  /** A file is deleted when all its events are older. */
  readonly ageMaxMs: number;
  /** A disk that takes longer for one piece of work has failed; 10 s if it is not given. */
  readonly answerMaxMs?: number;
}

/** The owner of the events that a journal keeps. */
export interface JournalOwner {
  /** The position of the log: the next file begins after it. */
  position(): { readonly epoch: string; readonly newest: number };
  /** The key with which cursors are sealed. */
  cursorKey(): string;
  /**
   * Everything that is kept beside the events: frames of SESSION, FAULT, LAST_EVENT and REQUEST.
   */
  checkpoint(): Iterable<Frame>;
  /** `durable` has grown. */
  onDurable(): void;
  /**
   * Nothing is kept any more. Events that are not durable must be published under another epoch.
   */
  onFailed(error: Error): void;
  /** The disk works again: everything after `position()` is kept. */
  onRecovered(): void;
}

export interface JournalStatus {
  readonly isWriting: boolean;
  readonly bytes: number;
  /** How many writes there were, and how many events in them. */
  readonly writes: number;
  readonly events: number;
  /** How many events are not durable yet. */
  readonly waiting: number;
  readonly lastWriteMs: number;
  readonly error: Error | undefined;
}

interface Entry {
  readonly bytes: Buffer;
  /** The sequence of its newest event; 0 if it has none. */
  readonly sequence: number;
  readonly timeMs: number;
}

/** A file to begin, and its first frames. */
interface Rotation {
  readonly file: Omit<SegmentFile, 'bytes'>;
  readonly head: Buffer;
}

type Work = Entry | Rotation;

/** A file that is or was written, with what trimming needs to know. */
interface Kept extends SegmentFile {
  readonly newestMs: number;
}

const RETRY_MS = 5_000;
const ANSWER_MAX_MS = 10_000;
/** Work that takes longer may never end, and `process.exit` would wait for it. */
const STUCK_MS = 500;
/** `bytesMax` is divided among at least this many files, so trimming removes an eighth at most. */
const FILES_MIN = 8;
const FILE_BYTES_MAX = 8 << 20;
const DAMAGED_FOLDER = 'damaged';

/** When each piece of work that is under way began. */
const underWay = new Set<{ readonly beganMs: number }>();

/** Whether a disk keeps a thread of this process. */
export function isDiskStuck(): boolean {
  const nowMs = performance.now();
  return [...underWay].some(({ beganMs }) => nowMs - beganMs > STUCK_MS);
}

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
  /** The size that the newest file will have when the queue has been written. */
  #plannedBytes = 0;
  #durable: number;
  #appended: number;
  #writes = 0;
  #events = 0;
  #lastWriteMs = 0;
  #error: Error | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** The work that the disk did not finish in time, until it ends. */
  #late: Promise<void> | undefined;
  #isClosed = false;

  /** `restored` is the result of `openJournal`. */
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
   * Keeps frames, in this order and in one file. A frame of kind EVENT must have the next sequence
   * and must be the last. While the disk fails, nothing is kept.
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

  /** Writes the rest of the queue and the mark of a clean end, then closes the file. */
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

  /**
   * Begins a file with a checkpoint. Its frames are made now, and later frames follow in the queue.
   */
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
    // The head does not count. Otherwise a large checkpoint would start the next file at once.
    this.#plannedBytes = 0;
    this.#queue.push({ file: { name, path, firstSequence, ordinal }, head });
    this.#pump();
  }

  #fileBytesMax(): number {
    return Math.min(FILE_BYTES_MAX, this.#settings.bytesMax / FILES_MIN);
  }

  /** Writes the queue, one write after another. The first one starts when this turn is over. */
  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    this.#pumped = Promise.resolve().then(async () => {
      try {
        while (this.#queue.length > 0 && this.#error === undefined) await this.#inTime(this.#writeNext());
      } catch (error) {
        this.#onWriteFailed(error instanceof Error ? error : new Error(String(error)));
      } finally {
        this.#isPumping = false;
      }
    });
  }

  /** Fails if the disk does not finish the work in time. What it does later has no effect. */
  async #inTime(work: Promise<void>): Promise<void> {
    const { answerMaxMs = ANSWER_MAX_MS } = this.#settings;
    const began = { beganMs: performance.now() };
    underWay.add(began);
    const ended = work.finally(() => underWay.delete(began));
    if ((await within(answerMaxMs, ended)) !== LATE) return;
    this.#late = ended
      .catch(() => {})
      .finally(() => {
        this.#late = undefined;
      });
    throw new Error(`the disk has not answered for ${answerMaxMs / 1000} s`);
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
    if (last === undefined || this.#error !== undefined) return;
    this.#events += entries.filter(({ sequence }) => sequence > 0).length;
    this.#durable = last.sequence;
    this.#owner.onDurable();
  }

  async #begin({ file, head }: Rotation): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
    // Only this account can read the file, even if others can enter the folder.
    const handle = await open(file.path, 'wx', 0o600);
    if (this.#error !== undefined) return handle.close();
    this.#handle = handle;
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

  /** Deletes the oldest files beyond the limits, but never the one that is being written. */
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

  #onWriteFailed(error: Error): void {
    this.#error = error;
    this.#queue = [];
    void this.#handle?.close().catch(() => {});
    this.#handle = undefined;
    if (this.#isClosed) return;
    this.#owner.onFailed(error);
    this.#setRetry();
  }

  #setRetry(): void {
    this.#retry = setTimeout(() => void this.#recover(), RETRY_MS).unref();
  }

  /** Tries a new file. Events that arrive meanwhile are in its checkpoint or follow it. */
  async #recover(): Promise<void> {
    // Each attempt holds a thread, so there is one at a time.
    if (this.#late !== undefined) return this.#setRetry();
    this.#error = undefined;
    const { newest } = this.#owner.position();
    this.#durable = newest;
    this.#appended = newest;
    this.#rotate(newest + 1);
    await this.#pumped;
    if (this.#error === undefined) this.#owner.onRecovered();
  }
}

interface JournalSources {
  /** Identifies this run of the machine. */
  readonly bootId: string;
  readonly history: History;
}

/**
 * Reads the journal in a folder, and moves damaged files aside. It creates the folder if there is
 * none. Continue with `new Journal`.
 */
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

/**
 * Makes the names of new files survive a power cut as well. Windows has no such call and needs
 * none.
 */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
