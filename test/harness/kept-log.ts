/** The log of a daemon in this process, kept so that a test can look at it and wait for lines. */
import type { LogLine } from './daemon.js';

export class KeptLog {
  readonly all: LogLine[] = [];
  readonly #waiting = new Set<() => void>();

  /** As a destination of the logger. */
  write(text: string): void {
    this.all.push(JSON.parse(text) as LogLine);
    for (const wake of this.#waiting) wake();
  }

  lines(event: string): LogLine[] {
    return this.all.filter((line) => line.event === event);
  }

  /** The first line with this event, past or to come, that is so. */
  async line(event: string, isSo: (line: LogLine) => boolean = () => true): Promise<LogLine> {
    for (;;) {
      const found = this.lines(event).find(isSo);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }
}
