/**
 * The settings of the service that `wfdd service install` makes, as values. Nothing here changes
 * the host.
 *
 * Invariant: the service has no right that it does not need. It runs as LocalService with one
 * privilege. Access to its files is granted to its own SID, which no other service has.
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
import type { InstallCommand } from '../commands/service.js';
import { valueAt } from '../config/keys.js';
import type { Config } from '../config/schema.js';
import { Refusal } from './service-error.js';

/**
 * The longest time that a stop takes in addition to `shutdown.graceMs`, including the last report
 * to Windows.
 */
const STOP_MARGIN_MS = 5000;

/**
 * Delays before the first, second and every later restart after a failure. The count restarts after
 * RESET_AFTER_S without a failure.
 */
const RESTART_DELAYS_MS = [5000, 30_000, 300_000];
const RESET_AFTER_S = 3600;

/**
 * One more than elsewhere, because StartServiceCtrlDispatcherW blocks a pool thread for the
 * lifetime of the service.
 */
const POOL_THREADS = 17;

/**
 * SeChangeNotifyPrivilege lets a process traverse folders that it cannot list, which all programs
 * expect.
 */
const PRIVILEGES = ['SeChangeNotifyPrivilege'];

const ACCOUNTS: Readonly<Record<string, string>> = {
  localservice: 'NT AUTHORITY\\LocalService',
  networkservice: 'NT AUTHORITY\\NetworkService',
  localsystem: 'LocalSystem',
};

interface Installation {
  readonly name: string;
  /** In the notation of Windows. */
  readonly account: string;
  /** The program and its arguments. */
  readonly command: readonly string[];
  readonly config: Config;
}

/**
 * The installation that a command requests. `program` is node.exe and its script. Throws a Refusal
 * if the account is not possible.
 */
export function installationOf(command: InstallCommand, program: readonly [string, string]): Installation {
  const { name, loaded, assigned } = command;
  const account = accountFrom(command.account);
  if (account === undefined) {
    throw new Refusal(
      `The account ${command.account} needs a password, which wfdd does not accept. Use LocalService, NetworkService, LocalSystem, ` +
        `NT SERVICE\\${name} or a managed account (DOMAIN\\name$), or set the account in services.msc afterwards.`,
    );
  }
  const { config, file } = loaded;
  const named = file === undefined ? [] : ['--config', file];
  const set = assigned.flatMap((path) => ['--set', `${path}=${asText(valueAt(config, path))}`]);
  return { name, account, config, command: [...program, 'service', 'run', '--name', name, ...named, ...set] };
}

/**
 * Notes for the user: settings that the service will not have, and files that others could change.
 */
export function notesOn({ loaded }: InstallCommand, unprotected: readonly string[]): string[] {
  const lost = [...loaded.sources.values()].filter((source) => source.startsWith('environment '));
  return [
    ...lost.map(
      (source) => `Note: the service will not see ${source} of this console. Set the key in the configuration file.`,
    ),
    ...unprotected.map(
      (path) => `Note: make sure that only administrators can change ${path} and that the account can read it.`,
    ),
  ];
}

/** Variables of folders that only administrators can write to. */
const PROTECTED = ['ProgramFiles', 'ProgramW6432', 'ProgramFiles(x86)', 'SystemRoot'];

/**
 * Returns the program folder and the configuration file, if they are outside all folders that only
 * administrators can write to. `data` is the folder of the service, which the installation
 * protects.
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

/**
 * Throws a Refusal if accounts other than administrators could change the files, unless the user
 * has allowed that.
 */
export function assertProtected(
  unprotected: readonly string[],
  account: string,
  isAllowed: boolean,
  data: string,
): void {
  const isSystem = account === 'LocalSystem';
  if (unprotected.length === 0 || (isAllowed && !isSystem)) return;
  throw new Refusal(
    `Accounts other than administrators may be able to change ${unprotected.join(' and ')}, and so control the service.\n` +
      `Put the program below Program Files and the configuration into ${data}` +
      (isSystem
        ? '. --allow-unprotected has no effect for LocalSystem, which has all rights.'
        : ', or add --allow-unprotected if only administrators can change them.'),
  );
}

/** How long a stop may take before the process is killed. */
export function stopLimitMs(config: Config): number {
  return config.shutdown.graceMs + STOP_MARGIN_MS;
}

/** The main settings. There is no dependency on WlanSvc (D-88). */
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

/**
 * The settings of ChangeServiceConfig2W by level. `what` names the feature for versions of Windows
 * that lack it.
 */
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
    // A service that reports an error at startup counts as a failure too, not only a process that
    // crashes.
    {
      level: SERVICE_CONFIG_FAILURE_ACTIONS_FLAG,
      what: 'restart after a failed start',
      info: { fFailureActionsOnNonCrashFailures: 1 },
    },
    { level: SERVICE_CONFIG_DELAYED_AUTO_START_INFO, what: 'delayed start', info: { fDelayedAutostart: 1 } },
    {
      level: SERVICE_CONFIG_SERVICE_SID_INFO,
      what: 'a service SID',
      info: { dwServiceSidType: SERVICE_SID_TYPE_UNRESTRICTED },
    },
    {
      level: SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO,
      what: 'reduced privileges',
      info: { pmszRequiredPrivileges: multiSz(PRIVILEGES) },
    },
    {
      level: SERVICE_CONFIG_PRESHUTDOWN_INFO,
      what: 'time to close sessions when the computer shuts down',
      info: { dwPreshutdownTimeout: stopLimitMs(config) + STOP_MARGIN_MS },
    },
  ] as const;
}

/** Additional environment variables of the service. */
export function serviceEnvironment(): readonly string[] {
  return [`UV_THREADPOOL_SIZE=${POOL_THREADS}`];
}

/** The account in the notation of Windows; undefined if it needs a password. */
function accountFrom(text: string): string | undefined {
  const wellKnown = ACCOUNTS[text.toLowerCase().replace(/^nt authority\\/, '')];
  return wellKnown ?? (/^NT SERVICE\\.|\\.+\$$/i.test(text) ? text : undefined);
}

/** The SID of the service. Windows derives it from the name alone. */
export function serviceSid(name: string): string {
  const hash = createHash('sha1').update(name.toUpperCase(), 'utf16le').digest();
  const parts = [0, 4, 8, 12, 16].map((offset) => hash.readUInt32LE(offset));
  return `S-1-5-80-${parts.join('-')}`;
}

/**
 * Quotes an argument for CommandLineToArgvW. It is always in quotes, so that a space cannot split a
 * path.
 */
export function quoted(argument: string): string {
  return `"${argument.replace(/(\\*)("|$)/g, (_, slashes: string, quote: string) => `${slashes}${slashes}${quote && '\\"'}`)}"`;
}

/** A value in the form that `--set` accepts. */
function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === null ? '' : JSON.stringify(value);
}
