/** The open streams of every wire, so that they can be ended together. */
import type { Caller } from '../access/caller.js';
import type { Fault } from '../fault.js';
import { type GiveBack, once } from '../once.js';

interface OpenStream {
  readonly caller: Caller;
  /** How many events wait for the client. */
  readonly waiting: () => number;
}

export class OpenStreams {
  readonly #all = new Map<(fault: Fault) => void, OpenStream>();
  /** Set when all streams have been ended for good. */
  #fault: Fault | undefined;

  get size(): number {
    return this.#all.size;
  }

  /** How many events wait for the stream that is furthest behind. */
  get waitingMost(): number {
    let most = 0;
    for (const { waiting } of this.#all.values()) most = Math.max(most, waiting());
    return most;
  }

  /**
   * Adds a stream, which `stop` ends with a fault. One that is added after `stopAll` is ended as
   * soon as it is set up.
   */
  add(stream: OpenStream, stop: (fault: Fault) => void): GiveBack {
    this.#all.set(stop, stream);
    const fault = this.#fault;
    if (fault !== undefined) queueMicrotask(() => stop(fault));
    return once(() => this.#all.delete(stop));
  }

  /**
   * Ends the streams of the callers for whom `isMeant` holds, after the messages that are ready for
   * them.
   */
  stop(fault: Fault, isMeant: (caller: Caller) => boolean): void {
    for (const [stop, { caller }] of [...this.#all]) if (isMeant(caller)) stop(fault);
  }

  /** Ends every stream, and every stream that is added later. */
  stopAll(fault: Fault): void {
    this.#fault = fault;
    this.stop(fault, () => true);
  }
}
