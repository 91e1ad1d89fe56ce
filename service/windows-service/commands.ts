/**
 * `wfdd service install | uninstall | start | stop | restart | status`. Each command prints the
 * resulting state. It also succeeds if the service was in that state already.
 *
 *     not installed --install--> stopped --start--> running
 *          ^                      |  ^                 |
 *          +------uninstall-------+  +------stop-------+
 *
 * Invariant: a service with this name that is not wfdd is never touched.
 */
import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { win32 } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { loadAclapi } from '../../native/aclapi.js';
import { type Advapi32, HKEY_LOCAL_MACHINE, loadAdvapi32, REG_MULTI_SZ } from '../../native/advapi32.js';
import { winerror } from '../../native/constants.js';
import {
  ERROR_PROCESS_ABORTED,
  ERROR_SERVICE_MARKED_FOR_DELETE,
  ERROR_SERVICE_NEVER_STARTED,
  ERROR_SERVICE_SPECIFIC_ERROR,
  multiSz,
} from '../../native/winsvc.js';
import { EXIT } from '../commands/command-line.js';
import { addRule, deleteRule, exposedPorts, firewallNote } from '../commands/firewall.js';
import { type Seed, seedText } from '../commands/seed.js';
import type { InstallCommand, ServiceCommand } from '../commands/service.js';
import { registerEventSource, unregisterEventSource } from './event-log.js';
import { type Folders, foldersOf, makeFolders } from './folders.js';
import {
  assertProtected,
  installationOf,
  notesOn,
  serviceConfig,
  serviceEnvironment,
  serviceInfos,
  unprotectedPaths,
} from './installation.js';
import { Refusal, ServiceError } from './service-error.js';
import { isPending, type Purpose, type Service, type ServiceSight, Services } from './services.js';

/**
 * How long the process may take to exit after it reported STOPPED, and the service to vanish after
 * its deletion.
 */
const VANISH_MS = 10_000;
const POLL_MS = 100;
/** How long netsh.exe may take. */
const NETSH_MS = 20_000;

/** The result of a command. */
export interface Outcome {
  readonly text: string;
  readonly to: 'stdout' | 'stderr';
  readonly exitCode: number;
}

/** Runs a command. `tell` receives progress messages. Never throws because of a Windows error. */
export async function controlService(command: ServiceCommand, tell: (text: string) => void): Promise<Outcome> {
  try {
    return await new Commands(command.name, tell).run(command);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const isDenied = error instanceof ServiceError && error.code === winerror.ERROR_ACCESS_DENIED;
    return failed(`wfdd service ${command.verb}: ${error.message}`, isDenied ? EXIT.denied : EXIT.service);
  }
}

class Commands {
  readonly #name: string;
  readonly #tell: (text: string) => void;
  readonly #advapi32: Advapi32 = loadAdvapi32();
  readonly #services = new Services(this.#advapi32);
  readonly #folders: Folders;

  constructor(name: string, tell: (text: string) => void) {
    this.#name = name;
    this.#tell = tell;
    this.#folders = foldersOf(name, process.env);
  }

  run(command: ServiceCommand): Promise<Outcome> {
    switch (command.verb) {
      case 'install':
        return this.#install(command);
      case 'uninstall':
        return this.#uninstall();
      case 'start':
        return this.#start();
      case 'stop':
        return this.#stop();
      case 'restart':
        return this.#stop().then((outcome) => (outcome.exitCode === EXIT.ok ? this.#start() : outcome));
      case 'status':
        return this.#status(command.json);
    }
  }

  async #install(command: InstallCommand): Promise<Outcome> {
    const [, script = ''] = process.argv;
    const installation = installationOf(command, [process.execPath, script]);
    const unprotected = unprotectedPaths(command, script, process.env, this.#folders.data);
    assertProtected(unprotected, installation.account, command.allowUnprotected, this.#folders.data);
    const before = await this.#find('look', async (service) => ({
      ...(await service.look()),
      ...(await service.settings()),
    }));
    // An administrator may have changed the account. An upgrade keeps it.
    const kept = command.unattended ? before?.account : undefined;
    const config = serviceConfig({ ...installation, account: kept ?? installation.account });
    const lacking: string[] = [];
    const configure = async (service: Service): Promise<void> => {
      for (const { level, what, info } of serviceInfos(installation)) {
        if (!(await service.changeInfo(level, info))) lacking.push(what);
      }
      makeFolders(loadAclapi(), this.#name, this.#folders, process.env);
      // The folder is protected by now, so nobody else can create a file there first.
      writeSeeds(this.#folders, command.seeds);
      await this.#setEnvironment();
      await registerEventSource(this.#advapi32, this.#name);
    };
    if (before === undefined) await this.#services.create(this.#name, config, configure);
    else {
      await this.#find('change', async (service) => {
        await service.change(config);
        await configure(service);
      });
    }
    const without = lacking.map(
      (what) => `Note: this version of Windows does not support ${what}, so the service runs without it.`,
    );
    const notes = [...notesOn(command, unprotected), ...without, ...(await this.#openFirewall(command))];
    return done([this.#installed(before), ...notes].join('\n'));
  }

  /** Adds the firewall rule if requested, otherwise explains how. */
  async #openFirewall({ loaded, firewall }: InstallCommand): Promise<string[]> {
    const subject = { rule: firewallRule(this.#name), program: process.execPath, service: this.#name };
    const ports = exposedPorts(loaded.config);
    if (ports.length === 0) return firewall ? ['Note: only this host is served, so no firewall rule is needed.'] : [];
    const note = firewallNote(loaded.config, subject) ?? '';
    if (!firewall) return [note];
    // The rule of an earlier installation may be for other ports.
    await runNetsh(deleteRule(subject.rule));
    if (await runNetsh(addRule(ports, subject))) return ['Windows Firewall now allows other machines to connect.'];
    return [`Note: the Windows Firewall rule could not be added.\n${note}`];
  }

  #installed(before: ServiceSight | undefined): string {
    const flag = this.#name === 'wfdd' ? '' : ` --name ${this.#name}`;
    if (before === undefined) {
      const { data } = this.#folders;
      return `${this.#name} is installed and starts with Windows. Its folder is ${data}\nTo start it now: wfdd service start${flag}`;
    }
    const renewed = `${this.#name} was already installed. Its settings are updated.`;
    if (before.state === 'stopped') return renewed;
    return `${renewed}\nTo apply them now: wfdd service restart${flag}`;
  }

  async #setEnvironment(): Promise<void> {
    const key = `SYSTEM\\CurrentControlSet\\Services\\${this.#name}`;
    const value = multiSz(serviceEnvironment());
    const { code } = await this.#advapi32.RegSetKeyValueW(HKEY_LOCAL_MACHINE, key, 'Environment', REG_MULTI_SZ, value);
    if (code !== 0) throw new ServiceError('RegSetKeyValueW', code);
  }

  async #uninstall(): Promise<Outcome> {
    const stopped = await this.#stop();
    if (stopped.exitCode === EXIT.notInstalled) return done(`${this.#name} is not installed.`);
    if (stopped.exitCode !== EXIT.ok) return stopped;
    await this.#find('change', (service) => service.delete());
    await unregisterEventSource(this.#advapi32, this.#name);
    await runNetsh(deleteRule(firewallRule(this.#name)));
    const isGone = async () => (await this.#find('look', async () => true)) === undefined;
    if (!(await until(isGone))) throw new ServiceError('DeleteService', ERROR_SERVICE_MARKED_FOR_DELETE);
    return done(`${this.#name} is uninstalled. Its configuration and its log are still in ${this.#folders.data}`);
  }

  async #start(): Promise<Outcome> {
    const sight = await this.#find('start', async (service) => {
      const before = await service.settle(this.#progress());
      if (before.state === 'running') return before;
      await service.start();
      return service.settle(this.#progress());
    });
    if (sight === undefined) return this.#notInstalled();
    if (sight.state === 'running') return done(`${this.#name} is running (process ${sight.processId}).`);
    const { logs } = this.#folders;
    const why = isPending(sight) ? 'it does not respond' : whyStopped(sight);
    return failed(`${this.#name} did not start: ${why}. Its log: ${logs}`, EXIT.service);
  }

  /** Stopped means that the process has exited too, and its files are closed. */
  async #stop(): Promise<Outcome> {
    const sight = await this.#find('stop', async (service) => {
      const before = await service.settle(this.#progress());
      if (before.state !== 'running') return before;
      await service.stop();
      const after = await service.settle(this.#progress(), 'running');
      const { processId } = before;
      if (after.state === 'stopped' && processId !== undefined) await until(async () => !isAlive(processId));
      return after;
    });
    if (sight === undefined) return this.#notInstalled();
    if (sight.state === 'stopped') return done(`${this.#name} is stopped.`);
    const remedy = `To kill it: taskkill /f /pid ${sight.processId}`;
    return failed(`${this.#name} is ${sight.state} and does not respond. ${remedy}`, EXIT.service);
  }

  async #status(json: boolean): Promise<Outcome> {
    const found = await this.#find('look', async (service) => ({
      ...(await service.look()),
      ...(await service.settings()),
    }));
    if (json) {
      const { data: dataFolder, logs: logFolder } = this.#folders;
      const status = { name: this.#name, isInstalled: found !== undefined, ...found, dataFolder, logFolder };
      return done(JSON.stringify(status, null, 2), statusCode(found));
    }
    if (found === undefined) return this.#notInstalled();
    const process = found.processId === undefined ? whyStopped(found) : `process ${found.processId}`;
    const lines = [
      `${this.#name} is ${found.state} (${process}).`,
      `  starts   ${found.isAutomatic ? 'with Windows' : 'manually'}`,
      `  account  ${found.account}`,
      `  command  ${found.command}`,
      `  folder   ${this.#folders.data}`,
      `  log      ${this.#folders.logs}`,
    ];
    return done(lines.join('\n'), statusCode(found));
  }

  /** Opens the service while `use` runs; undefined if it is not installed. */
  #find<T>(purpose: Purpose, use: (service: Service) => Promise<T>): Promise<T | undefined> {
    return this.#services.find(this.#name, purpose, async (service) => {
      const { command } = await service.settings();
      if (isWfdd(command)) return use(service);
      throw new Refusal(`The service ${this.#name} is not wfdd: it runs ${command}\nChoose another --name.`);
    });
  }

  #notInstalled(): Outcome {
    return failed(`${this.#name} is not installed.`, EXIT.notInstalled);
  }

  /** Prints a line whenever the state changes. */
  #progress(): (sight: ServiceSight) => void {
    let last = '';
    return ({ state }) => {
      if (state !== last) this.#tell(`${this.#name} is ${state} ...\n`);
      last = state;
    };
  }
}

/** Writes a new configuration file. An existing one is never changed. */
function writeSeeds({ data }: Folders, seeds: readonly Seed[]): void {
  const file = win32.join(data, 'config.yaml');
  if (seeds.length > 0 && !existsSync(file)) writeFileSync(file, seedText(seeds), { flag: 'wx' });
}

function done(text: string, exitCode: number = EXIT.ok): Outcome {
  return { text: `${text}\n`, to: 'stdout', exitCode };
}

function failed(text: string, exitCode: number): Outcome {
  return { text: `${text}\n`, to: 'stderr', exitCode };
}

function statusCode(sight: ServiceSight | undefined): number {
  if (sight === undefined) return EXIT.notInstalled;
  return sight.state === 'running' ? EXIT.ok : EXIT.notRunning;
}

function whyStopped({ exitCode, serviceExitCode }: ServiceSight): string {
  if (exitCode === ERROR_SERVICE_SPECIFIC_ERROR) {
    return serviceExitCode === EXIT.config
      ? 'its configuration is invalid'
      : `it failed with exit code ${serviceExitCode}`;
  }
  if (exitCode === 0) return 'it was stopped';
  if (exitCode === ERROR_SERVICE_NEVER_STARTED) return 'it has not been started yet';
  return exitCode === ERROR_PROCESS_ABORTED ? 'its process ended unexpectedly' : `Windows error ${exitCode}`;
}

/** Only rules of `service install` have this name. */
function firewallRule(name: string): string {
  return `Wi-Fi Direct Gateway (${name})`;
}

/** Whether netsh succeeded. */
function runNetsh(args: readonly string[]): Promise<boolean> {
  const netsh = win32.join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'netsh.exe');
  return new Promise((resolve) => {
    execFile(netsh, args, { timeout: NETSH_MS, windowsHide: true }, (error) => resolve(error === null));
  });
}

/** Whether this command line runs wfdd, from any folder. */
function isWfdd(command: string): boolean {
  return /[\\/]service[\\/]wfdd\.cjs" "service" "run"/.test(command);
}

function isAlive(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Waits until `isSo`. Returns false after VANISH_MS. */
async function until(isSo: () => Promise<boolean>): Promise<boolean> {
  const deadlineMs = performance.now() + VANISH_MS;
  while (performance.now() < deadlineMs) {
    if (await isSo()) return true;
    await wait(POLL_MS);
  }
  return isSo();
}
