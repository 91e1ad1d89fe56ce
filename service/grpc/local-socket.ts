/**
 * A Unix socket as a file: its mode says who may connect, and the file of a killed daemon would
 * block the next one.
 */
import { chmodSync, lstatSync, readFileSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';

/** Binds a socket that has this mode from the beginning, whatever the umask of the process is. */
export async function bindLocalSocket<T>(path: string, mode: number, bind: () => Promise<T>): Promise<T> {
  await removeStaleSocket(path);
  const before = process.umask(0o777 & ~mode);
  const bound = await bind().finally(() => process.umask(before));
  // Some systems ignore the umask for sockets.
  chmodSync(path, mode);
  return bound;
}

/**
 * Removes a socket that nobody serves. A socket of a running program, or a file that is not a
 * socket, stays, and the bind fails. Nothing runs between the check and the removal.
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
 * A program that has bound a socket but does not listen yet refuses connections, too. Linux lists
 * bound sockets.
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

/** Differs for each file that has ever had this path. */
function identityOf(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  return found && `${found.dev} ${found.ino} ${found.ctimeNs}`;
}
