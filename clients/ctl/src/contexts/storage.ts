/** The file of contexts where it lies: for its owner alone, as it may hold tokens, and replaced as a whole or not at all. */
import { type FileHandle, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, posix, win32 } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../failure.js';

/** A change takes milliseconds. */
const LOCK_MS_MAX = 10_000;
const LOCK_EVERY_MS = 10;

export interface Place {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly homeFolder: string;
}

/** `--config`, else `WFDCTL_CONFIG`, else in the folder where this platform keeps the settings of a user. */
export function contextFilePath(flag: string | undefined, { environment, platform, homeFolder }: Place): string {
  return flag || environment['WFDCTL_CONFIG'] || defaultPath(environment, platform, homeFolder);
}

function defaultPath(environment: Place['environment'], platform: NodeJS.Platform, home: string): string {
  const { APPDATA, XDG_CONFIG_HOME } = environment;
  if (platform === 'win32')
    return win32.join(APPDATA || win32.join(home, 'AppData', 'Roaming'), 'wfdctl', 'config.yaml');
  if (platform === 'darwin') return posix.join(home, 'Library', 'Application Support', 'wfdctl', 'config.yaml');
  return posix.join(XDG_CONFIG_HOME || posix.join(home, '.config'), 'wfdctl', 'config.yaml');
}

/** Its text; empty where there is none yet. */
export async function readContextFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw unusable(file, error);
  }
}

/** Whether others than the owner may read it. Windows has no such bits: there the folder of the user protects it. */
export async function isReadByOthers(file: string, platform: NodeJS.Platform): Promise<boolean> {
  if (platform === 'win32') return false;
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && (found.mode & 0o077) !== 0;
}

/**
 * Reads it, and puts in its place what `edit` makes of it; a link to it stays one. The new text is written to a file beside
 * it that only one can make, which is also the lock: nobody reads half of a change, and no change undoes another.
 */
export async function changeContextFile(file: string, edit: (text: string) => string): Promise<void> {
  let target = file;
  let lock: FileHandle;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    target = await realpath(file).catch(() => file);
    lock = await locked(`${target}.lock`);
  } catch (error) {
    throw error instanceof Failure ? error : unusable(file, error);
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
    throw error instanceof Failure ? error : unusable(file, error);
  }
}

/** Waits while another process changes the file. */
async function locked(path: string): Promise<FileHandle> {
  const end = performance.now() + LOCK_MS_MAX;
  for (;;) {
    try {
      return await open(path, 'wx', 0o600);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Windows says EPERM while the one before is being renamed.
      if (code !== 'EEXIST' && !(code === 'EPERM' && process.platform === 'win32')) throw error;
      if (performance.now() > end)
        throw new Failure('config', `Another wfdctl is changing the contexts; if none is, delete ${path}.`);
    }
    await pause(LOCK_EVERY_MS * (1 + Math.random()));
  }
}

function unusable(file: string, error: unknown): Failure {
  const { code, message } = error as NodeJS.ErrnoException;
  return new Failure(
    'config',
    `The file of contexts can't be used (${code ?? message}); check ${file}, or give another with --config.`,
  );
}
