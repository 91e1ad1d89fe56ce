/**
 * Lines kept in files of bounded size, `<name>.1.log`, `<name>.2.log` and so on, of which the newest are kept: the log of a
 * service, which has no standard output, and the audit where it has a folder of its own.
 *
 * Invariant: no file is ever renamed. Somebody may be reading it, and Windows lets nobody rename what another has open; so each
 * file has its number from the start, and an old one that can't be deleted now is deleted later.
 */
import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sink } from './output.js';

export interface LogFileLimits {
  /** A file that has reached this gets no further line. */
  readonly fileBytesMax: number;
  readonly filesMax: number;
}

/** 80 MB in all: weeks of a busy host, and nothing that a disk would notice. */
const LIMITS: LogFileLimits = { fileBytesMax: 10 * 1024 * 1024, filesMax: 8 };

interface OpenFile {
  readonly handle: FileHandle;
  bytes: number;
}

/** A sink for an Output. The event loop never waits for the disk. `failed` is told once of a run of failures. */
export class LogFiles implements Sink {
  readonly #folder: string;
  readonly #name: string;
  readonly #limits: LogFileLimits;
  readonly #failed: (error: Error) => void;
  #file: OpenFile | undefined;
  #hasFailed = false;
  /** The last write failed half way: what follows begins a new line. */
  #isTorn = false;
  isBusy = false;
  readonly holdsThread = true;

  constructor(folder: string, name: string, failed: (error: Error) => void, limits = LIMITS) {
    this.#folder = folder;
    this.#name = name;
    this.#failed = failed;
    this.#limits = limits;
  }

  write(text: string, ended: (error?: Error | null) => void): void {
    this.isBusy = true;
    this.#append(text).then(
      () => this.#ended(ended),
      (error: Error) => this.#ended(ended, error),
    );
  }

  /** After the last write has ended. */
  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.handle.close();
  }

  async #append(text: string): Promise<void> {
    if (this.#file === undefined || this.#file.bytes >= this.#limits.fileBytesMax) this.#file = await this.#next();
    const { handle } = this.#file;
    const bytes = Buffer.from(this.#isTorn ? `\n${text}` : text);
    try {
      await handle.appendFile(bytes);
      this.#file.bytes += bytes.length;
      this.#isTorn = false;
    } catch (error) {
      const { size } = await handle.stat();
      this.#isTorn ||= size > this.#file.bytes;
      this.#file.bytes = size;
      throw error;
    }
  }

  #ended(ended: (error?: Error | null) => void, error?: Error): void {
    if (error !== undefined && !this.#hasFailed) this.#failed(error);
    this.#hasFailed = error !== undefined;
    this.isBusy = false;
    ended(error);
  }

  /** The newest file where it has room, else a new one; and none beyond the number that is kept. */
  async #next(): Promise<OpenFile> {
    await this.close();
    await mkdir(this.#folder, { recursive: true });
    const numbers = await this.#numbers();
    const newest = numbers[0] ?? 1;
    const file = await this.#open(newest);
    if (file.bytes < this.#limits.fileBytesMax) return file;
    await file.handle.close();
    for (const number of numbers.slice(this.#limits.filesMax - 1)) await this.#delete(number);
    return this.#open(newest + 1);
  }

  async #open(number: number): Promise<OpenFile> {
    const handle = await open(this.#pathOf(number), 'a', 0o640);
    return { handle, bytes: (await handle.stat()).size };
  }

  async #delete(number: number): Promise<void> {
    // Where somebody reads it, it is among the old ones the next time too.
    await rm(this.#pathOf(number), { force: true }).catch(() => {});
  }

  /** The numbers of the files that are there, the newest first. */
  async #numbers(): Promise<number[]> {
    return (await readdir(this.#folder))
      .filter((file) => file.startsWith(`${this.#name}.`) && /\.[1-9]\d{0,8}\.log$/.test(file))
      .map((file) => Number(file.slice(this.#name.length + 1, -'.log'.length)))
      .filter(Number.isInteger)
      .sort((a, b) => b - a);
  }

  #pathOf(number: number): string {
    return join(this.#folder, `${this.#name}.${number}.log`);
  }
}
