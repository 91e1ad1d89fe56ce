/**
 * One line on the terminal while something is pending: what, and for how long. It is on stderr, so that stdout stays what was
 * asked for, and it is gone when anything else is written.
 */
import { formatAge } from '../text/duration.js';
import { printable, widthOf } from '../text/printable.js';
import type { Sink } from './sink.js';

const FRAMES = ['|', '/', '-', '\\'];
const FRAME_MS = 100;
/** What is done sooner needs no line that flickers. */
const QUIET_MS = 300;
const CLEAR_LINE = '\r\x1b[K';

export class Progress {
  readonly #terminal: Sink | undefined;
  #what: string | undefined;
  #startedMs = 0;
  #isShown = false;
  #timer: NodeJS.Timeout | undefined;

  /** Without a terminal it shows nothing. */
  constructor(terminal: Sink | undefined) {
    this.#terminal = terminal;
  }

  /** This is pending from now on, in place of what was. */
  begin(what: string): void {
    if (this.#terminal === undefined) return;
    this.#what = printable(what);
    this.#startedMs = performance.now();
    this.#timer ??= setInterval(() => this.#draw(), FRAME_MS).unref();
  }

  /** Nothing is pending any more. */
  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#what = undefined;
    this.hide();
  }

  /** Makes room for a line of something else; it comes back with its next frame. */
  hide(): void {
    if (this.#isShown) this.#terminal?.write(CLEAR_LINE);
    this.#isShown = false;
  }

  #draw(): void {
    const ms = performance.now() - this.#startedMs;
    if (this.#terminal === undefined || this.#what === undefined || ms < QUIET_MS) return;
    const frame = FRAMES[Math.floor(ms / FRAME_MS) % FRAMES.length];
    const line = `${frame} ${this.#what} (${formatAge(ms)})`;
    // A line that wraps could not be cleared.
    if (widthOf(line) < (this.#terminal.columns ?? 80)) this.#terminal.write(`${CLEAR_LINE}${line}`);
    this.#isShown = true;
  }
}
