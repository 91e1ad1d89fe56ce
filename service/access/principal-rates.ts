/**
 * How often each principal may do something: so many a second on average, and some seconds' worth at once, so that an honest burst, such
 * as all sessions of a relay that come back together, passes.
 */
import { ok, type Result, rateExceeded } from '../fault.js';

/** What may be taken at once by who has taken nothing for a while. */
const BURST_SECONDS = 5;
/** Beyond so many principals, those who have their whole burst again are forgotten. */
const REMEMBERED_MIN = 1000;

export class PrincipalRates {
  readonly #name: string;
  readonly #perSecond: number;
  readonly #now: () => number;
  /** When each principal will have its whole burst again. Absent: it has. */
  readonly #fullAtMs = new Map<string, number>();
  /** How many principals are remembered before those are looked for who need not be. */
  #remembered = REMEMBERED_MIN;

  /** `name` is that of the limit in the contract's `Limits`; `now` a clock that is never set. */
  constructor(name: string, perSecond: number, now = () => performance.now()) {
    this.#name = name;
    this.#perSecond = perSecond;
    this.#now = now;
  }

  /** For how many principals something is remembered. */
  get size(): number {
    return this.#fullAtMs.size;
  }

  take(principal: string): Result<void> {
    const nowMs = this.#now();
    const eachMs = 1000 / this.#perSecond;
    const burstMs = Math.max(BURST_SECONDS * 1000, eachMs);
    const fullAtMs = Math.max(this.#fullAtMs.get(principal) ?? 0, nowMs) + eachMs;
    const waitMs = fullAtMs - nowMs - burstMs;
    // Rounding must not refuse what is exactly there.
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
