/**
 * The operations that still use the DLL, one for each session. If a session ends before its open
 * has completed, its operation is abandoned: it is kept until the open completes, but it can't be
 * found by its id any more, because a new session can have that id.
 */
import type { Operation } from './session-calls.js';

export class Operations {
  readonly #bySession = new Map<string, Operation>();
  readonly #abandoned = new Set<Operation>();
  readonly #waiting = new Set<() => void>();

  /** How many belong to sessions that have not ended. */
  get size(): number {
    return this.#bySession.size;
  }

  add(operation: Operation): void {
    this.#bySession.set(operation.sessionId, operation);
  }

  find(sessionId: string): Operation | undefined {
    return this.#bySession.get(sessionId);
  }

  /** The session has ended. */
  release(sessionId: string): void {
    const operation = this.#bySession.get(sessionId);
    if (operation === undefined) return;
    this.#bySession.delete(sessionId);
    if (!operation.isCompleted) this.#abandoned.add(operation);
    this.#wake();
  }

  /** Whether the session of this operation has not ended. */
  isWanted(operation: Operation): boolean {
    return this.#bySession.get(operation.sessionId) === operation;
  }

  /** The operation has no handle and will get none. */
  finish(operation: Operation): void {
    this.#abandoned.delete(operation);
    if (this.isWanted(operation)) this.#bySession.delete(operation.sessionId);
    this.#wake();
  }

  /** Removes and returns all operations. */
  clear(): Operation[] {
    const all = [...this.#bySession.values(), ...this.#abandoned];
    this.#bySession.clear();
    this.#abandoned.clear();
    this.#wake();
    return all;
  }

  /** Resolves when there is no operation. */
  async whenEmpty(): Promise<void> {
    if (this.#bySession.size + this.#abandoned.size > 0)
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  #wake(): void {
    if (this.#bySession.size + this.#abandoned.size > 0) return;
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
