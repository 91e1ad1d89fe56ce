/** A token bucket: how often something may happen, on average and in a burst. */
interface RateLimit {
  readonly burst: number;
  readonly perSecond: number;
}

export class Rate {
  readonly #limit: RateLimit;
  readonly #now: () => number;
  #left: number;
  #filledMs: number;

  constructor(limit: RateLimit, now = () => performance.now()) {
    this.#limit = limit;
    this.#now = now;
    this.#left = limit.burst;
    this.#filledMs = now();
  }

  isSpent(): boolean {
    this.#fill();
    return this.#left < 1;
  }

  /** Can take more than is left. The bucket then takes longer to refill. */
  take(count: number): void {
    this.#fill();
    this.#left -= count;
  }

  #fill(): void {
    const { burst, perSecond } = this.#limit;
    const nowMs = this.#now();
    this.#left = Math.min(burst, this.#left + ((nowMs - this.#filledMs) / 1000) * perSecond);
    this.#filledMs = nowMs;
  }
}
