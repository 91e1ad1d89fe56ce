/**
 * The timers of sessions. If many are due at once, for example because a thousand leases expire
 * together, only a few fire in each turn of the event loop, so that other work does not wait for
 * all of them. Time that the computer sleeps does not count: after it, each timer has the time left
 * that it had before.
 */
import { type AwakeClock, awakeClock } from '../awake-clock.js';

/** About a millisecond of work. */
const PER_TURN_MAX = 50;
const EARLY_MS = 2;

export class Timers {
  /** Timers that are due, in the order in which they became due. */
  readonly #due = new Set<() => void>();
  readonly #clock: Pick<AwakeClock, 'nowMs'>;
  #isTurnSet = false;

  constructor(clock: Pick<AwakeClock, 'nowMs'> = awakeClock) {
    this.#clock = clock;
  }

  /** Calls `fire` after `delayMs`. The function that it returns clears the timer until it fires. */
  set(delayMs: number, fire: () => void): () => void {
    const dueMs = this.#clock.nowMs() + delayMs;
    let timeout: NodeJS.Timeout;
    const wait = (ms: number) => {
      timeout = setTimeout(() => {
        const leftMs = dueMs - this.#clock.nowMs();
        // A timer can fire a little early because of rounding. After a sleep, more than that is
        // left.
        if (leftMs > EARLY_MS) return wait(leftMs);
        this.#due.add(fire);
        if (!this.#isTurnSet) this.#setTurn();
      }, ms);
    };
    wait(delayMs);
    return () => {
      clearTimeout(timeout);
      this.#due.delete(fire);
    };
  }

  #setTurn(): void {
    this.#isTurnSet = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    let left = PER_TURN_MAX;
    for (const fire of this.#due) {
      this.#due.delete(fire);
      fire();
      left -= 1;
      if (left === 0) break;
    }
    this.#isTurnSet = false;
    if (this.#due.size > 0) this.#setTurn();
  }
}
