/**
 * Files that are used anew when they have changed, with no restart.
 *
 * They are read again and again and compared by content: that needs no notification from the system, and sees a file that was
 * replaced, a link that was turned, and a volume that was mounted over. The rule that must not be broken: what cannot be used
 * leaves what was used before in force. So a half-written file locks nobody out; and to take everything back, write an empty
 * list rather than remove the file.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Log } from '../telemetry/log.js';

export interface WatchedFilesSettings<T> {
  /** What they are, for messages: `The ${what} ...` */
  readonly what: string;
  readonly files: readonly string[];
  /** Milliseconds between two looks; 0: never. */
  readonly intervalMs: number;
  /** Makes something of the contents. Throws an Error whose message holds none of them. */
  readonly load: (contents: readonly Buffer[]) => T;
  /** The files have changed and what was made of them is in force. */
  readonly changed?: (value: T) => void;
  /** The files have changed and can't be used. */
  readonly failed?: () => void;
}

/** The files can't be used as the daemon starts. */
export class UnusableFiles extends Error {}

export class WatchedFiles<T> {
  readonly #settings: WatchedFilesSettings<T>;
  readonly #log: Log;
  #current: T;
  /** Of what was read last, usable or not: the contents themselves, which may be secret, are not kept. */
  #digest: string;
  #problem = '';
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** Throws where the files can't be used. */
  constructor(settings: WatchedFilesSettings<T>, log: Log) {
    this.#settings = settings;
    this.#log = log;
    try {
      const contents = settings.files.map((file) => readFileSync(file));
      this.#digest = digestOf(contents);
      this.#current = settings.load(contents);
    } catch (error) {
      throw new UnusableFiles(`The ${settings.what} can't be used: ${(error as Error).message}`);
    }
    this.#wait();
  }

  get current(): T {
    return this.#current;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #wait(): void {
    const { intervalMs } = this.#settings;
    if (intervalMs === 0 || this.#isClosed) return;
    this.#timer = setTimeout(() => this.#look().then(() => this.#wait()), intervalMs);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const { what, files, load, changed, failed } = this.#settings;
    try {
      const contents = await Promise.all(files.map((file) => readFile(file)));
      const digest = digestOf(contents);
      if (digest !== this.#digest) {
        this.#digest = digest;
        this.#current = load(contents);
        this.#log.info('reloaded', `The ${what} have changed and are in force.`, { files });
        changed?.(this.#current);
      }
      this.#problem = '';
    } catch (error) {
      const { message } = error as Error;
      if (message === this.#problem) return;
      this.#problem = message;
      failed?.();
      this.#log.error(
        'reload-failed',
        `The changed ${what} can't be used; what was before stays in force. ${message}`,
        {
          files,
        },
      );
    }
  }
}

function digestOf(contents: readonly Buffer[]): string {
  const digest = createHash('sha256');
  for (const content of contents) digest.update(`${content.length}:`).update(content);
  return digest.digest('base64');
}
