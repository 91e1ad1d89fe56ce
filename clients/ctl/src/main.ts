/** The process of `wfdctl`: connects arguments, streams, signals and the exit code to `run`. */
import { homedir } from 'node:os';
import { isatty } from 'node:tty';
import { EXIT } from './exit-code.js';
import { run } from './run.js';

/**
 * The signals that interrupt a command. On Windows, closing the window sends SIGHUP, and Ctrl+Break
 * SIGBREAK.
 */
const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'];

/** `packageFolder` is the folder of the launcher. */
export async function main(packageFolder: URL): Promise<void> {
  // Node's deprecation warnings are for developers of wfdctl, not for its users.
  process.noDeprecation = true;
  if (ignoresHangup()) process.on('SIGHUP', () => {});
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', ({ code }: NodeJS.ErrnoException) => {
      // The reader, such as `head`, needs no more output.
      if (code === 'EPIPE') process.exit(EXIT.ok);
      // If the terminal is gone, SIGHUP follows, and that closes the session in good order.
      if (code === 'EIO' || stream === process.stderr) return;
      console.error(`wfdctl: The output can't be written (${code}); free some space, or write it to another place.`);
      process.exit(EXIT.internal);
    });
  }
  const environment = {
    stdout: process.stdout,
    stderr: process.stderr,
    variables: process.env,
    platform: process.platform,
    homeFolder: homedir(),
    workingFolder: process.cwd(),
    packageFolder,
    onInterrupt,
  };
  try {
    process.exitCode = await run(process.argv.slice(2), environment);
  } catch (error) {
    console.error('wfdctl: Internal error; please report it.', error);
    process.exitCode = EXIT.internal;
  }
}

/**
 * Whether SIGHUP is ignored: it is if no stream is a terminal, because then no terminal can go
 * away. This has to be done here because Node undoes the setting of nohup. On Windows SIGHUP comes
 * from the window, so it is never ignored.
 */
function ignoresHangup(): boolean {
  return process.platform !== 'win32' && ![0, 1, 2].some((fd) => isatty(fd));
}

function onInterrupt(listener: () => void): () => void {
  const signals = SIGNALS.filter((signal) => signal !== 'SIGHUP' || !ignoresHangup());
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}
