/**
 * Everything that a command works with: its environment, the global options, the output, and the
 * client of the host.
 */
import { readFile } from 'node:fs/promises';
import type { Client } from '../../typescript/src/client.js';
import { CliError } from './cli-error.js';
import { chooseTarget } from './contexts/choice.js';
import { type ContextFile, parseContexts } from './contexts/context-file.js';
import { type ConfigPlace, contextFilePath, isReadByOthers, readContextFile } from './contexts/storage.js';
import { connectOptions, type TargetFlags, withFullPaths } from './contexts/target.js';
import { Output, type Terminals } from './terminal/output.js';
import type { Format } from './text/document.js';

/** What the process has around it. Tests make their own. */
export interface Environment extends ConfigPlace, Terminals {
  readonly workingFolder: string;
  /** The folder of `package.json` and `completions/`, with a `/` at its end. */
  readonly packageFolder: URL;
  /**
   * From now on, each Ctrl+C calls the listener and no longer ends the process. The function that
   * it returns undoes this.
   */
  readonly onInterrupt: (listener: () => void) => () => void;
}

/** The options that every command takes. */
export interface GlobalOptions extends TargetFlags {
  readonly output?: Format | undefined;
  readonly config?: string | undefined;
  readonly context?: string | undefined;
}

export class Invocation {
  readonly options: GlobalOptions;
  readonly environment: Environment;
  readonly output: Output;
  #client: Client | undefined;
  #host = '';
  /**
   * Whether the host has answered. If so, a later error is not caused by a wrong address or wrong
   * TLS options.
   */
  hasAnswered = false;

  constructor(options: GlobalOptions, environment: Environment) {
    this.options = options;
    this.environment = environment;
    this.output = new Output(options.output ?? 'text', environment);
  }

  /** The host as the user knows it, for messages. Empty until `client()` has been called. */
  get host(): string {
    return this.#host;
  }

  /** The client of the host. The first call creates it; `close` closes it. */
  async client(): Promise<Client> {
    this.#client ??= await this.#connect();
    return this.#client;
  }

  /** Waits for the work, and shows a line of progress meanwhile. */
  async pending<Value>(what: string, work: Promise<Value>): Promise<Value> {
    this.output.progress.begin(what);
    try {
      return await work;
    } finally {
      this.output.progress.end();
    }
  }

  get contextFilePath(): string {
    return contextFilePath(this.options.config, this.environment);
  }

  async contexts(): Promise<ContextFile> {
    const file = this.contextFilePath;
    const parsed = parseContexts(await readContextFile(file), file);
    const hasToken = [...parsed.contexts.values()].some(({ token }) => token !== undefined);
    if (hasToken && (await isReadByOthers(file, this.environment.platform)))
      this.output.warn(`Other users can read the tokens in ${file}; run chmod 600 on it.`);
    return parsed;
  }

  /**
   * Flags that make another command use the same host, such as ` --context lab`. They never contain
   * the token.
   */
  get sameHost(): string {
    const { context, config, address, tls, ca, cert, key, serverName, tokenFile } = this.options;
    const values = { context, config, address, ca, cert, key, 'server-name': serverName, 'token-file': tokenFile };
    const given = Object.entries(values).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name} ${quoted(value)}`],
    );
    const flag = tls === undefined ? [] : [tls ? '--tls' : '--no-tls'];
    return [...given, ...flag].map((text) => ` ${text}`).join('');
  }

  /** The flags that describe a host. Files have their full paths. */
  get target(): TargetFlags {
    const { address, tls, ca, cert, key, serverName, token, tokenFile } = this.options;
    const flags = { address, tls, ca, cert, key, serverName, token, tokenFile };
    return withFullPaths(flags, this.environment.workingFolder);
  }

  close(): void {
    this.output.progress.end();
    this.#client?.close();
  }

  async #connect(): Promise<Client> {
    const flags = { ...this.target, context: this.options.context };
    const request = { flags, context: this.environment.variables['WFDCTL_CONTEXT'] };
    const { target, context } = await chooseTarget(request, () => this.contexts());
    this.#host = context === undefined ? target.address : `${target.address} (context ${context})`;
    const options = connectOptions(target, readToken);
    if (target.tokenFile !== undefined) await readToken(target.tokenFile);
    // Most of the start-up time is spent loading gRPC, so commands that need no host never load it.
    const { connect, GatewayError } = await import('../../typescript/src/client.js');
    try {
      return connect(target.address, options);
    } catch (error) {
      // If there are flags, the error names one of them. Otherwise it is about a value of the
      // context.
      const hasFlags = Object.values(this.target).some((value) => value !== undefined);
      if (context === undefined || hasFlags || !(error instanceof GatewayError)) throw error;
      const what = error.message.replace(/^\w+: (tls\.)?/, '').replace(/\.$/, '');
      throw new CliError('config', `Context ${context} is invalid: ${what}; correct it with wfdctl context set.`);
    }
  }
}

/** Quotes the value for a shell, if it needs quotes. */
function quoted(value: string): string {
  return /^[\w@%+=:,./[\]-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}

async function readToken(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(({ code }: NodeJS.ErrnoException) => {
    throw new CliError('config', `The token can't be read (${code}); check the file ${file}.`);
  });
  const token = text.trim();
  if (!/^[!-~]+$/.test(token)) throw new CliError('config', `No token in ${file}; give a file that contains one.`);
  return token;
}
