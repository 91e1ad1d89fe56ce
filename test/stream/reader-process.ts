/** The program `reader.ts` as a process that a test may freeze, thaw and kill. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('reader.js', import.meta.url));

interface ReaderSettings {
  readonly sessionId: string;
  readonly deviceAddress: string;
  readonly watches: number;
}

export class ReaderProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #said = new Set<string>();
  #heard = () => {};

  private constructor(address: string, { sessionId, deviceAddress, watches }: ReaderSettings) {
    const args = [program, address, sessionId, deviceAddress, String(watches)];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    process.once('exit', this.#killAtExit);
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#said.add(line);
      this.#heard();
    });
  }

  /** Resolves when its session is being opened and its watches stand. */
  static async start(address: string, settings: ReaderSettings): Promise<ReaderProcess> {
    const reader = new ReaderProcess(address, settings);
    await reader.#says('ready');
    return reader;
  }

  /**
   * Not a line of it runs any more; the system still takes bytes for it, until its buffers are
   * full.
   */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
    process.removeListener('exit', this.#killAtExit);
  }

  /** Resolves when it has got every event up to this cursor, each once and in order. */
  async reached(cursor: string): Promise<void> {
    this.#child.stdin?.write(`${cursor}\n`);
    await this.#says(`reached ${cursor}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  readonly #killAtExit = () => this.#child.kill('SIGKILL');

  async #says(line: string): Promise<void> {
    const exited = once(this.#child, 'exit').then(() => {
      throw new Error(`the reader ended before it said "${line}"`);
    });
    exited.catch(() => {});
    while (!this.#said.has(line)) {
      await Promise.race([
        exited,
        new Promise<void>((resolve) => {
          this.#heard = resolve;
        }),
      ]);
    }
  }
}
