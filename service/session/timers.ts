/**
 * The timers of sessions. Where many are due at once, as when a thousand leases lapse together, a few fire in each turn of the event
 * loop, so that nothing else waits for all of them. A sleep of the computer counts for none: after it each has left what it had.
 */
import { type AwakeClock, awakeClock } from '../awake-clock.js';

/** About a millisecond's work. */
const PER_TURN_MAX = 50;
const EARLY_MS = 2;

export class Timers {
  /** In the order in which they came due. */
  readonly #due = new Set<() => void>();
  readonly #clock: Pick<AwakeClock, 'nowMs'>;
  #isTurnSet = false;

  constructor(clock: Pick<AwakeClock, 'nowMs'> = awakeClock) {
    this.#clock = clock;
  }

  /** Calls `fire` after so long. What this returns takes it back, to the last moment. */
  set(delayMs: number, fire: () => void): () => void {
    const dueMs = this.#clock.nowMs() + delayMs;
    let timeout: NodeJS.Timeout;
    const wait = (ms: number) => {
      timeout = setTimeout(() => {
        const leftMs = dueMs - this.#clock.nowMs();
        // Timers may be early by rounding; what is left after a sleep is more than that.
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
