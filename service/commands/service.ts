/** The command line of `wfdd service`. */
import { type Command, InvalidArgumentError } from 'commander';
import type { LoadedConfig, LoadRequest } from '../config/load.js';
import { ConfigError } from '../config/problem.js';
import { type KeyPath, makeConfig } from '../config/schema.js';
import { addSeed, type Seed } from './seed.js';

const VERBS = ['install', 'uninstall', 'start', 'stop', 'restart', 'status'] as const;
type Verb = (typeof VERBS)[number];

/** What was typed, before the configuration is read. */
export interface ServiceChoice {
  readonly action: 'service';
  readonly verb: Verb | 'run';
  readonly name: string;
  readonly account: string;
  readonly json: boolean;
  readonly allowUnprotected: boolean;
  readonly firewall: boolean;
  readonly unattended: boolean;
  readonly seeds: readonly Seed[];
}

export interface InstallCommand {
  readonly verb: 'install';
  readonly name: string;
  /** The account, as it was typed. */
  readonly account: string;
  /** The configuration that the service will read, unless it changes until then. */
  readonly loaded: LoadedConfig;
  /** The keys that flags set. The service is started with the same flags. */
  readonly assigned: readonly KeyPath[];
  /** Install even from a folder that accounts other than administrators may be able to write to. */
  readonly allowUnprotected: boolean;
  /** Add a Windows Firewall rule that lets other machines connect. */
  readonly firewall: boolean;
  /**
   * No user reads the output, so an invalid configuration is left for the service to report.
   * Existing settings are kept.
   */
  readonly unattended: boolean;
  /** Keys for a new configuration file, if none exists. */
  readonly seeds: readonly Seed[];
}

export type ServiceCommand =
  | InstallCommand
  | { readonly verb: 'status'; readonly name: string; readonly json: boolean }
  | { readonly verb: Exclude<Verb, 'install' | 'status'>; readonly name: string };

/** The arguments that Windows starts the service with. */
export interface RunCommand {
  readonly name: string;
  /** On a ConfigError, the service reports it to the service control manager. */
  readonly loaded: LoadedConfig | ConfigError;
}

export type ServicePlan =
  /** Control the service. */
  | { readonly kind: 'service'; readonly command: ServiceCommand }
  /** Run as the service. */
  | { readonly kind: 'service-run'; readonly run: RunCommand };

/** The words of these commands; any other word on the command line is unknown. */
export const SERVICE_WORDS: readonly string[] = ['service', ...VERBS];

const DESCRIPTIONS: Readonly<Record<Verb, string>> = {
  install: 'Install wfdd as a service that starts with Windows, with the configuration and the flags given here.',
  uninstall: 'Stop and remove the service. Its configuration and its log stay.',
  start: 'Start the service and wait until it serves.',
  stop: 'Close all sessions, stop the service and wait until it has stopped.',
  restart: 'Stop the service, then start it.',
  status: 'Print the status. Exit code: 0 running, 3 not running, 4 not installed.',
};

type Options = Omit<ServiceChoice, 'action' | 'verb' | 'name' | 'seeds'> & { readonly seed: readonly Seed[] };

/** Adds `wfdd service` with its commands. */
export function addServiceCommands(program: Command, choose: (choice: ServiceChoice) => void): void {
  const service = program
    .command('service')
    .description('Install and control wfdd as a Windows service.')
    .helpCommand(false)
    .option(
      '--name <name>',
      'The name of the service. Use another name for a second wfdd on the same host.',
      nameFrom,
      'wfdd',
    );
  const add = (verb: Verb | 'run', command: Command): Command =>
    command.action((options: Partial<Options>) => {
      const { account = '', json = false, allowUnprotected = false, firewall = false } = options;
      const { unattended = false, seed: seeds = [] } = options;
      const name = service.opts()['name'] as string;
      choose({ action: 'service', verb, name, account, json, allowUnprotected, firewall, unattended, seeds });
    });
  for (const verb of VERBS) {
    const command = add(verb, service.command(verb).description(DESCRIPTIONS[verb]));
    if (verb === 'install') {
      command
        .option('--account <account>', 'The account that the service runs as.', 'LocalService')
        .option('--firewall', 'Add a Windows Firewall rule that lets other machines connect. Uninstall removes it.')
        .option('--allow-unprotected', 'Allow a program folder outside Program Files.')
        .option('--unattended', 'Install even if the configuration is invalid. The service reports it when it starts.')
        .option(
          '--seed <key=value>',
          'Write this key to a new configuration file. An existing file is not changed.',
          addSeed,
        );
    }
    if (verb === 'status') command.option('--json', 'Print JSON.');
  }
  // Only Windows runs this command.
  add('run', service.command('run', { hidden: true }));
}

/**
 * Reads the configuration only to install and to run. Throws ConfigError if it is invalid and the
 * installation is interactive.
 */
export async function planService(
  choice: ServiceChoice,
  assignments: LoadRequest['assignments'],
  load: (name: string) => Promise<LoadedConfig>,
): Promise<ServicePlan> {
  const { verb, name, account, json, allowUnprotected, firewall, unattended, seeds } = choice;
  if (verb === 'status') return { kind: 'service', command: { verb, name, json } };
  if (verb === 'run') {
    const loaded = await load(name).catch((error: unknown) => {
      if (error instanceof ConfigError) return error;
      throw error;
    });
    return { kind: 'service-run', run: { name, loaded } };
  }
  if (verb !== 'install') return { kind: 'service', command: { verb, name } };
  const loaded = await load(name).catch((error: unknown) => {
    if (error instanceof ConfigError && unattended) return defaults();
    throw error;
  });
  const assigned = new Set((assignments ?? []).map(({ path }) => path as KeyPath));
  return {
    kind: 'service',
    command: { verb, name, account, loaded, assigned: [...assigned], allowUnprotected, firewall, unattended, seeds },
  };
}

/** Names no file, so the service looks for one when it starts and reports what is wrong with it. */
function defaults(): LoadedConfig {
  return { config: makeConfig({}), file: undefined, sources: new Map(), warnings: [] };
}

/**
 * The name of the service, of its folder in ProgramData and of its event source. None may belong to
 * another program.
 */
function nameFrom(text: string): string {
  if (!/^wfdd[A-Za-z0-9_-]{0,60}$/.test(text)) {
    throw new InvalidArgumentError('Expected "wfdd" followed by at most 60 letters, digits, "-" or "_".');
  }
  return text;
}
