/**
 * One line on stderr while the command waits: for what, and how long already. It disappears before
 * anything else is written.
 */
import { formatAge } from '../text/duration.js';
import { printable, widthOf } from '../text/printable.js';
import type { Sink } from './sink.js';

const FRAMES = ['|', '/', '-', '\\'];
const FRAME_MS = 100;
/** A shorter wait shows no line, because it would only flicker. */
const DELAY_MS = 300;
const CLEAR_LINE = '\r\x1b[K';

export class Progress {
  readonly #terminal: Sink | undefined;
  #what: string | undefined;
  #startedMs = 0;
  #isShown = false;
  #timer: NodeJS.Timeout | undefined;

  /** Shows nothing if there is no terminal. */
  constructor(terminal: Sink | undefined) {
    this.#terminal = terminal;
  }

  /** Shows this from now on, instead of what it showed before. */
  begin(what: string): void {
    if (this.#terminal === undefined) return;
    this.#what = printable(what);
    this.#startedMs = performance.now();
    this.#timer ??= setInterval(() => this.#draw(), FRAME_MS).unref();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#what = undefined;
    this.hide();
  }

  /** Clears the line for other output. It comes back with the next frame. */
  hide(): void {
    if (this.#isShown) this.#terminal?.write(CLEAR_LINE);
    this.#isShown = false;
  }

  #draw(): void {
    const ms = performance.now() - this.#startedMs;
    if (this.#terminal === undefined || this.#what === undefined || ms < DELAY_MS) return;
    const frame = FRAMES[Math.floor(ms / FRAME_MS) % FRAMES.length];
    const line = `${frame} ${this.#what} (${formatAge(ms)})`;
    // A line that wraps can't be cleared.
    if (widthOf(line) < (this.#terminal.columns ?? 80)) this.#terminal.write(`${CLEAR_LINE}${line}`);
    this.#isShown = true;
  }
}
