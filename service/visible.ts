/**
 * Characters that a terminal may interpret or that change the direction of text: control characters
 * (C0, DEL and C1), bidi controls, and the two line separators that JSON does not escape.
 */
const UNSAFE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/**
 * Escapes these characters like `\u009b`, which is also valid within JSON and means the same there.
 */
export function visible(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
