/**
 * `wfdctl` run in this process, on streams that remember, so that a test can read them, wait for
 * them, and press Ctrl+C.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import type { Environment } from '../../clients/ctl/src/invocation.js';
import { run } from '../../clients/ctl/src/run.js';

export const packageFolder = pathToFileURL('clients/ctl/');

interface Around {
  readonly environment?: Readonly<Record<string, string>>;
  /** Both streams are a terminal of so many columns. */
  readonly columns?: number;
  readonly platform?: NodeJS.Platform;
  readonly workingFolder?: string;
}

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

class Stream {
  text = '';
  readonly isTTY: boolean;
  readonly columns: number;
  readonly #waiting = new Set<() => void>();

  constructor(columns: number | undefined) {
    this.isTTY = columns !== undefined;
    this.columns = columns ?? 80;
  }

  write(text: string): void {
    this.text += text;
    for (const look of this.#waiting) look();
  }

  /** What it is found to say, already or in time. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.text);
      if (found !== null) return found;
      await new Promise<void>((resolve) => {
        const look = (): void => {
          this.#waiting.delete(look);
          resolve();
        };
        this.#waiting.add(look);
      });
    }
  }
}

export class Running {
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly ended: Promise<Ended>;
  /** Resolves when Ctrl+C is listened to; before, it would end the process. */
  readonly listening: Promise<void>;
  readonly #listeners = new Set<() => void>();

  constructor(argv: readonly string[], { environment = {}, columns, platform = 'linux', workingFolder = '/' }: Around) {
    let listen = (): void => {};
    this.listening = new Promise((resolve) => {
      listen = resolve;
    });
    this.stdout = new Stream(columns);
    this.stderr = new Stream(columns);
    const runEnvironment: Environment = {
      stdout: this.stdout,
      stderr: this.stderr,
      variables: environment,
      platform,
      homeFolder: '/nobody',
      workingFolder,
      packageFolder,
      onInterrupt: (listener) => {
        this.#listeners.add(listener);
        listen();
        return () => this.#listeners.delete(listener);
      },
    };
    this.ended = run(argv, runEnvironment).then((code) => ({
      code,
      stdout: this.stdout.text,
      stderr: this.stderr.text,
    }));
  }

  pressCtrlC(): void {
    for (const listener of this.#listeners) listener();
  }
}

export function start(argv: readonly string[], around: Around = {}): Running {
  return new Running(argv, around);
}

export function wfdctl(argv: readonly string[], around: Around = {}): Promise<Ended> {
  return start(argv, around).ended;
}

/** Without colour, and without what clears the line of progress. */
export function uncoloured(text: string): string {
  return stripVTControlCharacters(text).replaceAll('\r', '');
}

/** The documents of a stream of JSON. */
export function lines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** A folder for one test. */
export class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'wfdctl-'));

  file(name: string): string {
    return join(this.path, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
