/**
 * The kinds of configuration key.
 *
 * Each constructor makes a zod schema and registers the notes of the key: what it means, the reason
 * for its default, and how it is written as text. Messages, the example and the help are generated
 * from these notes.
 */
import * as z from 'zod';

/** The texts about a key. */
interface Words {
  /** One sentence: what the key means. */
  readonly description: string;
  /** One sentence: why the default or the limit is what it is. */
  readonly why: string;
}

/** The notes of a key. */
export interface KeyNotes extends Words {
  /** How the value is parsed from an environment variable or a flag. */
  readonly form: 'number' | 'boolean' | 'text' | 'list' | 'json';
  /** Completes "is not ..." and "Give ..." in messages. */
  readonly expects: string;
  /** The values of an enumeration. */
  readonly choices?: readonly string[];
  /** The example file shows this if the default is "not set" or depends on the host. */
  readonly example?: unknown;
  /** Describes the default if it depends on the host. */
  readonly defaultText?: string;
  /** Never printed, and not accepted on the command line. */
  readonly isSecret?: boolean;
  /**
   * The value is a path, relative to the folder of its source. `readable`: the daemon must be able
   * to read the file to start.
   */
  readonly file?: 'readable' | 'any';
}

export const keyNotes = z.registry<KeyNotes>();
export const groupNotes = z.registry<{ readonly description: string }>();

/**
 * Printed in place of every secret. It is not accepted as a value, so that it cannot replace a
 * secret by mistake.
 */
export const MASK = '********';

type Range = readonly [least: number, most: number];

function wholeNumber(byDefault: number, [least, most]: Range, unit: string, words: Words) {
  return z
    .int()
    .min(least)
    .max(most)
    .default(byDefault)
    .register(keyNotes, { ...words, form: 'number', expects: `a whole number${unit} from ${least} to ${most}` });
}

export function milliseconds(byDefault: number, range: Range, words: Words) {
  return wholeNumber(byDefault, range, ' of milliseconds', words);
}

export function bytes(byDefault: number, range: Range, words: Words) {
  return wholeNumber(byDefault, range, ' of bytes', words);
}

export function count(byDefault: number, range: Range, words: Words) {
  return wholeNumber(byDefault, range, '', words);
}

/** From 0 to 1. */
export function fraction(byDefault: number, words: Words) {
  return z
    .number()
    .min(0)
    .max(1)
    .default(byDefault)
    .register(keyNotes, { ...words, form: 'number', expects: 'a number from 0 to 1' });
}

export function boolean(byDefault: boolean, words: Words) {
  return z
    .boolean()
    .default(byDefault)
    .register(keyNotes, { ...words, form: 'boolean', expects: 'true or false' });
}

export function choice<const T extends readonly [string, ...string[]]>(
  options: T,
  byDefault: NoInfer<T[number]>,
  words: Words,
) {
  return z
    .enum(options)
    .default(byDefault as z.core.util.NoUndefined<z.output<z.ZodEnum<z.core.util.ToEnum<T[number]>>>>)
    .register(keyNotes, { ...words, form: 'text', expects: `one of ${options.join(', ')}`, choices: options });
}

/** A path that is not set by default. */
export function path(file: 'readable' | 'any', example: string, words: Words) {
  return z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .register(keyNotes, { ...words, form: 'text', expects: 'a path', file, example });
}

/** A text that is not set by default. */
export function text(example: string, words: Words) {
  return z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .register(keyNotes, { ...words, form: 'text', expects: 'a text', example });
}

/** A secret that is not set by default. */
export function secret(words: Words) {
  return z
    .string()
    .min(1)
    .refine((value) => value !== MASK, 'This is the mask that `wfdd config print` shows, not the secret.')
    .nullable()
    .default(null)
    .register(keyNotes, { ...words, form: 'text', expects: 'a text', isSecret: true, example: MASK });
}

/** A group of keys. In an absent group every key has its default. */
export function group<T extends z.core.$ZodLooseShape>(description: string, shape: T) {
  const object = z.strictObject(shape);
  return object.prefault({} as z.input<typeof object>).register(groupNotes, { description });
}
