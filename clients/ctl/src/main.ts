/** The process of `wfdctl`: its arguments, streams and signals in, its exit code out. */
import { homedir } from 'node:os';
import { isatty } from 'node:tty';
import { EXIT } from './exit-code.js';
import { run } from './run.js';

/** What ends a session in good order. On Windows, closing the window is SIGHUP, and Ctrl+Break SIGBREAK. */
const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'];

/** `packageFolder` is where the launcher lies. */
export async function main(packageFolder: URL): Promise<void> {
  // Warnings of what Node will do otherwise one day are for who makes this, not for who uses it.
  process.noDeprecation = true;
  if (isHangupOfNothing()) process.on('SIGHUP', () => {});
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', ({ code }: NodeJS.ErrnoException) => {
      // Who reads has had enough, as `head` does; nothing is left to say.
      if (code === 'EPIPE') process.exit(EXIT.ok);
      // A terminal that is gone tells by SIGHUP as well, which ends a session in good order.
      if (code === 'EIO' || stream === process.stderr) return;
      console.error(`wfdctl: The output can't be written (${code}); give it room, or another place.`);
      process.exit(EXIT.internal);
    });
  }
  const surroundings = {
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    platform: process.platform,
    homeFolder: homedir(),
    workingFolder: process.cwd(),
    packageFolder,
    onInterrupt,
  };
  try {
    process.exitCode = await run(process.argv.slice(2), surroundings);
  } catch (error) {
    console.error('wfdctl made a mistake; report it:', error);
    process.exitCode = EXIT.internal;
  }
}

/** Node takes back what nohup has set. Where there is no terminal, none can be gone; on Windows it is the window itself. */
function isHangupOfNothing(): boolean {
  return process.platform !== 'win32' && ![0, 1, 2].some((fd) => isatty(fd));
}

function onInterrupt(listener: () => void): () => void {
  const signals = SIGNALS.filter((signal) => signal !== 'SIGHUP' || !isHangupOfNothing());
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}
