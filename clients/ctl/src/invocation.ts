/** What a command is given to do its work with: the way to a host, where to say what, and the global options. */
import { readFile } from 'node:fs/promises';
import type { Client } from '../../typescript/src/client.js';
import { chooseTarget } from './contexts/choice.js';
import { type ContextFile, parseContexts } from './contexts/context-file.js';
import { contextFilePath, isReadByOthers, readContextFile } from './contexts/storage.js';
import { connectOptions, type TargetFlags, withFullPaths } from './contexts/target.js';
import { Failure } from './failure.js';
import type { Surroundings } from './surroundings.js';
import { Output } from './terminal/output.js';
import type { Format } from './text/document.js';

/** The options that every command takes. */
export interface GlobalOptions extends TargetFlags {
  readonly output?: Format | undefined;
  readonly config?: string | undefined;
  readonly context?: string | undefined;
}

export class Invocation {
  readonly options: GlobalOptions;
  readonly surroundings: Surroundings;
  readonly output: Output;
  #client: Client | undefined;
  #host = '';
  /** The host has answered: what goes wrong later is not how it was asked. */
  hasAnswered = false;

  constructor(options: GlobalOptions, surroundings: Surroundings) {
    this.options = options;
    this.surroundings = surroundings;
    this.output = new Output(options.output ?? 'text', surroundings);
  }

  /** Where it asks, as the user knows it: once there is a client. */
  get host(): string {
    return this.#host;
  }

  /** The way to the host, made at its first use and ended by `close`. */
  async client(): Promise<Client> {
    this.#client ??= await this.#connect();
    return this.#client;
  }

  /** What this comes to, with a line on the terminal while it is pending. */
  async pending<Value>(what: string, work: Promise<Value>): Promise<Value> {
    this.output.progress.begin(what);
    try {
      return await work;
    } finally {
      this.output.progress.end();
    }
  }

  get contextFilePath(): string {
    return contextFilePath(this.options.config, this.surroundings);
  }

  async contexts(): Promise<ContextFile> {
    const file = this.contextFilePath;
    const parsed = parseContexts(await readContextFile(file), file);
    const hasToken = [...parsed.contexts.values()].some(({ token }) => token !== undefined);
    if (hasToken && (await isReadByOthers(file, this.surroundings.platform)))
      this.output.warn({ kind: 'config', message: `Others can read the tokens in ${file}; run chmod 600 on it.` });
    return parsed;
  }

  /** What to add to a command, so that it asks the same host as this one: ` --context lab`. The token is not shown. */
  get sameHost(): string {
    const { context, config, address, tls, ca, cert, key, serverName, tokenFile } = this.options;
    const values = { context, config, address, ca, cert, key, 'server-name': serverName, 'token-file': tokenFile };
    const given = Object.entries(values).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name} ${quoted(value)}`],
    );
    const flag = tls === undefined ? [] : [tls ? '--tls' : '--no-tls'];
    return [...given, ...flag].map((text) => ` ${text}`).join('');
  }

  /** The flags that say where a host is; files by their full path. */
  get target(): TargetFlags {
    const { address, tls, ca, cert, key, serverName, token, tokenFile } = this.options;
    const flags = { address, tls, ca, cert, key, serverName, token, tokenFile };
    return withFullPaths(flags, this.surroundings.workingFolder);
  }

  close(): void {
    this.output.progress.end();
    this.#client?.close();
  }

  async #connect(): Promise<Client> {
    const flags = { ...this.target, context: this.options.context };
    const wishes = { flags, context: this.surroundings.environment['WFDCTL_CONTEXT'] };
    const { target, context } = await chooseTarget(wishes, () => this.contexts());
    this.#host = context === undefined ? target.address : `${target.address} (context ${context})`;
    const options = connectOptions(target, readToken);
    if (target.tokenFile !== undefined) await readToken(target.tokenFile);
    // Loading gRPC takes longer than all else, and completing a flag, or a context, needs none of it.
    const { connect, GatewayError } = await import('../../typescript/src/client.js');
    try {
      return connect(target.address, options);
    } catch (error) {
      // What the flags give is theirs to put right; the rest is of the context.
      const isOfFlags = Object.values(this.target).some((value) => value !== undefined);
      if (context === undefined || isOfFlags || !(error instanceof GatewayError)) throw error;
      const what = error.message.replace(/^\w+: (tls\.)?/, '').replace(/\.$/, '');
      throw new Failure('config', `The context ${context} is wrong: ${what}; correct it with wfdctl context set.`);
    }
  }
}

/** As a shell takes it. */
function quoted(value: string): string {
  return /^[\w@%+=:,./[\]-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}

async function readToken(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(({ code }: NodeJS.ErrnoException) => {
    throw new Failure('config', `The token can't be read (${code}); check the file ${file}.`);
  });
  const token = text.trim();
  if (!/^[!-~]+$/.test(token)) throw new Failure('config', `There is no token in ${file}; give the file of one.`);
  return token;
}
