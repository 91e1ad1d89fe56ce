/**
 * Whether an error of `node:fs` says that the file does not exist. Any other error leaves that
 * open.
 */
export function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
