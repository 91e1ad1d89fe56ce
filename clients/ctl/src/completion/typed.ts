/**
 * Parses an unfinished command line: its command, its operands and flags so far, and the word that
 * is being typed.
 */
import type { Command, Option } from 'commander';

export interface Typed {
  /** The innermost command so far. */
  readonly command: Command;
  /** Its operands before the word. */
  readonly operands: readonly string[];
  /** The values of the flags so far, by commander's names for them. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** What is typed so far of the word; in `--flag=value` only the value. */
  readonly word: string;
  /** In such a word the part before the value: `--flag=`. */
  readonly before: string;
  /** The flag that the word is the value of. */
  readonly option: Option | undefined;
  /** True after `--`, where nothing is a flag. */
  readonly isOperandOnly: boolean;
}

/** `words` starts after the name of the program. The last word is the one being typed. */
export function readTyped(program: Command, words: readonly string[]): Typed {
  let command = program;
  const operands: string[] = [];
  let option: Option | undefined;
  let isOperandOnly = false;
  const flags: Record<string, unknown> = {};
  const last = words.at(-1) ?? '';
  for (const word of words.slice(0, -1)) {
    if (option !== undefined) {
      flags[option.attributeName()] = word;
      option = undefined;
    } else if (word === '--' && !isOperandOnly) {
      isOperandOnly = true;
    } else if (word.startsWith('-') && !isOperandOnly) {
      const [name = '', value] = splitFlag(word);
      const found = optionNamed(name, command, program);
      if (found !== undefined && takesValue(found) && value === undefined) option = found;
      else if (found !== undefined) flags[found.attributeName()] = takesValue(found) ? value : !found.negate;
    } else {
      const next = operands.length === 0 ? command.commands.find((child) => child.name() === word) : undefined;
      if (next === undefined) operands.push(word);
      else command = next;
    }
  }
  const rest = { command, operands, flags, isOperandOnly };
  const [name = '', value] = splitFlag(last);
  if (option !== undefined || isOperandOnly || value === undefined) return { ...rest, word: last, before: '', option };
  return { ...rest, word: value, before: `${name}=`, option: optionNamed(name, command, program) };
}

/** The flags that are possible here. */
export function optionsOf(command: Command, program: Command): Option[] {
  const own = command === program ? [] : command.options;
  return [...own, ...program.options].filter(({ hidden }) => !hidden);
}

function optionNamed(name: string, command: Command, program: Command): Option | undefined {
  return optionsOf(command, program).find(({ long, short }) => name === long || name === short);
}

function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}

/** Splits `--flag=value`. Leaves `-f` and plain words whole. */
function splitFlag(word: string): readonly [name: string, value?: string] {
  const at = word.indexOf('=');
  return word.startsWith('--') && at > 0 ? [word.slice(0, at), word.slice(at + 1)] : [word];
}
