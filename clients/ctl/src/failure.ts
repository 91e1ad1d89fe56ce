/** What goes wrong: one sentence that says what to do about it, and how the program ends. */
import type { EXIT } from './exit-code.js';

export interface Complaint {
  readonly kind: keyof typeof EXIT;
  /** For people: what is wrong and what helps. */
  readonly message: string;
  /** For programs: what else is known. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An error that wfdctl finds itself. */
export class Failure extends Error implements Complaint {
  override readonly name = 'Failure';
  readonly kind: keyof typeof EXIT;

  constructor(kind: keyof typeof EXIT, message: string) {
    super(message);
    this.kind = kind;
  }
}
