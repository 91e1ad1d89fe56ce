/**
 * The candidates for the word that is being typed. The declared name of an operand, such as
 * `<address>`, says what it stands for.
 */
import type { Command, Option } from 'commander';
import { STATES, type StateName } from '../operands.js';
import { optionsOf, type Typed } from './typed.js';

export interface Candidate {
  readonly value: string;
  /** May be empty. */
  readonly description: string;
}

/** `files`: the shell completes file names itself. */
type Candidates = readonly Candidate[] | 'files';

/** Candidates that come from the host or from the context file. */
export interface Sources {
  readonly devices: () => Promise<readonly Candidate[]>;
  /** Sessions in these states (default: in any state). */
  readonly sessions: (states?: readonly StateName[]) => Promise<readonly Candidate[]>;
  readonly contexts: () => Promise<readonly Candidate[]>;
}

export async function candidatesFor(typed: Typed, program: Command, sources: Sources): Promise<Candidates> {
  const all = await everyCandidate(typed, program, sources);
  if (all === 'files') return all;
  return all
    .filter(({ value }) => value.startsWith(typed.word))
    .map(({ value, description }) => ({ value: typed.before + value, description }));
}

async function everyCandidate(typed: Typed, program: Command, sources: Sources): Promise<Candidates> {
  const { command, option, word, isOperandOnly, operands } = typed;
  if (option !== undefined) return option.argChoices?.map(named) ?? valuesOf(valueNameOf(option), typed, sources);
  if (word.startsWith('-') && !isOperandOnly) return flagsOf(command, program);
  if (command.commands.length > 0) return operands.length === 0 ? commandsOf(command) : [];
  const expected = command.registeredArguments;
  const last = expected.at(-1);
  const argument = expected[operands.length] ?? (last?.variadic ? last : undefined);
  if (argument === undefined) return [];
  return argument.argChoices?.map(named) ?? valuesOf(argument.name(), typed, sources);
}

/** The states in which a command makes sense for a session. */
const STATES_FOR: Readonly<Record<string, readonly StateName[]>> = {
  cancel: ['OPENING'],
  close: ['OPENING', 'OPEN'],
  renew: ['OPENING', 'OPEN'],
};

async function valuesOf(name: string, { command, word }: Typed, sources: Sources): Promise<Candidates> {
  switch (name) {
    case 'address':
      return sources.devices();
    case 'session':
      return sources.sessions(STATES_FOR[command.name()]);
    case 'context':
      return sources.contexts();
    case 'states': {
      const before = word.slice(0, word.lastIndexOf(',') + 1);
      return STATES.map((state) => named(before + state.toLowerCase()));
    }
    case 'file':
      return 'files';
    default:
      return [];
  }
}

function commandsOf({ commands }: Command): Candidate[] {
  return commands.map((command) => ({ value: command.name(), description: command.description() }));
}

function flagsOf(command: Command, program: Command): Candidate[] {
  const flags = optionsOf(command, program).flatMap(({ long, short, description }) => {
    const value = long ?? short;
    return value === undefined ? [] : [{ value, description }];
  });
  return [...flags, { value: '--help', description: 'Print help.' }];
}

/** `address` of `--device <address>`. */
function valueNameOf({ flags }: Option): string {
  return /[<[]([^>\].]+)/.exec(flags)?.[1] ?? '';
}

function named(value: string): Candidate {
  return { value, description: '' };
}
