/** What can be written to: `process.stdout` and `process.stderr` are such, and so is what a test listens with. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Whether it is a terminal that follows the codes for colour and cursor. */
export function isCapable(sink: Sink, environment: Readonly<Record<string, string | undefined>>): boolean {
  return sink.isTTY === true && environment['TERM'] !== 'dumb';
}

/** As no-color.org has it: any value but none and the empty one. */
export function isColoured(sink: Sink, environment: Readonly<Record<string, string | undefined>>): boolean {
  return isCapable(sink, environment) && !environment['NO_COLOR'];
}
