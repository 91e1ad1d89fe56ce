/** A client library, as the tests know it. */
import { execFile, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Lack } from '../windows/machine.js';

export interface Library {
  readonly language: string;
  /** What this machine has not, and the language needs. */
  readonly lacks: Lack | undefined;
  /** Fetches and builds all that the rest needs. What was made before is not made again. */
  readonly prepare: () => Promise<void>;
  /** Is it a good package of its ecosystem? */
  readonly checks: readonly Check[];
  /** Its public API as text, kept in the repository so that a change shows in a review. */
  readonly apiReports: readonly ApiReport[];
  /** The programs that speak for it, see protocol.ts; each is a column of the table. */
  readonly agents: readonly { readonly name: string; readonly command: readonly string[] }[];
}

export interface Check {
  readonly name: string;
  /** Throws where it does not pass. */
  readonly run: (site: Site) => Promise<void>;
}

/**
 * The public API of a package, as the text that its file should contain. What is generated from the
 * contract can stay out: `contract/schema` refuses a change that breaks clients.
 */
export interface ApiReport {
  /** The file, from the root of the repository. */
  readonly file: string;
  /** Makes the text from what `prepare` has built. */
  readonly make: () => Promise<string>;
}

/** Where checks take place. */
export interface Site {
  /** Of a host. */
  readonly address: string;
  /** A folder for whatever. */
  readonly scratch: string;
}

export const root = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * A Go that is older than a module wants fetches a newer one, as it would by default where no
 * distribution has said otherwise.
 */
const environment = { ...process.env, GOFLAGS: '-mod=readonly', GOTOOLCHAIN: process.env['GOTOOLCHAIN'] ?? 'auto' };

/** Where a first run fetches and builds. */
const TIME_MAX_MS = 10 * 60_000;

/** Runs a program in a folder, to what it wrote; what it wrote is told where it fails. */
export async function run(folder: string, [command = '', ...args]: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(command, args, {
      cwd: folder,
      timeout: TIME_MAX_MS,
      maxBuffer: 2 ** 26,
      env: environment,
    });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${[command, ...args].join(' ')}\n${stdout}${stderr}` || String(error));
  }
}

/** Undefined where the program is there, in this version or a later one; of 0.0, in any. */
export function lack(
  what: string,
  [program = '', ...args]: readonly string[],
  wanted: readonly [major: number, minor: number],
): Lack | undefined {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env: environment });
  const [, major = 0, minor = 0] = /(\d+)[.+](\d+)/.exec(stdout || stderr || '')?.map(Number) ?? [];
  const isEnough = major > wanted[0] || (major === wanted[0] && minor >= wanted[1]);
  const version = wanted.some((part) => part > 0) ? ` ${wanted.join('.')} or newer` : '';
  return isEnough ? undefined : { what: `${what}${version}`, remedy: 'bash .ci/install' };
}

/** The examples of a README that are whole programs, made to call this host. */
export async function examples(folder: string, language: string, address: string): Promise<string[]> {
  const readme = await readFile(join(folder, 'README.md'), 'utf8');
  const blocks = readme.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'));
  const programs = [...blocks]
    .map(([, code = '']) => code)
    .filter((code) => /\bimport\b|\bfn main\b|#include/.test(code));
  return programs.map((code) => code.replace('localhost:50051', address));
}

/** What every walkthrough tells, in this order. */
export const walkthrough = new RegExp(
  [
    'OPEN +interface [0-9a-f-]{36}',
    'CLOSED',
    'evidence (DEVICE_DISCONNECTED|INTERFACE_GONE|INTERFACE_DOWN)',
    'FAILED',
    'OPEN_FAILED',
    'WFD_OPEN_SESSION_COMPLETE_CALLBACK: 1460 ERROR_TIMEOUT',
    'CANCELLED',
    'snapshot',
    'disconnected +again in',
    'OPENING',
    'CLOSED\\n\\nok\\n$',
  ].join('[\\s\\S]*'),
);
