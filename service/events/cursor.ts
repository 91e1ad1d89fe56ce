/** A place in an event log, as clients hold it: opaque to them, `<epoch>.<sequence>` to us. */
export interface Cursor {
  readonly epoch: string;
  /** The last sequence seen; 0: none yet. */
  readonly sequence: number;
}

export function formatCursor(epoch: string, sequence: number): string {
  return `${epoch}.${sequence}`;
}

/** Undefined where the text can't have come from any host. */
export function parseCursor(text: string): Cursor | undefined {
  const match = /^([0-9a-f]{16})\.(0|[1-9][0-9]{0,15})$/.exec(text);
  const [, epoch, digits] = match ?? [];
  if (epoch === undefined || digits === undefined) return undefined;
  const sequence = Number(digits);
  return Number.isSafeInteger(sequence) ? { epoch, sequence } : undefined;
}
