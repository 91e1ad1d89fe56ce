/** How a command is declared, and the flags and help texts that several commands share. */
import type { Command } from 'commander';
import type { ExitCode } from '../exit-code.js';
import type { Invocation } from '../invocation.js';
import { duration } from '../operands.js';

/** The work of one command. Resolves to the exit code; rejects if the command fails. */
export type Work = (invocation: Invocation) => Promise<ExitCode>;

/** Runs the command that was typed. */
export type Run = (work: Work) => Promise<void>;

/** Adds one command, with its flags, help and work, to the program. */
export type Declaration = (program: Command, run: Run) => Command;

export interface CallOptions {
  /** How long the host may take to answer, in ms. */
  readonly timeout?: number;
}

/** For a command that makes one call. */
export function addCallTimeout(command: Command): Command {
  return command.option('--timeout <duration>', 'how long the host may take to answer (default: 10s)', duration);
}

export function examples(...lines: readonly string[]): string {
  return `
Examples:
${lines.map((line) => `  wfdctl ${line}`).join('\n')}

Run wfdctl --help for the flags that every command takes, such as --context.
`;
}
