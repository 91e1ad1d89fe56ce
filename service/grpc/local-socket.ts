/**
 * A Unix socket as a file: who may connect is its mode, and a file that a killed daemon has left is
 * in the way of the next one.
 */
import { chmodSync, lstatSync, readFileSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';

/**
 * Binds a socket that has this mode from its first moment, whatever umask the process was started
 * with.
 */
export async function bindLocalSocket<T>(path: string, mode: number, bind: () => Promise<T>): Promise<T> {
  await removeStaleSocket(path);
  const before = process.umask(0o777 & ~mode);
  const bound = await bind().finally(() => process.umask(before));
  // Not every system lets the umask count for sockets.
  chmodSync(path, mode);
  return bound;
}

/**
 * Removes the socket that nobody serves. One that a living program holds, or a file that is no
 * socket, stays, and the bind says so. Nothing happens between the last look and the removal.
 */
async function removeStaleSocket(path: string): Promise<void> {
  const found = identityOf(path);
  if (found === undefined || !isSocket(path) || (await isServed(path)) || isBound(path)) return;
  if (identityOf(path) === found) unlinkSync(path);
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

/**
 * A program that has bound a socket and doesn't listen yet refuses connections, too. Linux lists
 * what is bound.
 */
function isBound(path: string): boolean {
  let list: string;
  try {
    list = readFileSync('/proc/net/unix', 'utf8');
  } catch {
    return false;
  }
  return list.split('\n').some((line) => line.endsWith(` ${path}`));
}

function isSocket(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true;
}

/** Another one for each file that has ever had the path. */
function identityOf(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  return found && `${found.dev} ${found.ino} ${found.ctimeNs}`;
}
