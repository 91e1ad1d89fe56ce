/** Closed loops: so many calls in flight for so long, each followed by the next. */
import { performance } from 'node:perf_hooks';
import { percentile } from '../statistics.js';

/** What a loop of some operation came to. */
interface LoopResult {
  readonly count: number;
  readonly perSecond: number;
  /** Of one operation, in ms. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** One operation; rejects where it failed. */
export type Operation = () => Promise<unknown>;

/**
 * Keeps `inFlight` operations under way for `durationMs`, and waits for those under way at the end.
 */
export async function closedLoop(operation: Operation, inFlight: number, durationMs: number): Promise<LoopResult> {
  const latenciesMs: number[] = [];
  const startMs = performance.now();
  const lane = async () => {
    for (let atMs = performance.now(); atMs < startMs + durationMs; ) {
      await operation();
      const nowMs = performance.now();
      latenciesMs.push(nowMs - atMs);
      atMs = nowMs;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return {
    count: latenciesMs.length,
    perSecond: (latenciesMs.length / (performance.now() - startMs)) * 1000,
    p50Ms: percentile(latenciesMs, 50),
    p99Ms: percentile(latenciesMs, 99),
  };
}

/**
 * The same for a number of operations instead of a time; the answer is how long all of them took,
 * in ms.
 */
export async function burst(operation: Operation, inFlight: number, count: number): Promise<number> {
  let left = count;
  const startMs = performance.now();
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      await operation();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return performance.now() - startMs;
}
