/**
 * One run of `wfdctl`: from the arguments to the exit code. Reports every error of the user or of
 * the host.
 */
import { readFile } from 'node:fs/promises';
import { type Command, CommanderError } from 'commander';
import type { GatewayError } from '../../typescript/src/client.js';
import { CliError } from './cli-error.js';
import type { Work } from './commands/command.js';
import { readTyped } from './completion/typed.js';
import { EXIT, type ExitCode } from './exit-code.js';
import { type Environment, type GlobalOptions, Invocation } from './invocation.js';
import { makeProgram } from './program.js';
import { Output } from './terminal/output.js';

/** The hidden command that the completion scripts run. */
const COMPLETE = '__complete';

/** `argv` starts after the name of the program. Rejects only because of a bug in wfdctl. */
export async function run(argv: readonly string[], environment: Environment): Promise<ExitCode> {
  const { stdout, stderr, packageFolder } = environment;
  const { version } = JSON.parse(await readFile(new URL('package.json', packageFolder), 'utf8')) as { version: string };
  let exitCode: ExitCode = EXIT.ok;
  let invocation: Invocation | undefined;
  let usage = '';
  const writing = {
    out: (text: string) => void stdout.write(text),
    error: (text: string) => {
      usage += text;
    },
    columns: stdout.columns,
  };
  const program = makeProgram(version, writing, async (work: Work) => {
    invocation = new Invocation(program.opts<GlobalOptions>(), environment);
    exitCode = await work(invocation);
  });
  if (argv[0] === COMPLETE)
    return (await import('./completion/complete.js')).complete(program, argv.slice(1), environment);
  try {
    await program.parseAsync(withoutHelpForUnknown(program, argv), { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    if (error instanceof CommanderError && error.code === 'commander.help') {
      // A command with subcommands was typed without one.
      stderr.write(usage);
      return EXIT.usage;
    }
    const output = invocation?.output ?? new Output(program.opts<GlobalOptions>().output ?? 'text', environment);
    const cliError =
      error instanceof CommanderError ? usageError(error, program, argv) : await describe(error, invocation);
    output.fail(cliError);
    return EXIT[cliError.kind];
  } finally {
    invocation?.close();
  }
}

/**
 * If a command is unknown, removes the request for help. With it, commander would print the help of
 * the whole program and report success.
 */
function withoutHelpForUnknown(program: Command, argv: readonly string[]): readonly string[] {
  const { command, operands } = readTyped(program, [...argv, '']);
  const isHelp = command === program && operands[0] === 'help';
  const name = operands[isHelp ? 1 : 0];
  const isUnknown =
    name !== undefined && command.commands.length > 0 && !command.commands.some((child) => child.name() === name);
  if (!isUnknown) return argv;
  return argv.filter((word, at) => word !== '--help' && word !== '-h' && !(isHelp && at === argv.indexOf('help')));
}

/** The message of commander as one sentence, with the command that prints the right help. */
function usageError({ message }: CommanderError, program: Command, argv: readonly string[]): CliError {
  const { command } = readTyped(program, [...argv, '']);
  const path =
    command === program ? [] : [command.parent === program ? undefined : command.parent?.name(), command.name()];
  const text = message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '');
  const help = ['wfdctl', ...path.filter((name) => name !== undefined), '--help'].join(' ');
  return new CliError('usage', `${text.charAt(0).toUpperCase()}${text.slice(1)}; see ${help}.`);
}

async function describe(error: unknown, invocation: Invocation | undefined): Promise<CliError> {
  if (error instanceof CliError) return error;
  // Importing the class for an instanceof would load gRPC.
  if (!(error instanceof Error) || error.name !== 'GatewayError') throw error;
  const { toCliError } = await import('./error-messages.js');
  return toCliError(error as GatewayError, invocation?.host ?? '', invocation?.hasAnswered);
}
