/**
 * The sessions that have business with the DLL. Those that are wanted are found by their names; an open whose session has ended
 * without its outcome is kept until that has come, though its name may be another's by then.
 */
import type { Operation } from './session-calls.js';

export class Operations {
  readonly #named = new Map<string, Operation>();
  readonly #abandoned = new Set<Operation>();
  readonly #waiting = new Set<() => void>();

  /** How many are wanted. */
  get size(): number {
    return this.#named.size;
  }

  add(operation: Operation): void {
    this.#named.set(operation.sessionId, operation);
  }

  find(sessionId: string): Operation | undefined {
    return this.#named.get(sessionId);
  }

  /** Its session has ended. */
  release(sessionId: string): void {
    const operation = this.#named.get(sessionId);
    if (operation === undefined) return;
    this.#named.delete(sessionId);
    if (!operation.isCompleted) this.#abandoned.add(operation);
    this.#wake();
  }

  /** Its session has not ended. Afterwards its name may be another's. */
  isWanted(operation: Operation): boolean {
    return this.#named.get(operation.sessionId) === operation;
  }

  /** It has no handle, and gets none any more. */
  finish(operation: Operation): void {
    this.#abandoned.delete(operation);
    if (this.isWanted(operation)) this.#named.delete(operation.sessionId);
    this.#wake();
  }

  /** Takes all that there are. */
  clear(): Operation[] {
    const all = [...this.#named.values(), ...this.#abandoned];
    this.#named.clear();
    this.#abandoned.clear();
    this.#wake();
    return all;
  }

  /** Resolves when there are none. */
  async settled(): Promise<void> {
    if (this.#named.size + this.#abandoned.size > 0) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  #wake(): void {
    if (this.#named.size + this.#abandoned.size > 0) return;
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
