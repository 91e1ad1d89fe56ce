/**
 * Bounds the native calls in flight. Each holds a thread of libuv's pool for as long as it blocks, and no bound is documented for
 * any, so there are lanes: whatever hangs in one, the calls of the others find a thread.
 *
 * Opens may block for long, so a principal never takes the last place of their lanes.
 */

import { LATE, within } from '../deadline.js';
import type { TracePlace } from '../trace.js';
import { Lane, type Wish } from './lane.js';
import { nativeResult } from './win32-error.js';

/** `open`: begins a session; `slow`: blocks by nature; `end`: cancels and closes; `look`: only asks. */
export type LaneName = 'open' | 'slow' | 'end' | 'look';

/** How long an answer that others do without is waited for. */
const ANSWER_MS = 1000;

export interface NativeCallSettings {
  /** At least three more than `slowCallsMax`: one for each of the other lanes. */
  readonly nativeCallsMax: number;
  readonly slowCallsMax: number;
  readonly nativeCallWarnMs: number;
}

/** Told of each native call: for metrics, traces and the log. */
export interface NativeCallObserver {
  /** The call has returned this code, which has this name, after this time. */
  nativeReturned(fn: string, code: number, durationMs: number, name: string, place: TracePlace): void;
  /** The call has run longer than nativeCallWarnMs and has not returned. */
  nativeSlow(fn: string, warnMs: number): void;
}

export class NativeCalls {
  readonly #lanes: Readonly<Record<LaneName, Lane>>;
  readonly #warnMs: number;
  readonly #observer: NativeCallObserver;
  /** Functions of `ask` that have a call which does not answer. */
  readonly #hanging = new Set<string>();
  readonly #idle = new Set<() => void>();
  #inFlight = 0;

  constructor(settings: NativeCallSettings, observer: NativeCallObserver) {
    const { nativeCallsMax, slowCallsMax, nativeCallWarnMs } = settings;
    const rest = nativeCallsMax - slowCallsMax;
    const looks = Math.max(Math.floor(rest / 4), 1);
    const opens = Math.floor((rest - looks) / 2);
    const ends = rest - looks - opens;
    this.#lanes = {
      open: new Lane(opens, opens - 1),
      slow: new Lane(slowCallsMax, slowCallsMax - 1),
      end: new Lane(ends),
      look: new Lane(looks),
    };
    this.#warnMs = nativeCallWarnMs;
    this.#observer = observer;
  }

  /** Calls that run or wait for their turn. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Calls that wait for their turn, by lane. */
  get waiting(): readonly (readonly [LaneName, number])[] {
    return Object.entries(this.#lanes).map(([name, { waiting }]) => [name as LaneName, waiting]);
  }

  /** Undefined: nobody wanted the call any more when its turn would have come, and it was not made. */
  run<T extends { readonly code: number }>(
    lane: LaneName,
    fn: string,
    call: () => Promise<T>,
    place: TracePlace,
    wish: Wish,
  ): Promise<T | undefined>;
  run<T extends { readonly code: number }>(
    lane: LaneName,
    fn: string,
    call: () => Promise<T>,
    place?: TracePlace,
  ): Promise<T>;
  async run<T extends { readonly code: number }>(
    lane: LaneName,
    fn: string,
    call: () => Promise<T>,
    place: TracePlace = {},
    wish: Wish = {},
  ): Promise<T | undefined> {
    this.#inFlight += 1;
    const entered = this.#lanes[lane].enter(wish);
    const leave = entered instanceof Promise ? await entered : entered;
    if (leave === undefined) {
      this.#ended();
      return undefined;
    }
    const warning = setTimeout(() => this.#observer.nativeSlow(fn, this.#warnMs), this.#warnMs);
    const startMs = performance.now();
    try {
      const answer = await call();
      const { code } = answer;
      this.#observer.nativeReturned(fn, code, performance.now() - startMs, nativeResult(fn, code).name, place);
      return answer;
    } finally {
      clearTimeout(warning);
      leave();
      this.#ended();
    }
  }

  #ended(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) for (const wake of this.#idle) wake();
  }

  /**
   * Asks what one can do without: undefined where the call fails, or does not answer soon. Until it does answer, no other of its
   * function is made, so that calls which hang don't pile up.
   */
  async ask<T extends { readonly code: number }>(fn: string, call: () => Promise<T>): Promise<T | undefined> {
    if (this.#hanging.has(fn)) return undefined;
    const answered = this.run('look', fn, call).catch(() => undefined);
    const answer = await within(ANSWER_MS, answered);
    if (answer !== LATE) return answer;
    this.#hanging.add(fn);
    void answered.then(() => this.#hanging.delete(fn));
    return undefined;
  }

  /** Resolves when no call is in flight. */
  idle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        this.#idle.delete(wake);
        resolve();
      };
      this.#idle.add(wake);
    });
  }
}
