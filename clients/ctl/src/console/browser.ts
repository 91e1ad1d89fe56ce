/**
 * Opens the browser with a link that contains a key.
 *
 * Every user of the machine can read command lines, so the link is not on one. It is in a file that
 * only its owner can read, and this file redirects the browser.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The command that opens a file with the user's default program. */
const OPENERS: Partial<Readonly<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ['open'],
  win32: ['rundll32.exe', 'url.dll,FileProtocolHandler'],
};

interface OpenedBrowser {
  /** Whether the command was started. */
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

/** The link contains no characters that HTML would need escaped. */
function pageThatSendsTo(link: string): string {
  return `<!doctype html><meta charset="utf-8"><title>wfdctl console</title>
<meta http-equiv="refresh" content="0;url=${link}"><a href="${link}">Open the console</a>\n`;
}
