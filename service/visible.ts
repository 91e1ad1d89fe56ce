/**
 * Characters that a terminal takes for a command, or that turn the order of the letters around them: control characters
 * (C0, DEL and C1), marks of direction, and the two separators of lines that JSON lets stand raw.
 */
const UNSAFE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/** The text with these written as `\u009b`: also right within a JSON text, where it means the same. */
export function visible(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
