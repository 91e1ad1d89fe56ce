/**
 * Log files of bounded size, `<name>.1.log`, `<name>.2.log` and so on, of which the newest are
 * kept. They hold the log of a Windows service, which has no standard output, and the audit if it
 * has its own folder.
 *
 * Invariant: files are never renamed, because Windows cannot rename a file that another program has
 * open (D-100). Each file has its number from the start, and an old file that cannot be deleted now
 * is deleted later.
 */
import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sink } from './output.js';

export interface LogFileLimits {
  /** No lines are added to a file of this size. */
  readonly fileBytesMax: number;
  readonly filesMax: number;
}

/** 80 MB in total: weeks of a busy host. */
const LIMITS: LogFileLimits = { fileBytesMax: 10 * 1024 * 1024, filesMax: 8 };

interface OpenFile {
  readonly handle: FileHandle;
  bytes: number;
}

/**
 * A sink for an Output. The event loop never waits for the disk. `failed` is called once per series
 * of failures.
 */
export class LogFiles implements Sink {
  readonly #folder: string;
  readonly #name: string;
  readonly #limits: LogFileLimits;
  readonly #failed: (error: Error) => void;
  #file: OpenFile | undefined;
  #hasFailed = false;
  /** The last write was incomplete, so the next one begins a new line. */
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

  /** Call this after the last write has ended. */
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

  /**
   * The newest file if it has room, otherwise a new one. Deletes files beyond the number that is
   * kept.
   */
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
    // If it is in use, the next call tries again.
    await rm(this.#pathOf(number), { force: true }).catch(() => {});
  }

  /** The numbers of existing files, newest first. */
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
