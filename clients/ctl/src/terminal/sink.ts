/** A stream for output: `process.stdout`, `process.stderr`, or that of a test. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Whether it is a terminal that understands escape codes. */
export function isCapable(sink: Sink, variables: Readonly<Record<string, string | undefined>>): boolean {
  return sink.isTTY === true && variables['TERM'] !== 'dumb';
}

/** No colour if NO_COLOR has a value that is not empty (no-color.org). */
export function isColoured(sink: Sink, variables: Readonly<Record<string, string | undefined>>): boolean {
  return isCapable(sink, variables) && !variables['NO_COLOR'];
}
