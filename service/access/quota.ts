/** Counts what is held at once, per principal and in all, so that one greedy client never starves another. */
import { ok, quotaExceeded, type Result } from '../fault.js';

export interface QuotaLimit {
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

  /** Takes one; the answer gives it back, once. */
  take(principal: string): Result<() => void> {
    const held = this.#held.get(principal) ?? 0;
    const { name, max } = this.#perPrincipal;
    if (held >= max) return { ok: false, fault: quotaExceeded(`principal:${principal}`, name, max) };
    if (this.#total >= this.#all.max) return { ok: false, fault: quotaExceeded('host', this.#all.name, this.#all.max) };
    this.#held.set(principal, held + 1);
    this.#total += 1;
    let isHeld = true;
    return ok(() => {
      if (!isHeld) return;
      isHeld = false;
      this.#total -= 1;
      const left = (this.#held.get(principal) ?? 1) - 1;
      if (left === 0) this.#held.delete(principal);
      else this.#held.set(principal, left);
    });
  }
}
