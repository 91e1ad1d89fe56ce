/**
 * The log of a service, which has no standard output: files of bounded size, `<name>.1.log`, `<name>.2.log` and so on, of which the
 * newest are kept.
 *
 * The rule that must not be broken: no file is ever renamed. Somebody may be reading it, and Windows lets nobody rename what another
 * has open; so each file has its number from the start, and an old one that can't be deleted now is deleted later.
 */
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export interface LogFileLimits {
  /** A file that has reached this gets no further line. */
  readonly fileBytesMax: number;
  readonly filesMax: number;
}

/** 80 MB in all: weeks of a busy host, and nothing that a disk would notice. */
const LIMITS: LogFileLimits = { fileBytesMax: 10 * 1024 * 1024, filesMax: 8 };

/** A destination for createLog(). A line is in the file when write() returns; one that can't be written is dropped, and `failed` told once. */
export class LogFile {
  readonly #folder: string;
  readonly #name: string;
  readonly #limits: LogFileLimits;
  readonly #failed: (error: Error) => void;
  #file: { readonly descriptor: number; bytes: number } | undefined;
  #hasFailed = false;

  constructor(folder: string, name: string, failed: (error: Error) => void, limits = LIMITS) {
    this.#folder = folder;
    this.#name = name;
    this.#failed = failed;
    this.#limits = limits;
  }

  write(line: string): void {
    try {
      if (this.#file === undefined || this.#file.bytes >= this.#limits.fileBytesMax) this.#file = this.#next();
      this.#file.bytes += writeSync(this.#file.descriptor, line);
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed) this.#failed(error as Error);
      this.#hasFailed = true;
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file.descriptor);
    this.#file = undefined;
  }

  /** The newest file where it has room, else a new one; and none beyond the number that is kept. */
  #next(): { descriptor: number; bytes: number } {
    this.close();
    mkdirSync(this.#folder, { recursive: true });
    const numbers = this.#numbers();
    const newest = numbers[0] ?? 1;
    const file = this.#open(newest);
    if (file.bytes < this.#limits.fileBytesMax) return file;
    closeSync(file.descriptor);
    for (const number of numbers.slice(this.#limits.filesMax - 1)) this.#delete(number);
    return this.#open(newest + 1);
  }

  #open(number: number): { descriptor: number; bytes: number } {
    const descriptor = openSync(this.#pathOf(number), 'a');
    return { descriptor, bytes: fstatSync(descriptor).size };
  }

  #delete(number: number): void {
    try {
      rmSync(this.#pathOf(number), { force: true });
    } catch {
      // Somebody reads it; it is among the old ones the next time too.
    }
  }

  /** The numbers of the files that are there, the newest first. */
  #numbers(): number[] {
    return readdirSync(this.#folder)
      .filter((file) => file.startsWith(`${this.#name}.`) && /\.[1-9]\d{0,8}\.log$/.test(file))
      .map((file) => Number(file.slice(this.#name.length + 1, -'.log'.length)))
      .filter(Number.isInteger)
      .sort((a, b) => b - a);
  }

  #pathOf(number: number): string {
    return join(this.#folder, `${this.#name}.${number}.log`);
  }
}
