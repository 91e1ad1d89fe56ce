/**
 * Remembers which request ids were used, and for what. A request that is repeated with its id is
 * the same request; another request with that id is refused (AIP-155).
 *
 * The memory is bounded in number and in age, and forgets the oldest ids first. The request id of
 * an `OpenSession` is kept with its session instead.
 */
import type { Fault } from '../fault.js';

export class RequestMemory {
  readonly #max: number;
  readonly #ageMaxMs: number;
  readonly #used = new Map<string, { readonly fingerprint: string; readonly timeMs: number }>();

  constructor(max: number, ageMaxMs: number) {
    this.#max = max;
    this.#ageMaxMs = ageMaxMs;
  }

  get size(): number {
    return this.#used.size;
  }

  /** What this id was used for; undefined if it is new or forgotten. */
  find(key: string, nowMs: number): string | undefined {
    this.#forget(nowMs);
    return this.#used.get(key)?.fingerprint;
  }

  /** All ids that are remembered, oldest first. */
  *all(): Iterable<{ readonly key: string; readonly fingerprint: string; readonly timeMs: number }> {
    for (const [key, { fingerprint, timeMs }] of this.#used) yield { key, fingerprint, timeMs };
  }

  remember(key: string, fingerprint: string, nowMs: number): void {
    this.#used.set(key, { fingerprint, timeMs: nowMs });
    this.#forget(nowMs);
  }

  #forget(nowMs: number): void {
    for (const [key, { timeMs }] of this.#used) {
      if (this.#used.size <= this.#max && timeMs + this.#ageMaxMs > nowMs) return;
      this.#used.delete(key);
    }
  }
}

export function requestIdReused(requestId: string): Fault {
  return {
    reason: 'REQUEST_ID_REUSED',
    message: `request_id ${requestId} was used for another request; use a new one.`,
    metadata: { request_id: requestId },
  };
}
