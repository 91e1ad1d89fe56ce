/** The errors that wfdctl prints. */
import type { EXIT } from './exit-code.js';

export type ErrorKind = keyof typeof EXIT;

export class CliError extends Error {
  override readonly name = 'CliError';
  /** Decides the exit code. */
  readonly kind: ErrorKind;
  /** For programs: everything else that is known about the error, ready for JSON. */
  readonly details: Readonly<Record<string, unknown>>;

  /** `message` is one sentence: what happened, with which value, and what to do next. */
  constructor(kind: ErrorKind, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.kind = kind;
    this.details = details;
  }
}
