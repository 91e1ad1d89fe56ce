/**
 * `wfdctl console`: a page to look at, in the browser of who runs it, until Ctrl+C. The page asks this command, and this
 * command asks the host; so what the page shows and does is what its user may see and do.
 */
import { readFile } from 'node:fs/promises';
import { readAssets } from '../console/assets.js';
import { openBrowser } from '../console/browser.js';
import { ConsoleServer } from '../console/server.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import type { Invocation } from '../invocation.js';

export interface ConsoleOptions {
  readonly allowActions?: boolean;
  /** False: only print the link. */
  readonly browser?: boolean;
}

/** Time for a browser to start. */
const KEY_LIFE_MS = 60_000;
/** Time for a person to carry the link elsewhere. */
const CARRIED_KEY_LIFE_MS = 600_000;

export async function runConsole(
  { allowActions: allowsActions = false, browser: opensBrowser = true }: ConsoleOptions,
  invocation: Invocation,
): Promise<ExitCode> {
  const { output, surroundings } = invocation;
  const client = await invocation.client();
  const assets = await readAssets(surroundings.packageFolder);
  const { version } = JSON.parse(await readFile(new URL('package.json', surroundings.packageFolder), 'utf8')) as {
    version: string;
  };
  let stopListening = (): void => {};
  const interrupted = new Promise<void>((resolve) => {
    stopListening = surroundings.onInterrupt(resolve);
  });
  const hosts = [{ name: invocation.host, client }];
  const keyLifeMs = opensBrowser ? KEY_LIFE_MS : CARRIED_KEY_LIFE_MS;
  const server = await ConsoleServer.start({ hosts, assets, allowsActions, version, keyLifeMs });
  const { link } = server;
  output.result({ text: () => `${link}\n`, message: () => ({ link }), names: () => [link] });
  const opened = opensBrowser ? await openBrowser(link, surroundings.platform) : undefined;
  if (opened?.isOpened === false)
    output.warn({ kind: 'unavailable', message: 'No browser could be opened; follow the link above.' });
  output.hint('The link works once. Ctrl+C ends the console.');
  try {
    await interrupted;
  } finally {
    stopListening();
    server.close();
    await opened?.close();
  }
  return EXIT.ok;
}
