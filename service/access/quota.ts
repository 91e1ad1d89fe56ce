/**
 * Counts units held at the same time, per principal and in total, so that one client cannot starve
 * another.
 */
import { ok, quotaExceeded, type Result } from '../fault.js';
import { type GiveBack, once } from '../once.js';

interface QuotaLimit {
  /** Its name in the contract's `Limits`. */
  readonly name: string;
  readonly max: number;
}

export class Quota {
  readonly #all: QuotaLimit;
  readonly #perPrincipal: QuotaLimit;
  readonly #held = new Map<string, number>();
  #total = 0;

  constructor(all: QuotaLimit, perPrincipal: QuotaLimit) {
    this.#all = all;
    this.#perPrincipal = perPrincipal;
  }

  get total(): number {
    return this.#total;
  }

  /**
   * Takes `count` units. The result is a function that gives them back; calling it again does
   * nothing.
   */
  take(principal: string, count = 1): Result<GiveBack> {
    const held = this.#held.get(principal) ?? 0;
    const { name, max } = this.#perPrincipal;
    if (held + count > max) return { ok: false, fault: quotaExceeded(`principal:${principal}`, name, max) };
    if (this.#total + count > this.#all.max)
      return { ok: false, fault: quotaExceeded('host', this.#all.name, this.#all.max) };
    this.#held.set(principal, held + count);
    this.#total += count;
    return ok(once(() => this.#giveBack(principal, count)));
  }

  #giveBack(principal: string, count: number): void {
    this.#total -= count;
    const left = (this.#held.get(principal) ?? count) - count;
    if (left === 0) this.#held.delete(principal);
    else this.#held.set(principal, left);
  }
}
