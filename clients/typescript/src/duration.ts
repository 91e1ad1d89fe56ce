/** Converts google.protobuf.Duration to and from milliseconds, the unit of this library. */
import type { Duration } from '../../../proto/gen/google/protobuf/duration.js';

/** The longest Duration: about 10,000 years. */
const DURATION_SECONDS_MAX = 315_576_000_000;

/** Returns the duration in milliseconds. */
export function toMilliseconds({ seconds, nanos }: Duration): number {
  return Number(seconds) * 1000 + nanos / 1e6;
}

/**
 * Undefined stays undefined, and the host uses its default. NaN and Infinity become the longest
 * Duration, which the host rejects with the name of the field.
 */
export function toDuration(ms: number | undefined): Duration | undefined {
  if (ms === undefined) return undefined;
  const isDuration = Math.abs(ms) < DURATION_SECONDS_MAX * 1000;
  const seconds = isDuration ? Math.trunc(ms / 1000) : DURATION_SECONDS_MAX;
  return { seconds: BigInt(seconds), nanos: isDuration ? Math.trunc((ms % 1000) * 1e6) : 0 };
}
