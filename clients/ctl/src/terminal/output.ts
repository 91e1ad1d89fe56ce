/** Prints results to stdout in the chosen format, and everything else to stderr. */

import { CliError } from '../cli-error.js';
import { EXIT } from '../exit-code.js';
import { type Format, streamedDocument, wholeDocument } from '../text/document.js';
import { printable } from '../text/printable.js';
import { coloured, plain, type Style } from '../text/style.js';
import { Progress } from './progress.js';
import { isCapable, isColoured, type Sink } from './sink.js';

export interface Terminals {
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Environment variables. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** A result in all its forms. Only the chosen one is made. */
export interface Result {
  readonly text: (style: Style) => string;
  /** Ready for JSON. */
  readonly message: () => unknown;
  /** The lines of `-o name`. A command without names calls `refuseNames` before it starts. */
  readonly names?: () => readonly string[];
}

function isForPeople(format: Format): format is 'text' | 'wide' {
  return format === 'text' || format === 'wide';
}

export class Output {
  readonly format: Format;
  readonly progress: Progress;
  readonly #stdout: Sink;
  readonly #stderr: Sink;
  readonly #style: Style;
  readonly #stderrStyle: Style;
  readonly #hasTerminal: boolean;

  constructor(format: Format, { stdout, stderr, variables }: Terminals) {
    this.format = format;
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.#style = isColoured(stdout, variables) ? coloured : plain;
    this.#stderrStyle = isColoured(stderr, variables) ? coloured : plain;
    this.#hasTerminal = isCapable(stderr, variables);
    this.progress = new Progress(this.#hasTerminal ? stderr : undefined);
  }

  /** The one result of a command. */
  result({ text, message, names }: Result): void {
    if (this.format === 'name') this.#print((names?.() ?? []).map((name) => `${printable(name)}\n`).join(''));
    else this.#print(isForPeople(this.format) ? text(this.#lineStyle) : wholeDocument(message(), this.format));
  }

  /** One of many results. */
  item({ text, message }: Result): void {
    if (this.format === 'name') return;
    this.#print(isForPeople(this.format) ? text(this.#lineStyle) : streamedDocument(message(), this.format));
  }

  get isForPeople(): boolean {
    return isForPeople(this.format);
  }

  /** Rejects `-o name`, for a command whose results have no names. */
  refuseNames(): void {
    if (this.format === 'name')
      throw new CliError('usage', 'The output of this command has no names; choose another format than -o name.');
  }

  /** Printed only for people at a terminal. */
  hint(text: string): void {
    if (this.#hasTerminal && isForPeople(this.format)) this.#printError(`${this.#stderrStyle.dim(text)}\n`);
  }

  /** The command continues after a warning. */
  warn(message: string, details: Readonly<Record<string, unknown>> = {}): void {
    if (this.format !== 'json' && this.format !== 'yaml')
      this.#printError(`${this.#stderrStyle.pending('wfdctl:')} ${message}\n`);
    else this.#printError(streamedDocument({ warning: { message, ...details } }, this.format));
  }

  /** The command ends with this error. */
  fail({ kind, message, details }: CliError): void {
    this.progress.end();
    const error = { kind, exitCode: EXIT[kind], message, ...details };
    if (this.format !== 'json' && this.format !== 'yaml')
      this.#printError(`${this.#stderrStyle.bad('wfdctl:')} ${message}\n`);
    else this.#printError(streamedDocument({ error }, this.format));
  }

  /** Read for each result, because a terminal can change its width at any time. */
  get #lineStyle(): Style {
    // 0 means that the terminal does not know its width.
    const columns = this.#stdout.isTTY && this.format === 'text' ? this.#stdout.columns || undefined : undefined;
    return { ...this.#style, columns };
  }

  #print(text: string): void {
    this.progress.hide();
    this.#stdout.write(text);
  }

  #printError(text: string): void {
    this.progress.hide();
    this.#stderr.write(text);
  }
}
