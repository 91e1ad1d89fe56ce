/**
 * What `wfdd service install` makes of a host: every setting of the service, as values. It touches nothing.
 *
 * The rule that must not be broken: **the service has no right that it does not need.** It runs as LocalService with one privilege;
 * what it may read and write beyond that is given to its own SID, which no other service has.
 */
import { createHash } from 'node:crypto';
import { win32 } from 'node:path';
import type { ServiceConfig } from '../../native/advapi32.js';
import {
  multiSz,
  SC_ACTION_RESTART,
  SERVICE_AUTO_START,
  SERVICE_CONFIG_DELAYED_AUTO_START_INFO,
  SERVICE_CONFIG_DESCRIPTION,
  SERVICE_CONFIG_FAILURE_ACTIONS,
  SERVICE_CONFIG_FAILURE_ACTIONS_FLAG,
  SERVICE_CONFIG_PRESHUTDOWN_INFO,
  SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO,
  SERVICE_CONFIG_SERVICE_SID_INFO,
  SERVICE_ERROR_NORMAL,
  SERVICE_SID_TYPE_UNRESTRICTED,
  SERVICE_WIN32_OWN_PROCESS,
} from '../../native/winsvc.js';
import { valueAt } from '../config/keys.js';
import type { Config } from '../config/schema.js';
import type { InstallCommand } from '../config/service-command.js';
import { Refusal } from './service-error.js';

/** What a stop that keeps to `shutdown.graceMs` takes besides, at most; and then the last words to Windows. */
const STOP_MARGIN_MS = 5000;

/** Waits before the first, second and every later restart after a failure; they count from 0 again after RESET_AFTER_S without one. */
const RESTART_DELAYS_MS = [5000, 30_000, 300_000];
const RESET_AFTER_S = 3600;

/** One more than elsewhere: StartServiceCtrlDispatcherW holds a thread of the pool for the life of the service. */
const POOL_THREADS = 17;

/** SeChangeNotifyPrivilege lets a process pass through folders that it may not list, as every program expects. */
const PRIVILEGES = ['SeChangeNotifyPrivilege'];

const ACCOUNTS: Readonly<Record<string, string>> = {
  localservice: 'NT AUTHORITY\\LocalService',
  networkservice: 'NT AUTHORITY\\NetworkService',
  localsystem: 'LocalSystem',
};

export interface Installation {
  readonly name: string;
  /** As Windows writes it. */
  readonly account: string;
  /** The program and its arguments. */
  readonly command: readonly string[];
  readonly config: Config;
}

/** The installation that a command asks for; throws where its account can't be had. `program`: node.exe and the script it runs. */
export function installationOf(command: InstallCommand, program: readonly [string, string]): Installation {
  const { name, loaded, assigned } = command;
  const account = accountFrom(command.account);
  if (account === undefined) {
    throw new Refusal(
      `${command.account} would need a password, which wfdd does not take. Name LocalService, NetworkService, LocalSystem, ` +
        `NT SERVICE\\${name} or a managed account (DOMAIN\\name$), or set it afterwards in services.msc.`,
    );
  }
  const { config, file } = loaded;
  const named = file === undefined ? [] : ['--config', file];
  const set = assigned.flatMap((path) => ['--set', `${path}=${asText(valueAt(config, path))}`]);
  return { name, account, config, command: [...program, 'service', 'run', '--name', name, ...named, ...set] };
}

/** What whoever installs should know: settings that the service won't have, and what others could change. */
export function notesOn({ loaded }: InstallCommand, unprotected: readonly string[]): string[] {
  const lost = [...loaded.sources.values()].filter((source) => source.startsWith('environment '));
  return [
    ...lost.map((source) => `Note: the service won't have ${source} of this console; put it into the file.`),
    ...unprotected.map((path) => `Note: see that only administrators can change ${path}, and the account can read it.`),
  ];
}

/** Variables that name folders which only administrators can write to. */
const PROTECTED = ['ProgramFiles', 'ProgramW6432', 'ProgramFiles(x86)', 'SystemRoot'];

/**
 * Of the folder of the program and the file of the configuration, those that are in no folder which only
 * administrators can write to. `data` is that of the service, which the installation closes.
 */
export function unprotectedPaths(
  { loaded }: InstallCommand,
  script: string,
  environment: NodeJS.ProcessEnv,
  data: string,
): string[] {
  const places = PROTECTED.flatMap((name) => environment[name] ?? []);
  const isBelow = (path: string, folder: string) =>
    win32
      .resolve(path)
      .toLowerCase()
      .startsWith(`${win32.resolve(folder).toLowerCase()}\\`);
  const program = win32.resolve(script, '..', '..');
  const isProgramSafe = places.some((place) => isBelow(program, place));
  const isFileSafe = loaded.file === undefined || [...places, data].some((place) => isBelow(loaded.file ?? '', place));
  return [...(isProgramSafe ? [] : [program]), ...(isFileSafe || loaded.file === undefined ? [] : [loaded.file])];
}

/** Refuses to install what somebody other than an administrator could change, unless whoever installs answers for it. */
export function assertProtected(
  unprotected: readonly string[],
  account: string,
  isAllowed: boolean,
  data: string,
): void {
  const isSystem = account === 'LocalSystem';
  if (unprotected.length === 0 || (isAllowed && !isSystem)) return;
  throw new Refusal(
    `${unprotected.join(' and ')}: somebody who is no administrator may be able to change this, and with it what the service does.\n` +
      `Put the program below Program Files and the configuration into ${data}` +
      (isSystem
        ? '; for LocalSystem, which may do everything, --allow-unprotected does not count.'
        : ', or add --allow-unprotected where only administrators can change them.'),
  );
}

/** How long a stop may take before the process is ended whatever it does. */
export function stopLimitMs(config: Config): number {
  return config.shutdown.graceMs + STOP_MARGIN_MS;
}

/**
 * The main settings. There is no dependency on WlanSvc: Windows would stop the service with it and not start it again,
 * and would not start it at all on a Server without the feature. Delayed start is order enough, and the daemon waits.
 */
export function serviceConfig({ name, account, command }: Installation): ServiceConfig {
  return {
    dwServiceType: SERVICE_WIN32_OWN_PROCESS,
    dwStartType: SERVICE_AUTO_START,
    dwErrorControl: SERVICE_ERROR_NORMAL,
    lpBinaryPathName: command.map(quoted).join(' '),
    lpDependencies: [],
    lpServiceStartName: account,
    lpDisplayName: `Wi-Fi Direct Gateway (${name})`,
  };
}

/** The settings of ChangeServiceConfig2W, by their levels, each with what a Windows that does not know it goes without. */
export function serviceInfos({ config }: Installation) {
  const actions = RESTART_DELAYS_MS.map((Delay) => ({ Type: SC_ACTION_RESTART, Delay }));
  const description = 'Lets remote programs open and close Wi-Fi Direct sessions of this computer, over gRPC.';
  return [
    { level: SERVICE_CONFIG_DESCRIPTION, what: 'a description', info: { lpDescription: description } },
    {
      level: SERVICE_CONFIG_FAILURE_ACTIONS,
      what: 'restart on failure',
      info: {
        dwResetPeriod: RESET_AFTER_S,
        lpRebootMsg: null,
        lpCommand: null,
        cActions: actions.length,
        lpsaActions: actions,
      },
    },
    // A service that reports why it could not start is a failure too, not only a process that vanishes.
    {
      level: SERVICE_CONFIG_FAILURE_ACTIONS_FLAG,
      what: 'restart after a failed start',
      info: { fFailureActionsOnNonCrashFailures: 1 },
    },
    { level: SERVICE_CONFIG_DELAYED_AUTO_START_INFO, what: 'delayed start', info: { fDelayedAutostart: 1 } },
    {
      level: SERVICE_CONFIG_SERVICE_SID_INFO,
      what: 'a SID of its own',
      info: { dwServiceSidType: SERVICE_SID_TYPE_UNRESTRICTED },
    },
    {
      level: SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO,
      what: 'fewer privileges',
      info: { pmszRequiredPrivileges: multiSz(PRIVILEGES) },
    },
    {
      level: SERVICE_CONFIG_PRESHUTDOWN_INFO,
      what: 'time to close sessions when the computer shuts down',
      info: { dwPreshutdownTimeout: stopLimitMs(config) + STOP_MARGIN_MS },
    },
  ] as const;
}

/** What is added to the environment of the service. */
export function serviceEnvironment(): readonly string[] {
  return [`UV_THREADPOOL_SIZE=${POOL_THREADS}`];
}

/** The account that somebody named, as Windows writes it; undefined where it would need a password. */
function accountFrom(text: string): string | undefined {
  const wellKnown = ACCOUNTS[text.toLowerCase().replace(/^nt authority\\/, '')];
  return wellKnown ?? (/^NT SERVICE\\.|\\.+\$$/i.test(text) ? text : undefined);
}

/** The SID of the service of this name, which Windows derives from it alone. */
export function serviceSid(name: string): string {
  const hash = createHash('sha1').update(name.toUpperCase(), 'utf16le').digest();
  const parts = [0, 4, 8, 12, 16].map((offset) => hash.readUInt32LE(offset));
  return `S-1-5-80-${parts.join('-')}`;
}

/** An argument that CommandLineToArgvW gives back as it is: always in quotes, so that no space can split a path. */
export function quoted(argument: string): string {
  return `"${argument.replace(/(\\*)("|$)/g, (_, slashes: string, quote: string) => `${slashes}${slashes}${quote && '\\"'}`)}"`;
}

/** A value as `--set` takes it. */
function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === null ? '' : JSON.stringify(value);
}
