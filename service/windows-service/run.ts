/**
 * `wfdd service run`: the daemon as a process that the service control manager has started.
 *
 * Invariant: a requested stop ends in time and does not count as a failure. If the daemon has not
 * stopped by then, that is logged and the process is killed. Any other end of the process happens
 * without a STOPPED report or with an exit code, so that Windows restarts it (D-101).
 */
import { statSync } from 'node:fs';
import { loadAclapi } from '../../native/aclapi.js';
import { loadAdvapi32 } from '../../native/advapi32.js';
import { EXIT } from '../commands/command-line.js';
import type { RunCommand } from '../commands/service.js';
import { logStartFailure } from '../commands/start-failure.js';
import type { LoadedConfig } from '../config/load.js';
import { isMissing } from '../config/missing.js';
import { ConfigError } from '../config/problem.js';
import { type Config, makeConfig } from '../config/schema.js';
import { LATE, within } from '../deadline.js';
import type { Log } from '../telemetry/log.js';
import { LogFiles } from '../telemetry/log-files.js';
import { type Logs, openLogs } from '../telemetry/logs.js';
import { type Demand, ServiceConnection, type ServiceFunctions } from './connection.js';
import { type EventFunctions, EventLog, withEvents } from './event-log.js';
import { foldersOf } from './folders.js';
import { serviceSid, stopLimitMs } from './installation.js';

/** The daemon, as this file sees it. */
export interface Hosted {
  /**
   * Resolves when the daemon serves, even if Wi-Fi Direct is not available yet. Rejects if it
   * cannot serve.
   */
  start(): Promise<void>;
  /** Resolves with true if everything stopped cleanly. */
  stop(): Promise<boolean>;
  /** The computer has slept: check everything again. */
  resume(): void;
}

interface Parts {
  readonly host: (loaded: LoadedConfig, logs: Logs) => Promise<Hosted>;
  /**
   * Exits the process. If `isStuck`, something in it hangs, such as a write to the log, so it is
   * killed.
   */
  readonly end: (exitCode: number, isStuck?: boolean) => void;
  /** Runs the checks of `wfdd doctor --as-service` and writes the report to the folder. */
  readonly diagnose: (wish: string, loaded: LoadedConfig | ConfigError, logFolder: string) => Promise<void>;
}

/** The start argument that precedes the request of `wfdd doctor`. */
export const DOCTOR_ARGUMENT = '--doctor';

/** A start that takes longer has hung. */
const START_LIMIT_MS = 60_000;
/**
 * How long the end waits for the log and the event log, and then for the service control manager.
 */
const FAREWELL_MS = 1000;

/** The Windows functions and folders that the service uses. */
interface WindowsEnvironment {
  readonly advapi32: ServiceFunctions & EventFunctions;
  readonly logFolder: string;
  /** The journal folder, unless the configuration names another one. */
  readonly journalFolder: string;
  /** Whether the token of this process has this SID; undefined if Windows does not say. */
  readonly hasSid: (sid: string) => boolean | undefined;
}

function onThisWindows(name: string): WindowsEnvironment {
  const aclapi = loadAclapi();
  const hasSid = (sid: string) => {
    const { code, isMember } = aclapi.CheckTokenMembership(sid);
    return code === 0 ? isMember : undefined;
  };
  const { logs: logFolder, journal: journalFolder } = foldersOf(name, process.env);
  return { advapi32: loadAdvapi32(), logFolder, journalFolder, hasSid };
}

/** Runs the service until it is stopped. Resolves when it runs or has failed to start. */
export async function runAsService(
  { name, loaded }: RunCommand,
  { host, end, diagnose }: Parts,
  { advapi32, logFolder, journalFolder, hasSid }: WindowsEnvironment = onThisWindows(name),
): Promise<void> {
  const pending: Demand[] = [];
  let onDemand = (demand: Demand): void => void pending.push(demand);
  const connection = await ServiceConnection.open(advapi32, name, (demand) => onDemand(demand));
  if (connection === undefined) {
    process.stderr.write('error: only Windows can run this command, as a service. See wfdd service --help.\n');
    return end(EXIT.usage);
  }

  const events = new EventLog(advapi32, name);
  const leave = async (exitCode: number): Promise<void> => {
    await Promise.all([logs.flush(FAREWELL_MS), within(FAREWELL_MS, events.flushed())]);
    connection.stopped(exitCode);
    await within(FAREWELL_MS, connection.released);
    end(exitCode, logs.isStuck());
  };
  const config = loaded instanceof ConfigError ? makeConfig() : loaded.config;
  const logs = await openServiceLogs(logFolder, name, config, events);
  const { log } = logs;
  process.on('uncaughtException', (error) => {
    log.error('crashed', 'Uncaught exception; exiting.', { err: error });
    // A crash: the process exits without a STOPPED report.
    void Promise.all([logs.flush(FAREWELL_MS), within(FAREWELL_MS, events.flushed())]).then(() =>
      end(EXIT.internal, logs.isStuck()),
    );
  });
  // If it therefore cannot read its configuration, that is a ConfigError below. It never runs with
  // defaults instead.
  if (hasSid(serviceSid(name)) === false) log.error('service-sid-missing', sidMissing(name), { sid: serviceSid(name) });
  const asked = connection.args.indexOf(DOCTOR_ARGUMENT);
  if (asked !== -1) {
    const wish = connection.args[asked + 1] ?? '';
    // This is never a failure, or Windows would restart the service.
    await diagnose(wish, loaded, logFolder).catch((error: unknown) =>
      log.error('doctor-failed', 'Failed to write the doctor report.', { err: error }),
    );
    return leave(EXIT.ok);
  }
  if (loaded instanceof ConfigError) {
    log.error('config-invalid', loaded.message);
    return leave(EXIT.config);
  }

  let hosted: Hosted;
  try {
    hosted = await host(withJournal(loaded, journalFolder), logs);
    if ((await within(START_LIMIT_MS, hosted.start())) === LATE)
      throw new Error('The start did not finish within a minute.');
  } catch (error) {
    return leave(logStartFailure(log, error));
  }

  onDemand = demandHandler({ hosted, connection, log, limitMs: stopLimitMs(config), leave });
  connection.running();
  for (const demand of pending) onDemand(demand);
}

interface Running {
  readonly hosted: Hosted;
  readonly connection: ServiceConnection;
  readonly log: Log;
  /** How long a stop can take. */
  readonly limitMs: number;
  /** Reports STOPPED and exits. */
  readonly leave: (exitCode: number) => Promise<void>;
}

/** Carries out the controls of the service control manager. A second stop is ignored. */
function demandHandler({ hosted, connection, log, limitMs, leave }: Running): (demand: Demand) => void {
  const stop = async (): Promise<void> => {
    connection.stopPending();
    const stopped = hosted
      .stop()
      .catch((error: unknown) => log.error('stop-incomplete', 'The stop failed.', { err: error }));
    if ((await within(limitMs, stopped)) === LATE) {
      log.error('stop-incomplete', `The stop did not finish within ${limitMs} ms; exiting anyway.`);
    }
    // The stop was requested, so it is not a failure, or Windows would restart the service.
    await leave(EXIT.ok);
  };
  let isStopping = false;
  return (demand) => {
    if (demand === 'suspend') log.info('suspending', 'The computer is going to sleep.');
    else if (demand === 'resume') {
      log.info('resumed', 'The computer has woken up; checking all links.');
      hosted.resume();
    } else if (!isStopping) {
      isStopping = true;
      log.info('stopping', `${REASONS[demand]}; closing all sessions, then exiting.`, { demand });
      void stop();
    }
  };
}

/**
 * A service has a journal by default. A service that an older version installed has no folder for
 * it.
 */
function withJournal(loaded: LoadedConfig, folder: string): LoadedConfig {
  const { journal } = loaded.config;
  if (journal.folder !== null || !isFolder(folder)) return loaded;
  return { ...loaded, config: { ...loaded.config, journal: { ...journal, folder } } };
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

const REASONS = { stop: 'The service was asked to stop', shutdown: 'The computer is shutting down' } as const;

function sidMissing(name: string): string {
  return (
    `The process does not have the SID of the service ${name}, which it needs to read its configuration and write its log. ` +
    'Windows may add the SID only when it starts. Restart Windows, or install the service with ' +
    `--account "NT SERVICE\\${name}".`
  );
}

/** Always JSON, whatever the configuration says, because nobody watches the output. */
async function openServiceLogs(folder: string, name: string, config: Config, events: EventLog): Promise<Logs> {
  const failed = (error: Error) => reportLogFailure(events, error);
  const logs = await openLogs(
    { ...config.log, format: 'json' },
    { log: new LogFiles(folder, name, failed), audit: new LogFiles(folder, `${name}-audit`, failed) },
  );
  return { ...logs, log: await withEvents(logs.log, events) };
}

function reportLogFailure(events: EventLog, { message }: Error): void {
  const line = { level: 'error', event: 'log-file-failed', msg: `Cannot write the log: ${message}` };
  events.write(JSON.stringify(line));
}
