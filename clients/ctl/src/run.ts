/** One run of `wfdctl`: what was typed -> what is done -> how it ends. Nothing that a user or a host does escapes it. */
import { readFile } from 'node:fs/promises';
import { type Command, CommanderError } from 'commander';
import type { GatewayError } from '../../typescript/src/client.js';
import type { Work } from './commands/command.js';
import { readTyped } from './completion/typed.js';
import { EXIT, type ExitCode } from './exit-code.js';
import { type Complaint, Failure } from './failure.js';
import { type GlobalOptions, Invocation } from './invocation.js';
import { makeProgram } from './program.js';
import type { Surroundings } from './surroundings.js';
import { Output } from './terminal/output.js';

/** What the scripts of the shells call. */
const COMPLETE = '__complete';

/** `argv` is without what Node puts before it. Rejects only for a mistake of this program. */
export async function run(argv: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { stdout, stderr, packageFolder } = surroundings;
  const { version } = JSON.parse(await readFile(new URL('package.json', packageFolder), 'utf8')) as { version: string };
  let exitCode: ExitCode = EXIT.ok;
  let invocation: Invocation | undefined;
  let complained = '';
  const writing = {
    out: (text: string) => void stdout.write(text),
    error: (text: string) => {
      complained += text;
    },
    columns: stdout.columns,
  };
  const program = makeProgram(version, writing, async (work: Work) => {
    invocation = new Invocation(program.opts<GlobalOptions>(), surroundings);
    exitCode = await work(invocation);
  });
  if (argv[0] === COMPLETE)
    return (await import('./completion/complete.js')).complete(program, argv.slice(1), surroundings);
  try {
    await program.parseAsync(withoutHelpOfNothing(program, argv), { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    if (error instanceof CommanderError && error.code === 'commander.help') {
      // A command that has commands was given none.
      stderr.write(complained);
      return EXIT.usage;
    }
    const output = invocation?.output ?? new Output(program.opts<GlobalOptions>().output ?? 'text', surroundings);
    const complaint = error instanceof CommanderError ? misuse(error, program, argv) : await told(error, invocation);
    output.complain(complaint);
    return EXIT[complaint.kind];
  } finally {
    invocation?.close();
  }
}

/** Asked for the help of a command that there is not, commander prints all help, as if that were well. */
function withoutHelpOfNothing(program: Command, argv: readonly string[]): readonly string[] {
  const { command, operands } = readTyped(program, [...argv, '']);
  const isHelp = command === program && operands[0] === 'help';
  const name = operands[isHelp ? 1 : 0];
  const isUnknown =
    name !== undefined && command.commands.length > 0 && !command.commands.some((child) => child.name() === name);
  if (!isUnknown) return argv;
  return argv.filter((word, at) => word !== '--help' && word !== '-h' && !(isHelp && at === argv.indexOf('help')));
}

/** What commander says, as one sentence that says where to look. */
function misuse({ message }: CommanderError, program: Command, argv: readonly string[]): Complaint {
  const { command } = readTyped(program, [...argv, '']);
  const path =
    command === program ? [] : [command.parent === program ? undefined : command.parent?.name(), command.name()];
  const said = message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '');
  const help = ['wfdctl', ...path.filter((name) => name !== undefined), '--help'].join(' ');
  return { kind: 'usage', message: `${said.charAt(0).toUpperCase()}${said.slice(1)}; see ${help}.` };
}

async function told(error: unknown, invocation: Invocation | undefined): Promise<Complaint> {
  if (error instanceof Failure) return error;
  // The class itself would take gRPC to load.
  if (!(error instanceof Error) || error.name !== 'GatewayError') throw error;
  const { complaintOf } = await import('./refusal.js');
  return complaintOf(error as GatewayError, invocation?.host ?? '', invocation?.hasAnswered);
}
