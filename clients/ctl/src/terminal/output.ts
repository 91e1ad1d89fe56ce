/** Where results, hints and complaints go: results to stdout in the format that was asked for, all else to stderr. */
import { EXIT } from '../exit-code.js';
import { type Complaint, Failure } from '../failure.js';
import { type Format, streamedDocument, wholeDocument } from '../text/document.js';
import { printable } from '../text/printable.js';
import { coloured, plain, type Style } from '../text/style.js';
import { Progress } from './progress.js';
import { isCapable, isColoured, type Sink } from './sink.js';

export interface Terminals {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A result in both its forms, of which only the one that is asked for is made. */
export interface Result {
  readonly text: (style: Style) => string;
  /** Ready for JSON. */
  readonly message: () => unknown;
  /** What `-o name` prints, a line each; what has none refuses it before it begins (`refuseNames`). */
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
  readonly #isSeen: boolean;

  constructor(format: Format, { stdout, stderr, environment }: Terminals) {
    this.format = format;
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.#style = isColoured(stdout, environment) ? coloured : plain;
    this.#stderrStyle = isColoured(stderr, environment) ? coloured : plain;
    this.#isSeen = isCapable(stderr, environment);
    this.progress = new Progress(this.#isSeen ? stderr : undefined);
  }

  /** The one result of a command. */
  result({ text, message, names }: Result): void {
    if (this.format === 'name') this.#print((names?.() ?? []).map((name) => `${printable(name)}\n`).join(''));
    else this.#print(isForPeople(this.format) ? text(this.#lineStyle) : wholeDocument(message(), this.format));
  }

  /** One of those that come as they come. */
  item({ text, message }: Result): void {
    if (this.format === 'name') return;
    this.#print(isForPeople(this.format) ? text(this.#lineStyle) : streamedDocument(message(), this.format));
  }

  /** No program reads this. */
  get isForPeople(): boolean {
    return isForPeople(this.format);
  }

  /** For a command whose result has no names. */
  refuseNames(): void {
    if (this.format === 'name')
      throw new Failure('usage', 'Nothing here has a name to print; leave out -o name, or give another format.');
  }

  /** For people who sit at the terminal, and for nobody else. */
  hint(text: string): void {
    if (this.#isSeen && isForPeople(this.format)) this.#tell(`${this.#stderrStyle.dim(text)}\n`);
  }

  /** It goes on all the same. */
  warn({ message, details }: Complaint): void {
    if (this.format !== 'json' && this.format !== 'yaml')
      this.#tell(`${this.#stderrStyle.pending('wfdctl:')} ${message}\n`);
    else this.#tell(streamedDocument({ warning: { message, ...details } }, this.format));
  }

  /** It ends with this. */
  complain({ kind, message, details }: Complaint): void {
    this.progress.end();
    const error = { kind, exitCode: EXIT[kind], message, ...details };
    if (this.format !== 'json' && this.format !== 'yaml')
      this.#tell(`${this.#stderrStyle.bad('wfdctl:')} ${message}\n`);
    else this.#tell(streamedDocument({ error }, this.format));
  }

  /** A terminal may change its width at any time. */
  get #lineStyle(): Style {
    // A terminal that does not know its width says 0.
    const columns = this.#stdout.isTTY && this.format === 'text' ? this.#stdout.columns || undefined : undefined;
    return { ...this.#style, columns };
  }

  #print(text: string): void {
    this.progress.hide();
    this.#stdout.write(text);
  }

  #tell(text: string): void {
    this.progress.hide();
    this.#stderr.write(text);
  }
}
