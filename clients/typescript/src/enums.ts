/**
 * The name of a value of an enum of the contract, without prefix: `nameOf(SessionState, session.state)` is 'OPEN'. The
 * number as text where this version knows none: the host is newer.
 */
export function nameOf(values: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(values).find((name) => values[name] === value) ?? String(value);
}
