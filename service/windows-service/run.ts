/**
 * `wfdd service run`: the daemon as the process that the service control manager has started.
 *
 * The rule that must not be broken: **a stop that was asked for ends in time and counts as no
 * failure.** What did not end by then is logged, and the process is ended whatever hangs in it; and
 * whatever else ends the process does so without the report that it has stopped, or with an exit
 * code, so that it is restarted.
 */
import { statSync } from 'node:fs';
import { loadAclapi } from '../../native/aclapi.js';
import { loadAdvapi32 } from '../../native/advapi32.js';
import { EXIT } from '../config/command-line.js';
import type { LoadedConfig } from '../config/load.js';
import { isMissing } from '../config/missing.js';
import { ConfigError } from '../config/problem.js';
import { type Config, makeConfig } from '../config/schema.js';
import type { RunCommand } from '../config/service-command.js';
import { logStartFailure } from '../config/start-failure.js';
import { LATE, within } from '../deadline.js';
import { LogFiles } from '../telemetry/log-files.js';
import { type Logs, openLogs } from '../telemetry/logs.js';
import { type Demand, ServiceConnection, type ServiceFunctions } from './connection.js';
import { type EventFunctions, EventLog, withEvents } from './event-log.js';
import { foldersOf } from './folders.js';
import { serviceSid, stopLimitMs } from './installation.js';

/** What is run. */
export interface Hosted {
  /** Resolves when it serves, or has found out that it can't yet; rejects where it never will. */
  start(): Promise<void>;
  /** True: everything has ended as it should. */
  stop(): Promise<boolean>;
  /** The computer has slept: look at everything anew. */
  resume(): void;
}

export interface Parts {
  readonly host: (loaded: LoadedConfig, logs: Logs) => Promise<Hosted>;
  /** Ends the process, at once where something hangs in it, such as a write of the log. */
  readonly end: (exitCode: number, isStuck?: boolean) => void;
  /**
   * Looks at the host as `wfdd doctor --as-service` asks it to, and leaves its report in the
   * folder.
   */
  readonly diagnose: (wish: string, loaded: LoadedConfig | ConfigError, logFolder: string) => Promise<void>;
}

/** Before what `wfdd doctor` wants, among the arguments of a start of the service. */
export const DOCTOR_ARGUMENT = '--doctor';

/** A start that takes longer has hung. */
const START_LIMIT_MS = 60_000;
/**
 * How long the log and the event log, and then the service control manager, are waited for at the
 * end.
 */
const FAREWELL_MS = 1000;

/** What there is on Windows. */
export interface Surroundings {
  readonly advapi32: ServiceFunctions & EventFunctions;
  readonly logFolder: string;
  /** Where its journal is, unless the configuration names another folder. */
  readonly journalFolder: string;
  /** Whether the token of this process has this SID; undefined where Windows does not say. */
  readonly hasSid: (sid: string) => boolean | undefined;
}

function onThisWindows(name: string): Surroundings {
  const aclapi = loadAclapi();
  const hasSid = (sid: string) => {
    const { code, isMember } = aclapi.CheckTokenMembership(sid);
    return code === 0 ? isMember : undefined;
  };
  const { logs: logFolder, journal: journalFolder } = foldersOf(name, process.env);
  return { advapi32: loadAdvapi32(), logFolder, journalFolder, hasSid };
}

/** Runs until the service is stopped; resolves when it runs, or has failed to. */
export async function runAsService(
  { name, loaded }: RunCommand,
  { host, end, diagnose }: Parts,
  { advapi32, logFolder, journalFolder, hasSid }: Surroundings = onThisWindows(name),
): Promise<void> {
  const told: Demand[] = [];
  let hear = (demand: Demand): void => void told.push(demand);
  const connection = await ServiceConnection.open(advapi32, name, (demand) => hear(demand));
  if (connection === undefined) {
    process.stderr.write('Only Windows starts this, as a service; see wfdd service --help.\n');
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
    // No report that it has stopped: this is a crash.
    void Promise.all([logs.flush(FAREWELL_MS), within(FAREWELL_MS, events.flushed())]).then(() =>
      end(EXIT.internal, logs.isStuck()),
    );
  });
  // A configuration that it therefore cannot read is a problem, and ends it below: it never runs
  // with less.
  if (hasSid(serviceSid(name)) === false) log.error('service-sid-missing', sidMissing(name), { sid: serviceSid(name) });
  const asked = connection.args.indexOf(DOCTOR_ARGUMENT);
  if (asked !== -1) {
    const wish = connection.args[asked + 1] ?? '';
    // No failure, whatever it finds: were it one, the service would be started again.
    await diagnose(wish, loaded, logFolder).catch((error: unknown) =>
      log.error('doctor-failed', 'The doctor could not leave its report.', { err: error }),
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
    if ((await within(START_LIMIT_MS, hosted.start())) === LATE) throw new Error('It has not come up in a minute.');
  } catch (error) {
    return leave(logStartFailure(log, error));
  }

  let isStopping = false;
  const stop = async (): Promise<void> => {
    connection.stopPending();
    const limitMs = stopLimitMs(config);
    const stopped = hosted
      .stop()
      .catch((error: unknown) => log.error('stop-incomplete', 'The stop failed.', { err: error }));
    if ((await within(limitMs, stopped)) === LATE) {
      log.error('stop-incomplete', `Not everything ended within ${limitMs} ms; the process ends regardless.`);
    }
    // It was asked for: were it to count as a failure, the service would be restarted.
    await leave(EXIT.ok);
  };
  hear = (demand) => {
    if (demand === 'suspend') log.info('suspending', 'The computer goes to sleep.');
    else if (demand === 'resume') {
      log.info('resumed', 'The computer has slept; every link is looked at anew.');
      hosted.resume();
    } else if (!isStopping) {
      isStopping = true;
      log.info('stopping', `${REASONS[demand]}: sessions are closed, then the process ends.`, { demand });
      void stop();
    }
  };
  connection.running();
  for (const demand of told) hear(demand);
}

/**
 * A service keeps a journal unless told otherwise. One that an older version installed has no
 * folder for it.
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

const REASONS = { stop: 'The service is stopped', shutdown: 'The computer shuts down' } as const;

function sidMissing(name: string): string {
  return (
    `The process does not have the SID of the service ${name}, which alone may read its configuration and write its log. ` +
    'Windows may add it only at its next start: restart Windows, or install the service with ' +
    `--account "NT SERVICE\\${name}".`
  );
}

/** JSON whatever the configuration says: nobody sits before it. */
async function openServiceLogs(folder: string, name: string, config: Config, events: EventLog): Promise<Logs> {
  const failed = (error: Error) => reportLogFailure(events, error);
  const logs = await openLogs(
    { ...config.log, format: 'json' },
    { log: new LogFiles(folder, name, failed), audit: new LogFiles(folder, `${name}-audit`, failed) },
  );
  return { ...logs, log: await withEvents(logs.log, events) };
}

function reportLogFailure(events: EventLog, { message }: Error): void {
  const line = { level: 'error', event: 'log-file-failed', msg: `The log can't be written: ${message}` };
  events.write(JSON.stringify(line));
}
