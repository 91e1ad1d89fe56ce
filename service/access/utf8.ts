/** The text of a file that people write: by itself Node keeps the mark that Windows puts before it, and reads what is no UTF-8 all the same. */

/** Throws an Error that quotes none of it. */
export function textOf(content: Uint8Array | undefined): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    throw new Error('It is not UTF-8: PowerShell writes UTF-16 unless it is told -Encoding utf8.');
  }
}
