/**
 * Random choices that a seed repeats: one generator for each actor, so that what one chooses does
 * not depend on how fast others are.
 */
export class Random {
  #state: number;

  constructor(seed: number, actor = 0) {
    this.#state = (seed ^ Math.imul(actor + 1, 0x9e3779b9)) >>> 0;
  }

  /** Below 1. Mulberry32: short, and more than good enough to choose with. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(max: number): number {
    return Math.floor(this.next() * max);
  }

  isOneIn(count: number): boolean {
    return this.below(count) === 0;
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0];
  }
}
