/**
 * The demo behind `npm run demo`: the daemon on its simulator, a remote client in a process of its
 * own, and the daemon's orderly end. Exits 0 only if all of it went as it should.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type DaemonProcess, startDaemon } from '../harness/daemon.js';

const help = `Usage: npm run demo

Starts the daemon on its simulator (no Windows and no radio are needed), lets a client in another process open a session
and close it, open one that fails and one that is cancelled, and resume a watch that was cut; prints each event as it
comes, and stops the daemon again. Takes a few seconds.

  --help        this text
  NO_COLOR=1    in the environment: no colours`;

const walkthrough = fileURLToPath(new URL('walkthrough.js', import.meta.url));
const TIME_MAX_MS = 60_000;

async function demo(): Promise<void> {
  const daemon = await startDaemon('--driver', 'simulator');
  try {
    console.log(`The daemon serves on ${daemon.address} (process ${daemon.pid}).`);
    await Promise.race([tell(daemon), tooLong()]);
  } finally {
    await daemon.kill();
  }
}

async function tell(daemon: DaemonProcess): Promise<void> {
  const [code, signal] = await once(
    spawn(process.execPath, [walkthrough, daemon.address], {
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: TIME_MAX_MS,
    }),
    'exit',
  );
  if (code !== 0) throw new Error(`The client ended with ${signal ?? `exit code ${code}`}.`);
  const exitCode = await daemon.stop();
  const errors = daemon.log.filter(({ level }) => level === 'error').map(({ msg }) => `\n  ${msg}`);
  if (exitCode !== 0)
    throw new Error(`The daemon was asked to stop, and ended with exit code ${exitCode}.${errors.join('')}`);
  console.log('\nThe daemon was asked to stop, and ended with exit code 0.');
}

async function tooLong(): Promise<never> {
  await delay(TIME_MAX_MS, undefined, { ref: false });
  throw new Error(`It takes longer than ${TIME_MAX_MS / 1000} s.`);
}

function readCommandLine(): { readonly help?: boolean } {
  try {
    return parseArgs({ options: { help: { type: 'boolean' } } }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${help}`);
    process.exit(64);
  }
}

if (readCommandLine().help) {
  console.log(help);
} else {
  await demo().catch((error: unknown) => {
    console.error(`\nThe demo failed: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  });
}
