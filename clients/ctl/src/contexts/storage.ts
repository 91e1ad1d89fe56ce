/** The file of contexts where it lies: for its owner alone, as it may hold tokens, and replaced as a whole or not at all. */
import { mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, posix, win32 } from 'node:path';
import { Failure } from '../failure.js';

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

/** Through a new file beside it, so that nobody ever reads half of it; a link to it stays one. */
export async function writeContextFile(file: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const target = await realpath(file).catch(() => file);
    const draft = `${target}.${process.pid}`;
    try {
      await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
      await rename(draft, target);
    } finally {
      await rm(draft, { force: true });
    }
  } catch (error) {
    throw unusable(file, error);
  }
}

function unusable(file: string, error: unknown): Failure {
  const { code, message } = error as NodeJS.ErrnoException;
  return new Failure(
    'config',
    `The file of contexts can't be used (${code ?? message}); check ${file}, or give another with --config.`,
  );
}
