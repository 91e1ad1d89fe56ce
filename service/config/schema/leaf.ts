/**
 * The kinds of key that the configuration is made of.
 *
 * Each constructor makes a zod schema and files, in one registry, everything else that is known about the key: what it
 * means, why its default is what it is, how it is written as text. Messages, the example and the help are made of that.
 */
import * as z from 'zod';

/** What an author says about a key. */
interface Words {
  /** One sentence: what the key means. */
  readonly description: string;
  /** One sentence: why the default or the limit is what it is. */
  readonly why: string;
}

/** What is known about a key besides its type. */
export interface KeyNotes extends Words {
  /** How the key is read from an environment variable or a flag. */
  readonly form: 'number' | 'boolean' | 'text' | 'list' | 'json';
  /** Completes "is not ..." and "Give ..." in messages. */
  readonly expects: string;
  /** The values there are, where they are few and have names. */
  readonly choices?: readonly string[];
  /** Shown in the example file where the default is "not set" or differs from host to host. */
  readonly example?: unknown;
  /** Said in place of the default where that differs from host to host. */
  readonly defaultText?: string;
  /** Never shown, and not taken from the command line. */
  readonly isSecret?: boolean;
  /** A path: a relative one is meant from the folder of the file it stands in. Readable: the daemon cannot start without it. */
  readonly file?: 'readable' | 'any';
}

export const keyNotes = z.registry<KeyNotes>();
export const groupNotes = z.registry<{ readonly description: string }>();

/** What stands for a secret in everything the daemon prints. As a value it is refused, so that it never replaces one. */
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
    .refine((value) => value !== MASK, 'This is what `wfdd config print` shows in place of the secret, not the secret.')
    .nullable()
    .default(null)
    .register(keyNotes, { ...words, form: 'text', expects: 'a text', isSecret: true, example: MASK });
}

/** Keys that belong together. An absent group is one with every key at its default. */
export function group<T extends z.core.$ZodLooseShape>(description: string, shape: T) {
  const object = z.strictObject(shape);
  return object.prefault({} as z.input<typeof object>).register(groupNotes, { description });
}
