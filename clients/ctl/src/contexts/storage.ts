/**
 * The context file on disk. Only its owner can read it, because it may hold tokens. A change
 * replaces the whole file or nothing.
 */
import { type FileHandle, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, posix, win32 } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CliError } from '../cli-error.js';

/** Far longer than a change, which takes milliseconds. */
const LOCK_TIMEOUT_MS = 10_000;
const LOCK_RETRY_MS = 10;

export interface ConfigPlace {
  /** Environment variables. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly homeFolder: string;
}

/** From `--config`, else `WFDCTL_CONFIG`, else the platform's folder for user settings. */
export function contextFilePath(flag: string | undefined, { variables, platform, homeFolder }: ConfigPlace): string {
  return flag || variables['WFDCTL_CONFIG'] || defaultPath(variables, platform, homeFolder);
}

function defaultPath(variables: ConfigPlace['variables'], platform: NodeJS.Platform, home: string): string {
  const { APPDATA, XDG_CONFIG_HOME } = variables;
  if (platform === 'win32')
    return win32.join(APPDATA || win32.join(home, 'AppData', 'Roaming'), 'wfdctl', 'config.yaml');
  if (platform === 'darwin') return posix.join(home, 'Library', 'Application Support', 'wfdctl', 'config.yaml');
  return posix.join(XDG_CONFIG_HOME || posix.join(home, '.config'), 'wfdctl', 'config.yaml');
}

/** The text of the file, or an empty text if the file does not exist. */
export async function readContextFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw storageError(file, error);
  }
}

/**
 * Whether other users can read the file. Always false on Windows, which has no permission bits;
 * there the user's folder protects the file.
 */
export async function isReadByOthers(file: string, platform: NodeJS.Platform): Promise<boolean> {
  if (platform === 'win32') return false;
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && (found.mode & 0o077) !== 0;
}

/**
 * Replaces the text of the file by `edit(text)`. If the path is a symbolic link, it stays one. The
 * new text is written to a lock file beside it, which then replaces the file. So nobody reads half
 * a change, and two changes at the same time are both kept.
 */
export async function changeContextFile(file: string, edit: (text: string) => string): Promise<void> {
  let target = file;
  let lock: FileHandle;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    target = await realpath(file).catch(() => file);
    lock = await acquireLock(`${target}.lock`);
  } catch (error) {
    throw error instanceof CliError ? error : storageError(file, error);
  }
  const draft = `${target}.lock`;
  try {
    const text = edit(await readContextFile(target));
    await lock.writeFile(text);
    await lock.close();
    await rename(draft, target);
  } catch (error) {
    await lock.close().catch(() => {});
    await rm(draft, { force: true });
    throw error instanceof CliError ? error : storageError(file, error);
  }
}

/** Creates the lock file. Waits while another process has it. */
async function acquireLock(path: string): Promise<FileHandle> {
  const end = performance.now() + LOCK_TIMEOUT_MS;
  for (;;) {
    try {
      return await open(path, 'wx', 0o600);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // On Windows the error is EPERM while the last lock file is being renamed.
      if (code !== 'EEXIST' && !(code === 'EPERM' && process.platform === 'win32')) throw error;
      if (performance.now() > end)
        throw new CliError('config', `Another wfdctl is changing the contexts; if none is running, delete ${path}.`);
    }
    await pause(LOCK_RETRY_MS * (1 + Math.random()));
  }
}

function storageError(file: string, error: unknown): CliError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new CliError(
    'config',
    `The context file can't be read or written (${code ?? message}); check ${file}, or give another --config.`,
  );
}
