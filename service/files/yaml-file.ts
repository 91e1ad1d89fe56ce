/** Parses YAML files that people write. Loaded only if there is one. */
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';

/**
 * Parses and validates the text. Throws an Error that names the position and does not quote the
 * text, which may contain a secret.
 */
export function parseYaml<T>(text: string, schema: z.ZodType<T>, nothing: string): T {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [fault] = document.errors;
  if (fault !== undefined) throw new Error(`It is not valid YAML at line ${lines.linePos(fault.pos[0]).line}.`);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 0 });
  } catch {
    throw new Error('YAML aliases (*name) are not supported. Write the value out.');
  }
  // A file that is being rewritten can be empty for a moment. That must not revoke everything.
  if (value === null) throw new Error(`The file is empty. For ${nothing} at all, write [].`);
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const [{ path, message } = { path: [], message: '' }] = checked.error.issues;
  throw new Error(`${path.join('.') || 'The file'} ${message}.`);
}
