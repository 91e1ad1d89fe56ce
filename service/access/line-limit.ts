/** How many lines of a kind the log takes: somebody who guesses, scans or errs in a loop may fill the counters, not the disk. */

const PER_SECOND_MAX = 20;
/** Whoever was heard of last is remembered; it bounds the memory. */
const KEYS_MAX = 1000;

export class LineLimit {
  readonly #perSecondMax: number;
  #second = 0;
  #lines = 0;
  #unlogged = 0;

  constructor(perSecondMax = PER_SECOND_MAX) {
    this.#perSecondMax = perSecondMax;
  }

  /** Undefined: write no line now. Else how many were not written since the last, for the line to tell; nothing where there were none. */
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

/** A limit for each key apart, so that nobody's lines are lost in the noise of another. */
export class LineLimits {
  readonly #limits = new Map<string, LineLimit>();
  readonly #total: LineLimit | undefined;

  /** `totalPerSecondMax` bounds all together, where whoever likes can make up new keys. */
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
