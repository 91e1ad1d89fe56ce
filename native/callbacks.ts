/**
 * Native callbacks: one koffi registration per signature, for the life of the process, shared by all who wait for it and told
 * apart by the context pointer, which is a number counted up from 1 and never dereferenced.
 *
 * The rule that must not be broken: **a registration is never taken back, and the native thread inside a callback is held until
 * the JavaScript function has returned.** So that function copies what it was given, hands it to the listener in a microtask,
 * and returns: it never throws, never waits, never calls native code. A call into an unregistered callback would end the process.
 */
import koffi, { type TypeObject } from 'koffi';
import './types.js';

/** Hands one callback on: finds the listener of `context`, runs `copy` at once, and the listener when the callback is over. */
export type Deliver<Event> = (context: bigint | null, copy: () => Event) => void;

/** The longest interval that Node accepts. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const all: { readonly name: string; readonly contexts: number }[] = [];
let contexts = 0n;
let listeners = 0;
let keepAlive: NodeJS.Timeout | undefined;

/** How many contexts somebody waits with, by the name of the callback. */
export function openContexts(): readonly (readonly [string, number])[] {
  return all.map(({ name, contexts }) => [name, contexts]);
}

/** The listeners of one callback signature. */
export class Callbacks<Event> {
  readonly name: string;
  readonly #type: TypeObject;
  readonly #entry: (deliver: Deliver<Event>) => (...args: never[]) => void;
  readonly #listeners = new Map<bigint, (event: Event) => void>();
  #pointer: bigint | undefined;
  #stray = 0;

  /**
   * @param name the name of the callback's pointer type, for the prototypes of the functions that take it
   * @param prototype its C prototype, without a name
   * @param entry makes the function that native code calls; all it may do is call `deliver`
   */
  constructor(name: string, prototype: string, entry: (deliver: Deliver<Event>) => (...args: never[]) => void) {
    this.#type = koffi.pointer(name, koffi.proto(prototype));
    this.#entry = entry;
    this.name = name;
    all.push(this);
  }

  /** How many contexts have been registered and not been forgotten. */
  get contexts(): number {
    return this.#listeners.size;
  }

  /** The function pointer to give to native code. */
  get pointer(): bigint {
    // Made at the first use, when library.ts has configured koffi.
    this.#pointer ??= koffi.register(
      this.#entry((context, copy) => this.#deliver(context, copy)),
      this.#type,
    );
    return this.#pointer;
  }

  /** How many callbacks named a context that nobody waits for. They were dropped. */
  get strayCallbacks(): number {
    return this.#stray;
  }

  /**
   * A fresh context for `listener`, never used before in this process, not even for another signature. Until it is forgotten
   * it keeps the event loop alive: koffi does not, and a process that ended while native threads call back would crash.
   */
  registerContext(listener: (event: Event) => void): bigint {
    contexts += 1n;
    this.#listeners.set(contexts, listener);
    listeners += 1;
    keepAlive ??= setInterval(() => {}, LONGEST_TIMER_MS);
    return contexts;
  }

  /** Drops what still comes for `context`. Forget it when no more can come, or when it no longer matters. Idempotent. */
  forgetContext(context: bigint): void {
    if (!this.#listeners.delete(context)) return;
    listeners -= 1;
    if (listeners > 0) return;
    clearInterval(keepAlive);
    keepAlive = undefined;
  }

  #deliver(context: bigint | null, copy: () => Event): void {
    try {
      const listener = this.#listeners.get(context ?? 0n);
      if (listener === undefined) {
        this.#stray += 1;
        return;
      }
      const event = copy();
      queueMicrotask(() => listener(event));
    } catch (error) {
      // A fault of ours in `copy`: let it be seen, but not by the native thread.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
