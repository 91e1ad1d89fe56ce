/** A problem in a configuration: where it is, what is wrong, and how to fix it. */
import { visible } from '../visible.js';
import { MASK } from './schema/leaf.js';

export interface Problem {
  /**
   * The key, or a part of one such as `listen[1]`; empty if the problem is the source as a whole.
   */
  readonly path: string;
  /** The value, safe to print; absent if there is none. */
  readonly value?: string;
  /**
   * Where the value was set: a line of the file, an environment variable, a flag, or "the default".
   */
  readonly source: string;
  /** What is wrong, as a sentence. */
  readonly message: string;
  /** What to do, as a sentence. */
  readonly remedy: string;
}

/** Carries all problems at once. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super(`The configuration has ${count}.\n\n${problems.map(describeProblem).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

export function describeProblem({ path, value, source, message, remedy }: Problem): string {
  const subject = value === undefined ? path : `${path}: ${value}`;
  const heading = subject === '' ? source : `${subject}  (${source})`;
  return `${heading}\n  ${message}\n  ${remedy}\n`;
}

/** A value as one short line of JSON. Credentials and queries of URLs are masked. */
export function showValue(value: unknown): string {
  const text = visible(JSON.stringify(value) ?? String(value))
    .replace(/:\/\/[^"\s]*@/g, `://${MASK}@`)
    .replace(/(:\/\/[^"\s?#]*[?#])[^"\s]+/g, `$1${MASK}`);
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}
