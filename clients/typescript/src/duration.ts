/** google.protobuf.Duration as milliseconds, which is how this library speaks of time. */
import type { Duration } from './gen/google/protobuf/duration.js';

/** The longest Duration, about 10,000 years. */
const DURATION_SECONDS_MAX = 315_576_000_000;

export function toMilliseconds({ seconds, nanos }: Duration): number {
  return Number(seconds) * 1000 + nanos / 1e6;
}

/**
 * Undefined stays unset: the host has a default. What is no Duration (NaN, Infinity) becomes the longest one, which the
 * host refuses by the name of the field.
 */
export function toDuration(ms: number | undefined): Duration | undefined {
  if (ms === undefined) return undefined;
  const isDuration = Math.abs(ms) < DURATION_SECONDS_MAX * 1000;
  const seconds = isDuration ? Math.trunc(ms / 1000) : DURATION_SECONDS_MAX;
  return { seconds: BigInt(seconds), nanos: isDuration ? Math.trunc((ms % 1000) * 1e6) : 0 };
}
