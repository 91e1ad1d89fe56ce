/**
 * The timers of sessions. Where many are due at once, as when a thousand leases lapse together, a few fire in each turn of the event
 * loop, so that nothing else waits for all of them.
 */

/** About a millisecond's work. */
const PER_TURN_MAX = 50;

export class Timers {
  /** In the order in which they came due. */
  readonly #due = new Set<() => void>();
  #isTurnSet = false;

  /** Calls `fire` after so long. What this returns takes it back, to the last moment. */
  set(delayMs: number, fire: () => void): () => void {
    const timeout = setTimeout(() => {
      this.#due.add(fire);
      if (!this.#isTurnSet) this.#setTurn();
    }, delayMs);
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
