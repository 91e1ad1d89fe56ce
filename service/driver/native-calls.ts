/**
 * Bounds the native calls in flight. A call holds a thread of libuv's pool while it blocks, and no
 * document bounds how long that is. So there are lanes: if calls hang in one lane, the calls of the
 * others still get a thread.
 *
 * Opens can block for long, so one principal never gets the last place of their lanes.
 */

import { LATE, within } from '../deadline.js';
import type { TracePlace } from '../trace.js';
import { Lane, type Wish } from './lane.js';
import { nativeResult } from './win32-error.js';

/**
 * `open`: starts a session; `slow`: blocks by nature; `end`: cancels and closes; `look`: only
 * reads.
 */
export type LaneName = 'open' | 'slow' | 'end' | 'look';

/** How long `ask` waits for an answer. */
const ANSWER_MS = 1000;

export interface NativeCallSettings {
  /** At least three more than `slowCallsMax`: one for each of the other lanes. */
  readonly nativeCallsMax: number;
  readonly slowCallsMax: number;
  readonly nativeCallWarnMs: number;
}

/** Observes each native call, for metrics, traces and the log. */
export interface NativeCallObserver {
  /** A call has returned. `name` is the name of its code. */
  onNativeReturned(fn: string, code: number, durationMs: number, name: string, place: TracePlace): void;
  /** A call has run for `warnMs` and has not returned. */
  onNativeSlow(fn: string, warnMs: number): void;
}

export class NativeCalls {
  readonly #lanes: Readonly<Record<LaneName, Lane>>;
  readonly #warnMs: number;
  readonly #observer: NativeCallObserver;
  /** Functions that `ask` has called and that have not answered in time. */
  readonly #hanging = new Set<string>();
  readonly #idleWaiters = new Set<() => void>();
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

  /**
   * Makes a native call when its lane has room. It resolves to undefined if nobody wanted the call
   * any more before its turn; the call is then not made.
   */
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
      this.#onEnd();
      return undefined;
    }
    const warning = setTimeout(() => this.#observer.onNativeSlow(fn, this.#warnMs), this.#warnMs);
    const startMs = performance.now();
    try {
      const answer = await call();
      const { code } = answer;
      this.#observer.onNativeReturned(fn, code, performance.now() - startMs, nativeResult(fn, code).name, place);
      return answer;
    } finally {
      clearTimeout(warning);
      leave();
      this.#onEnd();
    }
  }

  #onEnd(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) for (const wake of this.#idleWaiters) wake();
  }

  /**
   * Makes a call whose answer the caller can do without: it resolves to undefined if the call fails
   * or does not answer soon. The function is not called again until it has answered, so that
   * hanging calls do not pile up.
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
  whenIdle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        this.#idleWaiters.delete(wake);
        resolve();
      };
      this.#idleWaiters.add(wake);
    });
  }
}
