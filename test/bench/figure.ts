/**
 * A figure: what was measured of the gateway, what it is held against, and whether it is as good as
 * was aimed at.
 */
import { median } from './statistics.js';

/**
 * What one measurement came to, one value a round. JSON has null for what this machine can't tell.
 */
export interface Sample {
  readonly rounds: readonly number[];
  readonly median: number;
}

/** Aims are reported, never asserted: they depend on the machine and on what else it does. */
export interface Aim {
  /** The value that is aimed at: the gateway's own, or its ratio to what it is held against. */
  readonly of: 'gateway' | 'ratio';
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Figure {
  /** The case it belongs to, as `--only` takes it. */
  readonly case: string;
  readonly name: string;
  readonly unit: string;
  readonly gateway: Sample;
  readonly against?: Sample & { readonly what: string };
  /**
   * Median of the rounds' ratios, gateway to the other: rounds are made in pairs, so a busy machine
   * hits both.
   */
  readonly ratio?: number;
  readonly aim?: Aim;
  readonly isMet?: boolean;
}

/** The figures of one measured round, by name. */
export type Round = Readonly<Record<string, number>>;

export interface Measured {
  readonly name: string;
  readonly unit: string;
  /** Which of the rounds' figures this is. */
  readonly key: string;
  readonly aim?: Aim;
}

const BARE = 'bare server';

/** Makes a figure of the rounds of the gateway, and of as many of `other` where there are any. */
export function figure(
  name: string,
  { key, aim, ...measured }: Measured,
  gateway: readonly Round[],
  other: readonly Round[] = [],
  what = BARE,
): Figure {
  const ours = sample(gateway, key);
  const base = { case: name, ...measured, gateway: ours, ...(aim && { aim }) };
  if (other.length === 0) return { ...base, ...(aim && { isMet: isMet(aim, ours.median) }) };
  const against = { what, ...sample(other, key) };
  const ratio = median(ours.rounds.map((value, round) => value / (against.rounds[round] ?? Number.NaN)));
  return { ...base, against, ratio, ...(aim && { isMet: isMet(aim, aim.of === 'ratio' ? ratio : ours.median) }) };
}

function sample(rounds: readonly Round[], key: string): Sample {
  const values = rounds.map((round) => round[key] ?? Number.NaN);
  return { rounds: values, median: median(values) };
}

function isMet({ atLeast, atMost }: Aim, value: number): boolean {
  return value >= (atLeast ?? Number.NEGATIVE_INFINITY) && value <= (atMost ?? Number.POSITIVE_INFINITY);
}
