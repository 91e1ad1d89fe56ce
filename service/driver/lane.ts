/**
 * A lane of native calls: so many run at once, and those that wait take turns by principal, so that nobody waits for all that another
 * has asked for. What is no longer wanted leaves the queue.
 */

import { type GiveBack, once } from '../once.js';

/** Who wants a call, and until when. */
export interface Wish {
  /** Whose request it is for; absent: the host's own. */
  readonly principal?: string | undefined;
  /** Aborts when nobody wants the call any more. One that runs by then is not affected. */
  readonly signal?: AbortSignal | undefined;
}

/** Leaves the lane. Undefined in its place: the call is not wanted any more, and has no place to leave. */
type Leave = GiveBack | undefined;

interface Waiter {
  readonly enter: (leave: Leave) => void;
}

const HOST = '';

export class Lane {
  readonly #max: number;
  readonly #share: number;
  readonly #running = new Map<string, number>();
  /** By principal, in the order of their turns; each one's own in the order in which they came. */
  readonly #waiting = new Map<string, Waiter[]>();
  #total = 0;

  /** `share`: how many places the calls of one principal may take. */
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

  /** At once where there is room, else when its turn has come. */
  enter({ principal = HOST, signal }: Wish): Leave | Promise<Leave> {
    if (signal?.aborted) return undefined;
    // Whoever waits either finds no room, or has taken its whole share.
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
      // Its next turn comes after those of all others.
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
