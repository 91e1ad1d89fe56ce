/** The agent of one client library, as scenarios speak to it; see protocol.ts. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { ConnectCommand, Does, ErrorItem, Gives, Line, Takes } from './protocol.js';

/** Longer than anything takes but what hangs, or is to wait. */
const PATIENCE_MS = 15_000;

/** What a command failed with, as the library told it. */
export class Refused extends Error {
  readonly error: ErrorItem;

  constructor(error: ErrorItem) {
    super(`${error.code} ${error.reason ?? ''} ${error.message ?? ''}`);
    this.error = error;
  }
}

/** A command that was given, and what has come of it. */
export class Doing<Item> {
  readonly id: number;
  readonly items: Item[] = [];
  #end: { readonly error?: ErrorItem | null } | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(id: number) {
    this.id = id;
  }

  add(line: Line): void {
    if ('item' in line) this.items.push(line.item as Item);
    else this.#end = line.end;
    for (const wake of this.#waiting) wake();
  }

  /** The first item, past or to come, that is so. */
  first(isSo: (item: Item) => boolean, patienceMs?: number): Promise<Item> {
    return this.#until(patienceMs, () => {
      const found = this.items.find(isSo);
      if (found === undefined && this.#end !== undefined) throw new Error(`it ended, after ${this.#told()}`);
      return found;
    });
  }

  /** How it ended; undefined: well. */
  async outcome(patienceMs?: number): Promise<ErrorItem | undefined> {
    const { error } = await this.#until(patienceMs, () => this.#end);
    return error ?? undefined;
  }

  async #until<T>(patienceMs = PATIENCE_MS, find: () => T | undefined): Promise<T> {
    const patience = AbortSignal.timeout(patienceMs);
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (patience.aborted) throw new Error(`it never came, but ${this.#told()}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          patience.removeEventListener('abort', wake);
          resolve();
        };
        this.#waiting.add(wake);
        patience.addEventListener('abort', wake);
      });
    }
  }

  /** The latest of it. */
  #told(): string {
    return JSON.stringify({ items: this.items.slice(-5), of: this.items.length, end: this.#end });
  }
}

export class Agent {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #doing = new Map<number, Doing<unknown>>();
  #commands = 0;
  #end: { readonly error: ErrorItem } | undefined;

  constructor([command = '', ...args]: readonly string[]) {
    this.#child = spawn(command, args, { env: { ...process.env, GRPC_VERBOSITY: 'NONE' } });
    this.#child.stderr.pipe(process.stderr);
    this.#child.stdin.on('error', () => {});
    createInterface({ input: this.#child.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as Line;
      this.#doing.get(line.id)?.add(line);
    });
    this.#child.once('exit', (code, signal) => {
      const end = { error: { code: `THE_AGENT_ENDED_WITH_${signal ?? code}` } };
      this.#end = end;
      for (const [id, doing] of this.#doing) doing.add({ id, end });
    });
  }

  async connect(address: string, options: Omit<ConnectCommand, 'address'> = {}): Promise<void> {
    await this.ask('connect', { address, ...options });
  }

  do<Do extends Does>(what: Do, command: Takes<Do>): Doing<Gives<Do>> {
    this.#commands += 1;
    const doing = new Doing<Gives<Do>>(this.#commands);
    this.#doing.set(doing.id, doing);
    if (this.#end !== undefined) doing.add({ id: doing.id, end: this.#end });
    this.#child.stdin.write(`${JSON.stringify({ id: doing.id, do: what, ...command })}\n`);
    return doing;
  }

  /** What a command that ends by itself says; throws Refused. */
  async ask<Do extends Does>(what: Do, command: Takes<Do>): Promise<readonly Gives<Do>[]> {
    const doing = this.do(what, command);
    const error = await doing.outcome();
    if (error !== undefined) throw new Refused(error);
    return doing.items;
  }

  /** What a command fails with. */
  async refusal<Do extends Does>(what: Do, command: Takes<Do>): Promise<ErrorItem> {
    const error = await this.do(what, command).outcome();
    if (error === undefined) throw new Error(`${what} was to fail, but it succeeded`);
    return error;
  }

  async leave(doing: Doing<unknown>): Promise<void> {
    await this.ask('leave', { command: doing.id });
  }

  /** What was begun and not waited for is of no interest any more. */
  forget(): void {
    this.#doing.clear();
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.stdin.end();
    const impatience = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await exited;
    clearTimeout(impatience);
  }
}
