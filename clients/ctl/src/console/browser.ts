/**
 * Opens the browser at a link that holds a key.
 *
 * The link is not given on a command line, which every user of the machine can read: it is in a
 * file that only its owner can, and that sends the browser on.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What opens a file with the program that the user has chosen for it. */
const OPENERS: Partial<Readonly<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ['open'],
  win32: ['rundll32.exe', 'url.dll,FileProtocolHandler'],
};

export interface OpenedBrowser {
  /** Whether there was a program to open it with. */
  readonly isOpened: boolean;
  /** Removes the file. */
  close(): Promise<void>;
}

export async function openBrowser(
  link: string,
  platform: NodeJS.Platform,
  opener: readonly [string, ...string[]] = OPENERS[platform] ?? ['xdg-open'],
): Promise<OpenedBrowser> {
  const folder = await mkdtemp(join(tmpdir(), 'wfdctl-console-'));
  const file = join(folder, 'console.html');
  const close = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await writeFile(file, pageThatSendsTo(link), { mode: 0o600 });
    const [command, ...args] = opener;
    const child = spawn(command, [...args, pathToFileURL(file).href], { stdio: 'ignore', detached: true });
    const isOpened = await new Promise<boolean>((resolve) => {
      child.once('spawn', () => resolve(true));
      child.once('error', () => resolve(false));
    });
    child.unref();
    return { isOpened, close };
  } catch {
    return { isOpened: false, close };
  }
}

/** A link is made of letters that HTML leaves as they are. */
function pageThatSendsTo(link: string): string {
  return `<!doctype html><meta charset="utf-8"><title>wfdctl console</title>
<meta http-equiv="refresh" content="0;url=${link}"><a href="${link}">Open the console</a>\n`;
}
