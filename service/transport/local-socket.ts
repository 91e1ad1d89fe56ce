/** What is left of a Unix socket when the daemon that served it was killed: a file in the way of the next one. */
import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';

/** Removes the socket that nobody serves; one that is served, or a file that is no socket, stays, and the bind says so. */
export async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket() && !(await isServed(path))) await unlink(path);
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED'));
  });
}
