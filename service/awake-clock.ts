/**
 * A clock that stands still while the process does: while the computer sleeps, or a debugger or SIGSTOP holds it.
 *
 * Windows tells services of no suspend and no resume in Modern Standby, and there all clocks jump when it is over: what
 * was due meanwhile would come due at once, before anybody could look at what has become of the links. So a sleep is
 * noticed by its gap between two ticks. Deadlines that are counted on this clock have left what they had left before.
 */

/** A gap of so long is a sleep. A loop that is busy for longer has as much reason to look at everything anew. */
const GAP_MS = 5000;
const TICK_MS = 1000;

export interface Clocks {
  /** Monotonic. Counts sleep on Windows, and stands still meanwhile on Linux. */
  readonly steadyMs: () => number;
  readonly wallMs: () => number;
}

const systemClocks: Clocks = { steadyMs: () => performance.now(), wallMs: () => Date.now() };

export class AwakeClock {
  readonly #clocks: Clocks;
  readonly #listeners = new Set<(sleptMs: number) => void>();
  #timer: NodeJS.Timeout | undefined;
  #lastSteadyMs: number;
  #lastWallMs: number;
  /** What the steady clock has counted of sleep. */
  #lostMs = 0;

  constructor(clocks: Clocks = systemClocks) {
    this.#clocks = clocks;
    this.#lastSteadyMs = clocks.steadyMs();
    this.#lastWallMs = clocks.wallMs();
  }

  /** Milliseconds that the process was awake, from some moment on. */
  nowMs(): number {
    this.#look();
    return this.#clocks.steadyMs() - this.#lostMs;
  }

  /** Calls the listener after each sleep, in a turn of its own, until what this returns is called. */
  onAwake(listener: (sleptMs: number) => void): () => void {
    this.#listeners.add(listener);
    // Nothing is known of the time before it ticked.
    if (this.#timer === undefined) this.#pass();
    this.#timer ??= setInterval(() => this.#look(), TICK_MS).unref();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  /** Whoever reads the clock first after a sleep notices it: a deadline may come due before the next tick. */
  #look(): void {
    if (this.#timer === undefined) return;
    const { steadyMs, wallMs } = this.#pass();
    // A wall clock that was set looks like a sleep of which the steady clock knows nothing; then only looking is right.
    const sleptMs = Math.max(steadyMs, wallMs) - TICK_MS;
    if (sleptMs < GAP_MS) return;
    if (steadyMs - TICK_MS >= GAP_MS) this.#lostMs += steadyMs - TICK_MS;
    for (const listener of this.#listeners) setImmediate(listener, sleptMs);
  }

  /** What has passed since it was asked last. */
  #pass(): { readonly steadyMs: number; readonly wallMs: number } {
    const [steadyMs, wallMs] = [this.#clocks.steadyMs(), this.#clocks.wallMs()];
    const passed = { steadyMs: steadyMs - this.#lastSteadyMs, wallMs: wallMs - this.#lastWallMs };
    [this.#lastSteadyMs, this.#lastWallMs] = [steadyMs, wallMs];
    return passed;
  }
}

/** That of this process. It ticks while somebody listens. */
export const awakeClock = new AwakeClock();
