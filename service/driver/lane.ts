/**
 * A lane of native calls. It limits how many run at once. Waiting calls take turns by principal, so
 * that nobody waits for everything that another principal has requested (D-25). A call that is not
 * wanted any more leaves the queue.
 */

import { type GiveBack, once } from '../once.js';

/** Who wants a call, and for how long. */
export interface Wish {
  /** The principal whose request needs the call. Absent if the host itself needs it. */
  readonly principal?: string | undefined;
  /** Aborts when nobody wants the call any more. A running call is not affected. */
  readonly signal?: AbortSignal | undefined;
}

/** Leaves the lane. Undefined if the call is not wanted any more, so that it never entered. */
type Leave = GiveBack | undefined;

interface Waiter {
  readonly enter: (leave: Leave) => void;
}

const HOST = '';

export class Lane {
  readonly #max: number;
  readonly #share: number;
  readonly #running = new Map<string, number>();
  /**
   * By principal, in the order of their turns. The calls of one principal are in the order of
   * arrival.
   */
  readonly #waiting = new Map<string, Waiter[]>();
  #total = 0;

  /** `share` is how many places the calls of one principal can take. */
  constructor(max: number, share = max) {
    this.#max = max;
    this.#share = Math.max(share, 1);
  }

  get waiting(): number {
    let count = 0;
    for (const waiters of this.#waiting.values()) count += waiters.length;
    return count;
  }

  get running(): number {
    return this.#total;
  }

  /** Enters at once if there is room, otherwise when it is the call's turn. */
  enter({ principal = HOST, signal }: Wish): Leave | Promise<Leave> {
    if (signal?.aborted) return undefined;
    // If there is room, those who wait have used their share, so this call overtakes nobody.
    if (this.#hasRoom(principal)) return this.#take(principal);
    return new Promise((resolve) => {
      const waiter: Waiter = {
        enter: (leave) => {
          signal?.removeEventListener('abort', abandon);
          resolve(leave);
        },
      };
      const abandon = () => {
        this.#remove(principal, waiter);
        resolve(undefined);
      };
      const own = this.#waiting.get(principal);
      if (own === undefined) this.#waiting.set(principal, [waiter]);
      else own.push(waiter);
      signal?.addEventListener('abort', abandon, { once: true });
    });
  }

  #hasRoom(principal: string): boolean {
    const taken = this.#running.get(principal) ?? 0;
    return this.#total < this.#max && (principal === HOST || taken < this.#share);
  }

  #take(principal: string): GiveBack {
    this.#total += 1;
    this.#running.set(principal, (this.#running.get(principal) ?? 0) + 1);
    return once(() => {
      this.#total -= 1;
      const left = (this.#running.get(principal) ?? 1) - 1;
      if (left === 0) this.#running.delete(principal);
      else this.#running.set(principal, left);
      this.#next();
    });
  }

  #next(): void {
    for (const [principal, waiters] of this.#waiting) {
      if (!this.#hasRoom(principal)) continue;
      const waiter = waiters.shift();
      // The next turn of this principal comes after those of all others.
      this.#waiting.delete(principal);
      if (waiters.length > 0) this.#waiting.set(principal, waiters);
      waiter?.enter(this.#take(principal));
      return;
    }
  }

  #remove(principal: string, waiter: Waiter): void {
    const left = (this.#waiting.get(principal) ?? []).filter((each) => each !== waiter);
    if (left.length > 0) this.#waiting.set(principal, left);
    else this.#waiting.delete(principal);
  }
}
