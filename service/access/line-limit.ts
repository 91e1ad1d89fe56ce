/**
 * Limits the log lines of one kind, so that a caller that guesses, scans or fails in a loop cannot
 * fill the disk.
 */

const PER_SECOND_MAX = 20;
/** The most recent keys are remembered, which bounds the memory. */
const KEYS_MAX = 1000;

class LineLimit {
  readonly #perSecondMax: number;
  #second = 0;
  #lines = 0;
  #unlogged = 0;

  constructor(perSecondMax = PER_SECOND_MAX) {
    this.#perSecondMax = perSecondMax;
  }

  /**
   * Undefined: write no line now. Otherwise `unlogged` is the number of lines omitted since the
   * last one, if any.
   */
  take(): { readonly unlogged?: number } | undefined {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#lines = 0;
    }
    if (this.#lines === this.#perSecondMax) {
      this.#unlogged += 1;
      return undefined;
    }
    this.#lines += 1;
    const unlogged = this.#unlogged;
    this.#unlogged = 0;
    return unlogged === 0 ? {} : { unlogged };
  }

  /** The line was not written after all. */
  putBack({ unlogged = 0 }: { readonly unlogged?: number }): void {
    this.#unlogged += 1 + unlogged;
  }
}

/** A separate limit for each key, so that one caller cannot crowd out the lines of another. */
export class LineLimits {
  readonly #limits = new Map<string, LineLimit>();
  readonly #total: LineLimit | undefined;

  /** `totalPerSecondMax` limits all keys together, for keys that callers can invent. */
  constructor(totalPerSecondMax?: number) {
    this.#total = totalPerSecondMax === undefined ? undefined : new LineLimit(totalPerSecondMax);
  }

  take(key: string): ReturnType<LineLimit['take']> {
    const limit = this.#limits.get(key) ?? new LineLimit();
    this.#limits.delete(key);
    this.#limits.set(key, limit);
    const [oldest] = this.#limits.keys();
    if (this.#limits.size > KEYS_MAX && oldest !== undefined) this.#limits.delete(oldest);
    const turn = limit.take();
    if (turn === undefined || this.#total === undefined || this.#total.take() !== undefined) return turn;
    limit.putBack(turn);
    return undefined;
  }
}
