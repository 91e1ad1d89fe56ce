/**
 * A position in an event log as clients hold it. It is `<epoch>.<sequence>`, and opaque to them.
 */
export interface Cursor {
  readonly epoch: string;
  /** The last sequence that the client has seen; 0 if it has seen none. */
  readonly sequence: number;
}

export function formatCursor(epoch: string, sequence: number): string {
  return `${epoch}.${sequence}`;
}

/** Undefined if no host can have given this text. */
export function parseCursor(text: string): Cursor | undefined {
  const match = /^([0-9a-f]{16})\.(0|[1-9][0-9]{0,15})$/.exec(text);
  const [, epoch, digits] = match ?? [];
  if (epoch === undefined || digits === undefined) return undefined;
  const sequence = Number(digits);
  return Number.isSafeInteger(sequence) ? { epoch, sequence } : undefined;
}
