/** A file that people write in YAML. Loaded only where there is one. */
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';

/** The checked value. Throws an Error that names the place and never quotes the file: a secret may stand there. */
export function parseYaml<T>(text: string, schema: z.ZodType<T>, nothing: string): T {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [fault] = document.errors;
  if (fault !== undefined) throw new Error(`It is not valid YAML at line ${lines.linePos(fault.pos[0]).line}.`);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 0 });
  } catch {
    throw new Error('It has an alias of YAML (*name); write out what it stands for.');
  }
  // What is being written anew may be empty for a moment, and must not take everything back.
  if (value === null) throw new Error(`The file is empty; for ${nothing} at all it must have [].`);
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const [{ path, message } = { path: [], message: '' }] = checked.error.issues;
  throw new Error(`${path.join('.') || 'The file'} ${message}.`);
}
