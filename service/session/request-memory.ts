/**
 * Which request ids have been used, and for what: asking twice is the same request, asking for something else is refused (AIP-155).
 *
 * Bounded in number and in age; the oldest is forgotten first. A request id of `OpenSession` lives with its session instead.
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

  /** What this id was used for; undefined where it is new, or forgotten. */
  find(key: string, nowMs: number): string | undefined {
    this.#forget(nowMs);
    return this.#used.get(key)?.fingerprint;
  }

  /** Those that are remembered, oldest first. */
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
    message: `request_id ${requestId} was used for another request; take a new one.`,
    metadata: { request_id: requestId },
  };
}
