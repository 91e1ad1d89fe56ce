/**
 * Limits how often each principal may do something: a rate per second on average, and a burst of
 * several seconds' worth. The burst lets a relay reconnect all its sessions at once.
 */
import { ok, type Result, rateExceeded } from '../fault.js';

/** The size of a burst, in seconds of the rate. */
const BURST_SECONDS = 5;
/** Above this number of principals, those with a full burst are forgotten. */
const REMEMBERED_MIN = 1000;

export class PrincipalRates {
  readonly #name: string;
  readonly #perSecond: number;
  readonly #now: () => number;
  /** When each principal will have its full burst again. Absent: it has it now. */
  readonly #fullAtMs = new Map<string, number>();
  /** The number of principals at which the next cleanup runs. */
  #remembered = REMEMBERED_MIN;

  /** `name` is the limit in the contract's `Limits`. `now` is a monotonic clock in milliseconds. */
  constructor(name: string, perSecond: number, now = () => performance.now()) {
    this.#name = name;
    this.#perSecond = perSecond;
    this.#now = now;
  }

  /** The number of principals that are remembered. */
  get size(): number {
    return this.#fullAtMs.size;
  }

  take(principal: string): Result<void> {
    const nowMs = this.#now();
    const eachMs = 1000 / this.#perSecond;
    const burstMs = Math.max(BURST_SECONDS * 1000, eachMs);
    const fullAtMs = Math.max(this.#fullAtMs.get(principal) ?? 0, nowMs) + eachMs;
    const waitMs = fullAtMs - nowMs - burstMs;
    // Rounding errors must not refuse the last unit of a burst.
    if (waitMs > 1e-6) return { ok: false, fault: rateExceeded(principal, this.#name, this.#perSecond, waitMs) };
    if (this.#fullAtMs.size >= this.#remembered) this.#forget(nowMs);
    this.#fullAtMs.set(principal, fullAtMs);
    return ok(undefined);
  }

  #forget(nowMs: number): void {
    for (const [principal, fullAtMs] of this.#fullAtMs) {
      if (fullAtMs <= nowMs) this.#fullAtMs.delete(principal);
    }
    this.#remembered = Math.max(2 * this.#fullAtMs.size, REMEMBERED_MIN);
  }
}
