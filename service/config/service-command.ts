/** `wfdd service ...`: what was typed -> what is to be done with the Windows service. */
import { type Command, InvalidArgumentError } from 'commander';
import type { LoadedConfig, LoadRequest } from './load.js';
import { ConfigError } from './problem.js';
import { type KeyPath, makeConfig } from './schema.js';
import { addSeed, type Seed } from './seed.js';

const VERBS = ['install', 'uninstall', 'start', 'stop', 'restart', 'status'] as const;
type Verb = (typeof VERBS)[number];

/** What was typed, before the configuration is looked at. */
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
  /** What the service is going to read, if it does not change before. */
  readonly loaded: LoadedConfig;
  /** The keys that flags set; the service gets the same flags. */
  readonly assigned: readonly KeyPath[];
  /** Also from folders that others than administrators may be able to write to. */
  readonly allowUnprotected: boolean;
  /** Make a rule of the Windows Firewall that lets others in. */
  readonly firewall: boolean;
  /** Nobody is there to be told: what is wrong is left for the service to report, and what was set is kept. */
  readonly unattended: boolean;
  /** What to write to the configuration where there is none yet. */
  readonly seeds: readonly Seed[];
}

export type ServiceCommand =
  | InstallCommand
  | { readonly verb: 'status'; readonly name: string; readonly json: boolean }
  | { readonly verb: Exclude<Verb, 'install' | 'status'>; readonly name: string };

/** What the service itself is started with. */
export interface RunCommand {
  readonly name: string;
  /** Where it is wrong, the service says so to the service control manager. */
  readonly loaded: LoadedConfig | ConfigError;
}

export type ServicePlan =
  /** Do this with the service. */
  | { readonly kind: 'service'; readonly command: ServiceCommand }
  /** Be the service. */
  | { readonly kind: 'service-run'; readonly run: RunCommand };

/** The words of these commands, for telling an unknown one. */
export const SERVICE_WORDS: readonly string[] = ['service', ...VERBS];

const DESCRIPTIONS: Readonly<Record<Verb, string>> = {
  install: 'Make wfdd a service that starts with Windows, with the configuration and the flags that are given here.',
  uninstall: 'Stop it, and take it away; its configuration and its log stay.',
  start: 'Start it, and wait until it serves.',
  stop: 'Close its sessions and stop it, and wait until it has ended.',
  restart: 'Stop it, then start it.',
  status: 'Say how it is: exit code 0 running, 3 not running, 4 not installed.',
};

type Options = Omit<ServiceChoice, 'action' | 'verb' | 'name' | 'seeds'> & { readonly seed: readonly Seed[] };

/** Adds `wfdd service` with its commands. */
export function addServiceCommands(program: Command, choose: (choice: ServiceChoice) => void): void {
  const service = program
    .command('service')
    .description('Be a service of Windows.')
    .helpCommand(false)
    .option('--name <name>', 'The name of the service; another one for a second wfdd on one host.', nameFrom, 'wfdd');
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
        .option('--account <account>', 'Whom it runs as.', 'LocalService')
        .option('--firewall', 'Make a rule of the Windows Firewall that lets other machines in; uninstall removes it.')
        .option('--allow-unprotected', 'Install also from a folder that is not below Program Files.')
        .option('--unattended', 'Install also with a wrong configuration; the service reports it when it starts.')
        .option(
          '--seed <key=value>',
          'Write this key to a new configuration; one that exists is not changed.',
          addSeed,
        );
    }
    if (verb === 'status') command.option('--json', 'As JSON.');
  }
  // Windows types this, nobody else.
  add('run', service.command('run', { hidden: true }));
}

/** Only to install and to run is the configuration read. Throws ConfigError where it is wrong and somebody sits there to be told. */
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

/** No file is named, so the service looks for one when it starts, and says what is wrong with it. */
function defaults(): LoadedConfig {
  return { config: makeConfig({}), file: undefined, sources: new Map(), warnings: [] };
}

/** It names the service, its folder in ProgramData and the source of its events, none of which may be another program's. */
function nameFrom(text: string): string {
  if (!/^wfdd[A-Za-z0-9_-]{0,60}$/.test(text)) {
    throw new InvalidArgumentError('It begins with wfdd, and goes on with at most 60 letters, digits, "-" and "_".');
  }
  return text;
}
