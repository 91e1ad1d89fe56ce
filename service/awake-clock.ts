/**
 * A clock that stands still while the process does not run: while the computer sleeps, or while a
 * debugger or SIGSTOP holds it.
 *
 * In Modern Standby, Windows reports neither suspend nor resume to services, and all clocks jump
 * afterwards. All timers that were due would fire at once, before the links could be checked. So a
 * sleep is detected by a gap between two ticks (D-67). A deadline on this clock has as much time
 * left as before the sleep.
 */

/**
 * A longer gap is a sleep. An event loop that was busy for longer also has reason to check
 * everything.
 */
const GAP_MS = 5000;
const TICK_MS = 1000;

export interface Clocks {
  /** Monotonic. Includes sleep on Windows, but not on Linux. */
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
  /** How much sleep the steady clock includes. */
  #lostMs = 0;

  constructor(clocks: Clocks = systemClocks) {
    this.#clocks = clocks;
    this.#lastSteadyMs = clocks.steadyMs();
    this.#lastWallMs = clocks.wallMs();
  }

  /** Milliseconds that the process was awake, since an arbitrary moment. */
  nowMs(): number {
    this.#detectSleep();
    return this.#clocks.steadyMs() - this.#lostMs;
  }

  /**
   * Calls the listener after each sleep, in a separate turn. The returned function removes the
   * listener.
   */
  onAwake(listener: (sleptMs: number) => void): () => void {
    this.#listeners.add(listener);
    // Nothing is known about the time before the first tick.
    if (this.#timer === undefined) this.#pass();
    this.#timer ??= setInterval(() => this.#detectSleep(), TICK_MS).unref();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  /**
   * The first read after a sleep detects it, because a deadline may be due before the next tick.
   */
  #detectSleep(): void {
    if (this.#timer === undefined) return;
    const { steadyMs, wallMs } = this.#pass();
    // A wall clock that was set forward looks like a sleep that the steady clock does not include.
    // Then links are checked, but no time is subtracted.
    const sleptMs = Math.max(steadyMs, wallMs) - TICK_MS;
    if (sleptMs < GAP_MS) return;
    if (steadyMs - TICK_MS >= GAP_MS) this.#lostMs += steadyMs - TICK_MS;
    for (const listener of this.#listeners) setImmediate(listener, sleptMs);
  }

  /** The time that has passed since the last call. */
  #pass(): { readonly steadyMs: number; readonly wallMs: number } {
    const [steadyMs, wallMs] = [this.#clocks.steadyMs(), this.#clocks.wallMs()];
    const passed = { steadyMs: steadyMs - this.#lastSteadyMs, wallMs: wallMs - this.#lastWallMs };
    [this.#lastSteadyMs, this.#lastWallMs] = [steadyMs, wallMs];
    return passed;
  }
}

/** The clock of this process. It ticks while it has listeners. */
export const awakeClock = new AwakeClock();
