/**
 * The entry point of `wfdd`: the command line, signals and exit codes. daemon.ts composes the
 * service.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { isatty } from 'node:tty';
import { nativeCallsUnderWay } from '../native/library.js';
import { EXIT, readCommandLine } from './commands/command-line.js';
import type { DoctorPlan } from './commands/doctor.js';
import type { JournalChoice } from './commands/journal.js';
import { logStartFailure } from './commands/start-failure.js';
import type { TlsChoice } from './commands/tls.js';
import type { TokenChoice } from './commands/token.js';
import type { LoadedConfig } from './config/load.js';
import type { ConfigError } from './config/problem.js';
import { isDiskStuck } from './journal/journal.js';
import { root } from './root.js';
import type { Log } from './telemetry/log.js';
import { type Logs, openLogs } from './telemetry/logs.js';

/** How long a failing process waits for its last log lines. */
const LAST_LINES_MS = 1000;

/**
 * SIGHUP means that the terminal has closed. nohup makes a program ignore it, but Node resets that
 * at startup, so without a terminal the daemon ignores it itself. On Windows SIGHUP means that the
 * console window was closed, which ends the process anyway.
 */
const hasTerminal = process.platform === 'win32' || [0, 1, 2].some((descriptor) => isatty(descriptor));
const STOP_SIGNALS: readonly NodeJS.Signals[] = [
  'SIGTERM',
  'SIGINT',
  'SIGBREAK',
  ...(hasTerminal ? (['SIGHUP'] as const) : []),
];

async function main(): Promise<void> {
  const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    version: string;
  };
  const plan = await readCommandLine(process.argv.slice(2), {
    environment: process.env,
    platform: process.platform,
    folder: process.cwd(),
    version,
    examineFiles: async (config, file) => {
      const { examineFiles } = await import('./named-files.js');
      return examineFiles(config, file, await windowsDescriptors());
    },
  });
  if (plan.kind === 'answer') return answer(plan);
  if (plan.kind === 'doctor') return runDoctorPlan(plan, version);
  if (plan.kind === 'token') return createToken(plan.choice);
  if (plan.kind === 'tls') return createTls(plan.choice);
  if (plan.kind === 'journal') return showJournal(plan.choice, plan.folder);
  if (plan.kind === 'service') {
    const { controlService } = await import('./windows-service/commands.js');
    return answer(await controlService(plan.command, (text) => process.stderr.write(text)));
  }
  if (plan.kind === 'service-run') {
    const { runAsService } = await import('./windows-service/run.js');
    const host = async (loaded: LoadedConfig, logs: Logs) => {
      announce(logs.log, loaded, version);
      const [{ compose }, { Daemon }] = await Promise.all([import('./composition.js'), import('./daemon.js')]);
      return new Daemon(await compose(loaded.config, version, logs.log, logs));
    };
    const diagnose = async (wish: string, loaded: LoadedConfig | ConfigError, folder: string) => {
      const { leaveReport } = await import('./doctor/as-service.js');
      await leaveReport(wish, { loaded, version, environment: process.env }, folder);
    };
    return runAsService(plan.run, { host, end, diagnose });
  }
  await serve(plan.loaded, version);
}

/** Runs the daemon in the foreground until a signal stops it. */
async function serve(loaded: LoadedConfig, version: string): Promise<void> {
  const { config } = loaded;
  const logs = await openLogs(config.log);
  const { log } = logs;
  const leave = async (exitCode: number, limitMs = LAST_LINES_MS): Promise<void> => {
    await logs.flush(limitMs);
    end(exitCode, logs.isStuck());
  };
  announce(log, loaded, version);
  process.on('uncaughtException', (error) => {
    log.error('crashed', 'Uncaught exception; exiting.', { err: error });
    void leave(EXIT.internal);
  });

  let signals = 0;
  try {
    const [{ compose }, { Daemon }] = await Promise.all([import('./composition.js'), import('./daemon.js')]);
    const daemon = new Daemon(await compose(config, version, log, logs));
    const stop = async (signal: NodeJS.Signals): Promise<void> => {
      signals += 1;
      if (signals > 1) {
        log.warn('stop-forced', 'Received a second signal; exiting at once.', { signal });
        return end(EXIT.internal, logs.isStuck());
      }
      const endMs = performance.now() + config.shutdown.graceMs;
      log.info('stopping', `Received ${signal}; closing all sessions, then exiting.`, { signal });
      const isClean = await daemon.stop();
      // Logs can use what the stop has left of graceMs.
      await leave(isClean ? 0 : EXIT.internal, endMs - performance.now());
    };
    for (const signal of STOP_SIGNALS) process.on(signal, (received) => void stop(received));
    if (!STOP_SIGNALS.includes('SIGHUP')) {
      process.on('SIGHUP', () => log.info('hangup-ignored', 'Ignoring SIGHUP, because there is no terminal.'));
    }
    await daemon.start();
  } catch (error) {
    await leave(logStartFailure(log, error));
  }
}

/** Reads the permissions of a file on Windows; undefined elsewhere, where files have modes. */
async function windowsDescriptors(): Promise<((path: string) => string | undefined) | undefined> {
  if (process.platform !== 'win32') return undefined;
  const { loadAclapi } = await import('../native/aclapi.js');
  const aclapi = loadAclapi();
  return (path) => {
    const { code, sddl } = aclapi.GetDaclOf(path);
    return code === 0 ? sddl : undefined;
  };
}

function answer({ text, to, exitCode }: { text: string; to: 'stdout' | 'stderr'; exitCode: number }): void {
  process[to].write(text);
  process.exitCode = exitCode;
}

/**
 * Prints the entry to standard output and the secret token to standard error, so `>> tokens.yaml`
 * stores no secret.
 */
async function createToken({ principal, expires, json, tokenFile }: TokenChoice): Promise<void> {
  const { newToken, tokenEntry } = await import('./access/new-token.js');
  const now = Date.now();
  const expireTimeMs = expires === undefined || 'atMs' in expires ? expires?.atMs : now + expires.inMs;
  try {
    const made = newToken(principal, expireTimeMs, now);
    if (tokenFile !== undefined) {
      const { writeSecret } = await import('./tls/tls-files.js');
      writeSecret(tokenFile, `${made.token}\n`, await keyProtection());
      process.stderr.write(`Wrote the token of ${principal} to ${tokenFile}\n`);
      return answer({ text: tokenEntry(made), to: 'stdout', exitCode: EXIT.ok });
    }
    if (json) return answer({ text: `${JSON.stringify(made, null, 2)}\n`, to: 'stdout', exitCode: EXIT.ok });
    process.stderr.write(`The token of ${principal}, shown only once:\n${made.token}\n`);
    answer({ text: tokenEntry(made), to: 'stdout', exitCode: EXIT.ok });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    answer({ text: `error: ${error.message}\n`, to: 'stderr', exitCode: EXIT.usage });
  }
}

/** Writes certificates to files, and nothing secret to the terminal. */
async function createTls({ folder, json, ...wish }: TlsChoice): Promise<void> {
  const [{ createTlsFiles }, { tlsText }] = await Promise.all([
    import('./tls/tls-files.js'),
    import('./tls/tls-text.js'),
  ]);
  try {
    const files = createTlsFiles({ folder, ...wish }, await keyProtection());
    const text = json ? `${JSON.stringify(files, null, 2)}\n` : tlsText(files, folder);
    answer({ text, to: 'stdout', exitCode: EXIT.ok });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    answer({ text: `error: ${error.message}\n`, to: 'stderr', exitCode: EXIT.config });
  }
}

/**
 * On Windows a file inherits the permissions of its folder, which may be open to anyone. Elsewhere
 * the mode is enough.
 */
async function keyProtection(): Promise<(file: string, isOfHost: boolean) => void> {
  if (process.platform !== 'win32') return () => {};
  const [{ loadAclapi }, { keyDescriptor }] = await Promise.all([
    import('../native/aclapi.js'),
    import('./windows-service/folders.js'),
  ]);
  const aclapi = loadAclapi();
  return (file, isOfHost) => {
    const { code } = aclapi.SetNamedSecurityInfoW(file, keyDescriptor(isOfHost));
    if (code !== 0) throw new Error(`Cannot restrict access to ${file}: Windows error ${code}.`);
  };
}

async function runDoctorPlan(plan: DoctorPlan, version: string): Promise<void> {
  const { runDoctor } = await import('./doctor/command.js');
  end(await runDoctor(plan, version, process.env));
}

/**
 * Respects the back-pressure of the reader. Exits when the reader closes the pipe, as `head` does.
 */
async function showJournal(choice: JournalChoice, folder: string): Promise<void> {
  const { runJournalCommand } = await import('./journal/commands.js');
  process.stdout.on('error', () => process.exit(EXIT.ok));
  const write = async (text: string) => {
    if (!process.stdout.write(text)) await once(process.stdout, 'drain');
  };
  try {
    if (!(await runJournalCommand(choice, folder, write))) process.exitCode = EXIT.damaged;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    answer({ text: `error: ${error.message}\n`, to: 'stderr', exitCode: EXIT.config });
  }
}

function announce(log: Log, { file, warnings }: LoadedConfig, version: string): void {
  log.info('starting', `wfdd ${version} on Node ${process.version}.`, { version, node: process.version, config: file });
  for (const { path, message, remedy } of warnings)
    log.warn('config-warning', `${path}: ${message} ${remedy}`, { path });
}

/**
 * Exits at once. `process.exit` would wait for a native call or a write that hangs, so in that case
 * the process kills itself.
 */
function end(code: number, isStuck = false): void {
  if (nativeCallsUnderWay() === 0 && !isDiskStuck() && !isStuck) process.exit(code);
  process.kill(process.pid, 'SIGKILL');
}

await main();
