/**
 * Native callbacks. There is one koffi registration for each signature, for the life of the
 * process. All listeners of a signature share it. A context pointer tells them apart: it is a
 * number that is counted up from 1 and never dereferenced.
 *
 * Invariant: a registration is never undone, because a call into an unregistered callback would end
 * the process. And the JavaScript function of a callback never throws, waits or calls native code,
 * because the native thread is held until it returns. It copies its arguments, passes them to the
 * listener in a microtask, and returns.
 */
import koffi, { type TypeObject } from 'koffi';
import './types.js';

/**
 * Delivers one callback to the listener of `context`. It runs `copy` at once, and the listener when
 * the callback has returned.
 */
export type Deliver<Event> = (context: bigint | null, copy: () => Event) => void;

/** The longest interval that Node accepts. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const all: { readonly name: string; readonly contexts: number }[] = [];
let contexts = 0n;
let listeners = 0;
let keepAlive: NodeJS.Timeout | undefined;

/** How many contexts have a listener, by the name of the callback. */
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
   * @param name the name of the callback's pointer type, for the prototypes of the functions that
   *   take it
   * @param prototype its C prototype, without a name
   * @param entry makes the function that native code calls; that function must only call `deliver`
   */
  constructor(name: string, prototype: string, entry: (deliver: Deliver<Event>) => (...args: never[]) => void) {
    this.#type = koffi.pointer(name, koffi.proto(prototype));
    this.#entry = entry;
    this.name = name;
    all.push(this);
  }

  /** How many contexts are registered and not forgotten. */
  get contexts(): number {
    return this.#listeners.size;
  }

  /** The function pointer to give to native code. */
  get pointer(): bigint {
    // Registered at the first use: library.ts has configured koffi by then.
    this.#pointer ??= koffi.register(
      this.#entry((context, copy) => this.#deliver(context, copy)),
      this.#type,
    );
    return this.#pointer;
  }

  /** How many callbacks were dropped because their context has no listener. */
  get strayCallbacks(): number {
    return this.#stray;
  }

  /**
   * Returns a new context for `listener`. No other context of this process has its number, not even
   * one of another signature. The event loop stays alive until the context is forgotten. koffi does
   * not keep it alive, and a process that ends while native threads call back would crash.
   */
  registerContext(listener: (event: Event) => void): bigint {
    contexts += 1n;
    this.#listeners.set(contexts, listener);
    listeners += 1;
    keepAlive ??= setInterval(() => {}, LONGEST_TIMER_MS);
    return contexts;
  }

  /**
   * Forgets a context; later callbacks for it are dropped. Call it when no callback can arrive any
   * more, or when it no longer matters. Idempotent.
   */
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
      // A defect in `copy`. The error must be seen, but not by the native thread.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
