/**
 * `wfdctl console`: serves a page for the browser until Ctrl+C. The page sends its requests to this
 * command, and this command calls the host, so the page can see and do what the user of the command
 * can.
 */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { EXIT, type ExitCode } from '../exit-code.js';
import type { Invocation } from '../invocation.js';
import { examples, type Run } from './command.js';

interface ConsoleOptions {
  readonly allowActions?: boolean;
  /** False: only print the link. */
  readonly browser?: boolean;
}

export function declareConsole(program: Command, run: Run): Command {
  return program
    .command('console')
    .description('Show the host and its sessions live in the browser, until Ctrl+C.')
    .option('--allow-actions', 'let the page open, close, cancel and renew sessions, and search for devices')
    .option('--no-browser', 'only print the link, which works once within 10 minutes')
    .action((options: ConsoleOptions) => run((invocation) => runConsole(options, invocation)))
    .addHelpText('after', examples('console', 'console --allow-actions --context lab'));
}

/** Enough for a browser to start. */
const KEY_LIFE_MS = 60_000;
/** Enough for a person to copy the link to another browser. */
const COPIED_KEY_LIFE_MS = 600_000;

async function runConsole(
  { allowActions: allowsActions = false, browser: opensBrowser = true }: ConsoleOptions,
  invocation: Invocation,
): Promise<ExitCode> {
  const { output, environment } = invocation;
  const client = await invocation.client();
  // These load gRPC.
  const [{ readAssets }, { openBrowser }, { ConsoleServer }] = await Promise.all([
    import('../console/assets.js'),
    import('../console/browser.js'),
    import('../console/server.js'),
  ]);
  const assets = await readAssets(environment.packageFolder);
  const { version } = JSON.parse(await readFile(new URL('package.json', environment.packageFolder), 'utf8')) as {
    version: string;
  };
  let stopListening = (): void => {};
  const interrupted = new Promise<void>((resolve) => {
    stopListening = environment.onInterrupt(resolve);
  });
  const hosts = [{ name: invocation.host, client }];
  const keyLifeMs = opensBrowser ? KEY_LIFE_MS : COPIED_KEY_LIFE_MS;
  const server = await ConsoleServer.start({ hosts, assets, allowsActions, version, keyLifeMs });
  const { link } = server;
  output.result({ text: () => `${link}\n`, message: () => ({ link }), names: () => [link] });
  const opened = opensBrowser ? await openBrowser(link, environment.platform) : undefined;
  if (opened?.isOpened === false) output.warn("The browser can't be started; open the link above in a browser.");
  output.hint('The link works once. Press Ctrl+C to stop the console.');
  try {
    await interrupted;
  } finally {
    stopListening();
    server.close();
    await opened?.close();
  }
  return EXIT.ok;
}
