/**
 * `wfdctl completion`: the completion script of a shell. The script runs `wfdctl __complete` each
 * time Tab is pressed.
 */
import { readFile } from 'node:fs/promises';
import { Argument, type Command } from 'commander';
import { EXIT, type ExitCode } from '../exit-code.js';
import type { Environment } from '../invocation.js';
import type { Run } from './command.js';

/** The files in `completions/`, with the names that the shells look for. */
const FILES = { bash: 'wfdctl.bash', zsh: '_wfdctl', powershell: 'wfdctl.ps1' } as const;

type Shell = keyof typeof FILES;

export function declareCompletion(program: Command, run: Run): Command {
  return program
    .command('completion')
    .description('Print a script that completes commands, flags, addresses and ids in a shell.')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(FILES)))
    .action((shell: Shell) => run(({ environment }) => printCompletion(shell, environment)))
    .addHelpText('after', EXAMPLES);
}

const EXAMPLES = `
Examples:
  source <(wfdctl completion bash)        in ~/.bashrc
  source <(wfdctl completion zsh)         in ~/.zshrc, after compinit
  wfdctl completion powershell | Out-String | Invoke-Expression
                                          in $PROFILE
`;

async function printCompletion(shell: Shell, { packageFolder, stdout }: Environment): Promise<ExitCode> {
  stdout.write(await readFile(new URL(`completions/${FILES[shell]}`, packageFolder), 'utf8'));
  return EXIT.ok;
}
