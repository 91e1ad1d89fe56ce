/** Whether an error of `node:fs` says that there is no such file. Any other error says nothing about that. */
export function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
