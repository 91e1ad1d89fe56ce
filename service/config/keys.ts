/** The schema as a flat list of keys, with the environment variable of each. */
import type { z } from 'zod';
import { groupNotes, type KeyNotes, keyNotes } from './schema/leaf.js';
import { type Config, configSchema, type KeyPath } from './schema.js';

export interface Key {
  readonly path: KeyPath;
  /** `session.openTimeoutMs` -> `WFDD_SESSION_OPEN_TIMEOUT_MS`. */
  readonly variable: string;
  readonly schema: z.ZodType;
  readonly notes: KeyNotes;
  readonly byDefault: unknown;
}

export interface Group {
  readonly path: string;
  readonly description: string;
}

/** The prefix of all environment variables that are read. No other variable may have it. */
export const VARIABLE_PREFIX = 'WFDD_';

/** Keys and groups in the order of the schema, a group before its keys. */
export const outline: readonly (Key | Group)[] = [...walk(configSchema, '')];

export const keys: readonly Key[] = outline.filter((item): item is Key => 'schema' in item);

const keysByPath: ReadonlyMap<string, Key> = new Map(keys.map((key) => [key.path, key]));
const keysByVariable: ReadonlyMap<string, Key> = new Map(keys.map((key) => [key.variable, key]));
const groups: ReadonlySet<string> = new Set(outline.filter((item) => !('schema' in item)).map((item) => item.path));

export function keyAt(path: KeyPath): Key;
export function keyAt(path: string): Key | undefined;
export function keyAt(path: string): Key | undefined {
  return keysByPath.get(path);
}

export function keyOfVariable(name: string): Key | undefined {
  return keysByVariable.get(name);
}

export function isGroup(path: string): boolean {
  return groups.has(path);
}

/** The value of a key in a Config. */
export function valueAt(config: Config, path: KeyPath): unknown {
  return path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], config);
}

/**
 * Parses the text of a variable or flag: `''` means "not set" if the key allows that, and a list
 * has commas or is JSON. A text that does not parse is returned unchanged, and the schema rejects
 * it.
 */
export function valueFromText(key: Key, text: string): unknown {
  if (text === '' && key.byDefault === null) return null;
  switch (key.notes.form) {
    case 'text':
      return text;
    case 'number':
      return /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : text;
    case 'boolean':
      return text === 'true' || (text === 'false' ? false : text);
    case 'list':
      return text.startsWith('[') ? fromJson(text) : text.split(',').map((part) => part.trim());
    case 'json':
      return fromJson(text);
  }
}

/** The existing path closest to an unknown one. */
export function nearestPath(path: string): string | undefined {
  const wanted = plain(path);
  const sameName = keys.find(
    (key) => plain(key.path) === wanted || plain(lastPart(key.path)) === plain(lastPart(path)),
  );
  return sameName?.path ?? nearest(path, [...keysByPath.keys(), ...groups]);
}

/** The existing environment variable closest to an unknown one. */
export function nearestVariable(name: string): string | undefined {
  return nearest(name, [...keysByVariable.keys()]);
}

function* walk(object: z.ZodObject, prefix: string): Iterable<Key | Group> {
  for (const [name, child] of Object.entries(object.shape as Record<string, z.ZodType>)) {
    const path = prefix + name;
    const notes = keyNotes.get(child);
    if (notes !== undefined) {
      const variable = VARIABLE_PREFIX + path.replace(/\./g, '_').replace(/[A-Z]/g, '_$&').toUpperCase();
      yield { path: path as KeyPath, variable, schema: child, notes, byDefault: child.parse(undefined) };
    } else {
      yield { path, description: groupNotes.get(child)?.description ?? '' };
      yield* walk((child as z.ZodPrefault<z.ZodObject>).unwrap(), `${path}.`);
    }
  }
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

/** Lets `open_timeout_ms` match `openTimeoutMs`. */
function plain(path: string): string {
  return path.toLowerCase().replace(/[_-]/g, '');
}

function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, edits: editsBetween(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  return best !== undefined && best.edits <= Math.max(1, Math.floor(word.length / 3)) ? best.candidate : undefined;
}

/** The Levenshtein distance: how many characters to insert, delete or replace. */
function editsBetween(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
