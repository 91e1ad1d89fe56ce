/**
 * Small, plausible mistakes ("slips"), made in a copy of the sources all at once, each behind a
 * switch: with `__STRYKER_ACTIVE_MUTANT__=7` the seventh is in force, without it none is. So the
 * copy is compiled once, however many slips are tried.
 */
import type { Logger } from '@stryker-mutator/api/logging';
import { Instrumenter } from '@stryker-mutator/instrumenter';

/**
 * The variable that puts one slip in force, in a test process and in every process that it starts.
 */
export const SWITCH = '__STRYKER_ACTIVE_MUTANT__';

export interface Source {
  /** Within the repository, with `/`. */
  readonly path: string;
  readonly text: string;
}

export interface Slip {
  readonly id: string;
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** Which kind of mistake, in Stryker's words: `ConditionalExpression`, `BlockStatement`, ... */
  readonly kind: string;
  readonly before: string;
  readonly after: string;
}

/**
 * Kinds that are not made: other words in a text, and other patterns. Texts are compared by few
 * tests, and rightly so; a wrong state or reason is a type error already.
 */
const KINDS_LEFT_OUT = ['StringLiteral', 'Regex'];

const silent: Logger = {
  isTraceEnabled: () => false,
  isDebugEnabled: () => false,
  isInfoEnabled: () => false,
  isWarnEnabled: () => false,
  isErrorEnabled: () => false,
  isFatalEnabled: () => false,
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  fatal: () => {},
};

/** The sources with all their slips in them, and a list of these. */
export async function withSlips(sources: readonly Source[]): Promise<{ sources: Source[]; slips: Slip[] }> {
  const { files, mutants } = await new Instrumenter(silent).instrument(
    sources.map(({ path, text }) => ({ name: path, content: text, mutate: true })),
    { ignorers: [], excludedMutations: KINDS_LEFT_OUT, plugins: null, noHeader: false },
  );
  const texts = new Map(sources.map(({ path, text }) => [path, text.split('\n')]));
  return {
    sources: files.map(({ name, content }) => ({ path: name, text: content })),
    slips: mutants.map(({ id, fileName, location: { start, end }, mutatorName, replacement }) => {
      const lines = (texts.get(fileName) ?? []).slice(start.line, end.line + 1);
      return {
        id,
        path: fileName,
        line: start.line + 1,
        column: start.column + 1,
        kind: mutatorName,
        before: between(lines, start.column, end.column),
        after: replacement,
      };
    }),
  };
}

/** What stands from a column of the first line to a column of the last. */
function between(lines: readonly string[], from: number, to: number): string {
  const last = lines.length - 1;
  return lines.map((line, i) => line.slice(i === 0 ? from : 0, i === last ? to : line.length)).join('\n');
}

/**
 * `count` of the slips, chosen by the seed; in the order of their places. All of them if there are
 * no more.
 */
export function sample(slips: readonly Slip[], count: number, seed: number): Slip[] {
  const random = mulberry32(seed);
  return slips
    .map((slip) => ({ slip, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .slice(0, count)
    .map(({ slip }) => slip)
    .sort((a, b) => a.path.localeCompare(b.path) || a.line - b.line || a.column - b.column);
}

/** A small generator of numbers from 0 to 1 that gives the same ones for the same seed. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
