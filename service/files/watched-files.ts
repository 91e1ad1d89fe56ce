/**
 * Files that are reloaded when they change, without a restart (D-53).
 *
 * They are read periodically and compared by content. That needs no notifications from the system,
 * and also detects replaced files, changed links and new mounts.
 *
 * Invariant: a file that cannot be used leaves the previous content in effect. A half-written file
 * locks nobody out. To revoke everything, write an empty list instead of deleting the file.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Log } from '../telemetry/log.js';

interface WatchedFilesSettings<T> {
  /** What the files contain, for messages: `The ${what} ...` */
  readonly what: string;
  readonly files: readonly string[];
  /** Milliseconds between two reads; 0: never. */
  readonly intervalMs: number;
  /** Parses the contents. Throws an Error that does not quote them. */
  readonly load: (contents: readonly Buffer[]) => T;
  /** Is called after the files have changed and were loaded. */
  readonly onChanged?: (value: T) => void;
  /** Is called after the files have changed and cannot be used. */
  readonly onFailed?: () => void;
}

/** The files cannot be used at startup. */
export class UnusableFiles extends Error {}

export class WatchedFiles<T> {
  readonly #settings: WatchedFilesSettings<T>;
  readonly #log: Log;
  #current: T;
  /**
   * The digest of the last content, usable or not. The content itself is not kept, because it may
   * be secret.
   */
  #digest: string;
  #problem = '';
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** Throws UnusableFiles if the files cannot be used. */
  constructor(settings: WatchedFilesSettings<T>, log: Log) {
    this.#settings = settings;
    this.#log = log;
    try {
      const contents = settings.files.map((file) => readFileSync(file));
      this.#digest = digestOf(contents);
      this.#current = settings.load(contents);
    } catch (error) {
      throw new UnusableFiles(`The ${settings.what} cannot be used: ${(error as Error).message}`);
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
    const { what, files, load, onChanged, onFailed } = this.#settings;
    try {
      const contents = await Promise.all(files.map((file) => readFile(file)));
      const digest = digestOf(contents);
      if (digest !== this.#digest) {
        this.#digest = digest;
        this.#current = load(contents);
        this.#log.info('reloaded', `Reloaded the ${what}.`, { files });
        onChanged?.(this.#current);
      }
      this.#problem = '';
    } catch (error) {
      const { message } = error as Error;
      if (message === this.#problem) return;
      this.#problem = message;
      onFailed?.();
      this.#log.error(
        'reload-failed',
        `The changed ${what} cannot be used, so the previous content stays in effect. ${message}`,
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
