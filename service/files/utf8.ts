/**
 * Decodes UTF-8 strictly. Node's default keeps the byte order mark that Windows editors write, and
 * accepts invalid bytes.
 */

/** Throws an Error that does not quote the content. */
export function textOf(content: Uint8Array | undefined): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    throw new Error('It is not UTF-8. In PowerShell, use -Encoding utf8; the default is UTF-16.');
  }
}
