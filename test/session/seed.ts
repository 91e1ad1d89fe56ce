/** What a random test needs: a seed that is printed and can be given again, and how far to go. */
import type { ExecutionContext } from 'ava';

const { CI, WFD_SEED } = process.env;

/**
 * How fast-check runs: with the seed `WFD_SEED` where it is set, so many times, and with the error
 * where it fails.
 */
export function randomly(t: ExecutionContext, numRuns: number) {
  const seed = WFD_SEED === undefined ? Math.floor(Math.random() * 0x7fffffff) : Number(WFD_SEED);
  t.log(`WFD_SEED=${seed}`);
  return { seed, numRuns, includeErrorInReport: true };
}

/** Ten times as far in CI. */
export function effort(inCi: number): number {
  return CI === 'true' ? inCi : Math.ceil(inCi / 10);
}
