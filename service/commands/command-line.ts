/**
 * Parses the command line of `wfdd` into a Plan. It starts nothing and writes nothing; main.ts
 * carries out the Plan.
 */
import { win32 } from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { keyAt } from '../config/keys.js';
import { type LoadedConfig, type LoadRequest, loadConfig, withFindings } from '../config/load.js';
import type { Finding } from '../config/policy.js';
import { ConfigError, describeProblem } from '../config/problem.js';
import type { Config, KeyPath } from '../config/schema.js';
import type { Assignment } from '../config/setting.js';
import { addDoctorCommand, DOCTOR_WORDS, type DoctorChoice, type DoctorPlan } from './doctor.js';
import { firewallNote } from './firewall.js';
import { addJournalCommands, JOURNAL_WORDS, type JournalChoice } from './journal.js';
import { addServiceCommands, planService, SERVICE_WORDS, type ServiceChoice, type ServicePlan } from './service.js';
import { addTlsCommands, TLS_WORDS, type TlsChoice } from './tls.js';
import { addTokenCommands, TOKEN_WORDS, type TokenChoice } from './token.js';

/**
 * Exit codes. From 64 on they are those of sysexits.h, which service managers and scripts know; 1
 * to 4 follow init scripts.
 */
export const EXIT = {
  ...{ ok: 0, damaged: 1, notRunning: 3, notInstalled: 4 },
  ...{ usage: 64, service: 69, internal: 70, address: 71, denied: 77, config: 78 },
} as const;

export type Plan =
  | ServicePlan
  /** Check the host. */
  | DoctorPlan
  /** Create this token. */
  | { readonly kind: 'token'; readonly choice: TokenChoice }
  /** Create these certificates. */
  | { readonly kind: 'tls'; readonly choice: TlsChoice }
  /** Show this part of the journal. */
  | { readonly kind: 'journal'; readonly choice: JournalChoice; readonly folder: string }
  /** Run the daemon with this configuration. */
  | { readonly kind: 'serve'; readonly loaded: LoadedConfig }
  /** Write this text and exit with this code. */
  | { readonly kind: 'answer'; readonly text: string; readonly to: 'stdout' | 'stderr'; readonly exitCode: number };

interface CommandContext extends Pick<LoadRequest, 'environment' | 'platform' | 'folder'> {
  /** The version of the daemon, for `--version`. */
  readonly version: string;
  /**
   * Reads the files that a configuration names. Yields what is wrong with them and with the
   * permissions of the configuration file.
   */
  readonly examineFiles: (config: Config, file: string | undefined) => Promise<Iterable<Finding>>;
}

/**
 * Keys that are set often have a flag of their own. The help of the flag is the description of the
 * key.
 */
const FLAGS: readonly { readonly flag: string; readonly operand?: string; readonly path: KeyPath }[] = [
  { flag: '--listen', operand: 'address', path: 'listen' },
  { flag: '--driver', path: 'driver.kind' },
  { flag: '--simulator-library', operand: 'path', path: 'driver.simulatorLibrary' },
  { flag: '--simulator-service', path: 'driver.simulatorService' },
  { flag: '--journal-folder', operand: 'path', path: 'journal.folder' },
  { flag: '--log-level', path: 'log.level' },
  { flag: '--log-format', path: 'log.format' },
  { flag: '--insecure-non-loopback', path: 'insecureNonLoopback' },
];

const COMMANDS: ReadonlySet<string> = new Set([
  'run',
  'config',
  'check',
  'print',
  ...SERVICE_WORDS,
  ...TOKEN_WORDS,
  ...JOURNAL_WORDS,
  ...DOCTOR_WORDS,
  ...TLS_WORDS,
]);

const AFTER_HELP = `
Examples:
  wfdd                                        serve on 127.0.0.1:50051
  wfdd --listen 127.0.0.1:0 --driver simulator
                                              simulated devices on any free port
  wfdd --config wfdd.yaml --set log.level=debug
  wfdd config check --config wfdd.yaml        check a configuration
  wfdd config print                           show the configuration in effect
  wfdd token create agent-7 >> tokens.yaml    create a token for a caller
  wfdd tls create tls --client agent-7        create certificates for TLS
  wfdd journal list --since 24h               list events of the last 24 h
  wfdd doctor                                 find out what is wrong here
  wfdd service install --config wfdd.yaml     run wfdd whenever Windows runs

Precedence, highest first: flags, --set, environment variables, the file, the
defaults. The variable of session.openTimeoutMs is WFDD_SESSION_OPEN_TIMEOUT_MS.
wfdd.example.yaml explains every key.

Signals:
  SIGTERM, SIGINT  stop gracefully; a second signal stops at once
  SIGHUP           stop gracefully if wfdd has a terminal; otherwise ignored

Exit codes:
  ${EXIT.ok}   success, or stopped gracefully
  ${EXIT.damaged}   the journal is damaged (wfdd journal verify); warnings (wfdd doctor)
  2   a check failed (wfdd doctor)
  ${EXIT.notRunning}   the service is not running
  ${EXIT.notInstalled}   the service is not installed
  ${EXIT.usage}  the command line is wrong
  ${EXIT.service}  the service could not be installed, started or stopped
  ${EXIT.internal}  the daemon failed
  ${EXIT.address}  cannot listen on an address: it is in use, or the system refuses it
  ${EXIT.denied}  access denied: run the command in an administrator console
  ${EXIT.config}  the configuration, or a file that it names, is invalid
`;

const ONLY_WINDOWS = `error: wfdd service works on Windows only.
On this system, run wfdd under a service manager such as systemd. It stops gracefully on SIGTERM.
`;

const NO_JOURNAL = `error: no journal is configured: journal.folder is not set.
Set journal.folder, or pass --journal-folder.
`;

type Options = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
type Choice =
  | { readonly action: 'serve' | 'check' | 'print'; readonly json: boolean }
  | ServiceChoice
  | TokenChoice
  | JournalChoice
  | DoctorChoice
  | TlsChoice;

/**
 * Reads the arguments (without those of Node) and the configuration. Never throws because of user
 * input.
 */
export async function readCommandLine(argv: readonly string[], context: CommandContext): Promise<Plan> {
  const written = { out: '', error: '' };
  let chosen = { action: 'serve', json: false } as Choice;
  const program = makeProgram(context.version, written, (choice) => {
    chosen = choice;
  });
  try {
    program.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return answer(written.out);
    const excess = program.args.find((word) => !COMMANDS.has(word));
    const isExcess = error.code === 'commander.excessArguments' && excess !== undefined;
    return failure(
      `${isExcess ? `error: unknown command '${excess}'\n` : written.error}Try wfdd --help.\n`,
      EXIT.usage,
    );
  }
  if (chosen.action === 'token') return { kind: 'token', choice: chosen };
  if (chosen.action === 'tls') return { kind: 'tls', choice: chosen };
  const request = { ...context, ...requestFrom(program.opts()) };
  if (chosen.action === 'service' && context.platform !== 'win32') return failure(ONLY_WINDOWS, EXIT.usage);
  // `config print` and `journal` do not check the files: the configuration may be that of another
  // host.
  const load = async (service?: string) => {
    const loaded = await loadConfig(service === undefined ? request : { ...request, name: service });
    if (chosen.action === 'print' || chosen.action === 'journal') return loaded;
    return withFindings(loaded, await context.examineFiles(loaded.config, loaded.file));
  };
  try {
    if (chosen.action === 'doctor') return { kind: 'doctor', choice: chosen, loaded: await loadOrError(load) };
    if (chosen.action === 'service') return await planService(chosen, request.assignments, load);
    return await planFor(chosen, await load(), context);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return failure(error.message, EXIT.config);
  }
}

/** For the doctor, an invalid configuration is one finding among others. */
async function loadOrError(load: () => Promise<LoadedConfig>): Promise<LoadedConfig | ConfigError> {
  try {
    return await load();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

async function planFor(
  choice: Exclude<Choice, ServiceChoice | TokenChoice | DoctorChoice | TlsChoice>,
  loaded: LoadedConfig,
  context: CommandContext,
): Promise<Plan> {
  const { platform } = context;
  switch (choice.action) {
    case 'journal': {
      const folder = loaded.config.journal.folder ?? folderOfService(context);
      return folder === undefined ? failure(NO_JOURNAL, EXIT.config) : { kind: 'journal', choice, folder };
    }
    case 'serve':
      return { kind: 'serve', loaded };
    case 'print':
      return answer(await print(loaded, choice.json));
    case 'check': {
      const file = loaded.file ?? 'no file, defaults';
      const warnings = loaded.warnings.map((warning) => `\nwarning: ${describeProblem(warning)}`);
      const subject = { rule: 'wfdd', program: process.execPath };
      const note = platform === 'win32' ? firewallNote(loaded.config, subject) : undefined;
      const notes = note === undefined ? '' : `\n${note}\n`;
      return answer(`The configuration is valid (${file}).\n${warnings.join('')}${notes}`);
    }
  }
}

function makeProgram(
  version: string,
  written: { out: string; error: string },
  choose: (choice: Choice) => void,
): Command {
  const program = new Command('wfdd')
    .description('Serve the Wi-Fi Direct sessions of this host over gRPC.')
    .version(`wfdd ${version}`, '--version', 'Print the version.')
    .helpOption('--help', 'Print this help.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        written.out += text;
      },
      writeErr: (text) => {
        written.error += text;
      },
    })
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .option(
      '--config <file>',
      'The configuration file. Default: WFDD_CONFIG, else /etc/wfdd/config.yaml or %ProgramData%\\wfdd\\config.yaml if it exists.',
    );
  for (const { flag, operand, path } of FLAGS) {
    const { description, choices, form } = keyAt(path).notes;
    const flags = form === 'boolean' ? flag : `${flag} <${operand ?? choices?.join('|')}>`;
    if (form === 'list') program.option(flags, `${description} Can be repeated.`, collect);
    else program.option(flags, description);
  }
  program
    .option('--set <key=value>', 'Set any key, for example limits.sessionsMax=300. Can be repeated.', collectPairs)
    .addHelpText('after', AFTER_HELP);

  program
    .command('run', { isDefault: true })
    .description('Run the daemon. This is the default command.')
    .action(() => choose({ action: 'serve', json: false }));
  const config = program
    .command('config')
    .description('Check or print the configuration without running the daemon.')
    .helpCommand(false);
  config
    .command('check')
    .description('Check the configuration and the files that it names.')
    .action(() => choose({ action: 'check', json: false }));
  config
    .command('print')
    .description('Print the configuration in effect, with the source of each value. Secrets are masked.')
    .option('--json', 'Print JSON.')
    .action((options: { json?: true }) => choose({ action: 'print', json: options.json === true }));
  addTokenCommands(program, choose);
  addTlsCommands(program, choose);
  addJournalCommands(program, choose);
  addServiceCommands(program, choose);
  addDoctorCommand(program, choose);
  return program;
}

/** The default journal folder of the Windows service. */
function folderOfService({ platform, environment }: CommandContext): string | undefined {
  const { ProgramData: data } = environment;
  return platform === 'win32' && data !== undefined ? win32.join(data, 'wfdd', 'journal') : undefined;
}

async function print(loaded: LoadedConfig, json: boolean): Promise<string> {
  const { printJson, printYaml } = await import('./print.js');
  return json ? printJson(loaded) : printYaml(loaded);
}

function collectPairs(pair: string, earlier: readonly string[] = []): readonly string[] {
  if (!/^[^=]+=/.test(pair)) throw new InvalidArgumentError('Expected key=value.');
  return collect(pair, earlier);
}

function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

function requestFrom(options: Options): Pick<LoadRequest, 'file' | 'assignments'> {
  const pairs = (options['set'] ?? []) as readonly string[];
  const assignments: Assignment[] = pairs.map((pair) => {
    const at = pair.indexOf('=');
    return { path: pair.slice(0, at), value: pair.slice(at + 1), flag: '--set' };
  });
  for (const { flag, path } of FLAGS) {
    const value = options[flag.slice(2).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())];
    if (value !== undefined) assignments.push({ path, value, flag });
  }
  return { file: options['config'] as string | undefined, assignments };
}

function failure(text: string, exitCode: number): Plan {
  return { kind: 'answer', text, to: 'stderr', exitCode };
}

function answer(text: string): Plan {
  return { kind: 'answer', text, to: 'stdout', exitCode: EXIT.ok };
}
