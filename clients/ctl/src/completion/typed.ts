/** A command line that is not finished yet: which command it is of, what has been given, and what the last word is to be. */
import type { Command, Option } from 'commander';

export interface Typed {
  /** The innermost command that has been named. */
  readonly command: Command;
  /** The operands of it that stand before the word. */
  readonly operands: readonly string[];
  /** Values of flags so far, by the names that commander gives them. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** The word that is being typed, as far as it is there; the value alone in `--flag=value`. */
  readonly word: string;
  /** What stands before the value in such a word: `--flag=`. */
  readonly before: string;
  /** The flag whose value the word is. */
  readonly option: Option | undefined;
  /** After `--` nothing is a flag. */
  readonly isOperandOnly: boolean;
}

/** `words` without the name of the program; the last of them is being typed. */
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

/** The flags that may be typed here. */
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

/** `--flag=value`. Of a single dash and of words it leaves all as it is. */
function splitFlag(word: string): readonly [name: string, value?: string] {
  const at = word.indexOf('=');
  return word.startsWith('--') && at > 0 ? [word.slice(0, at), word.slice(at + 1)] : [word];
}
