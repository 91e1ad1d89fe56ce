/**
 * Returns the name of an enum value without its prefix: `nameOf(SessionState, session.state)` is
 * 'OPEN'. For a value that this version does not know, because the host is newer, it returns the
 * number as text.
 */
export function nameOf(values: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(values).find((name) => values[name] === value) ?? String(value);
}
