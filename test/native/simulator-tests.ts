/** The simulator's own tests, in C: what they are, and how they are compiled and run. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compilerFlags, sourceFolder, sources } from '../../native/simulator/build.js';

/** Of this process, and removed with it. */
export const folder = mkdtempSync(join(tmpdir(), 'wfd-simulator-'));
process.once('exit', () => rmSync(folder, { recursive: true }));

const testFolder = join(sourceFolder, 'test');
export const testSources = readdirSync(testFolder)
  .filter((name) => name.endsWith('.c'))
  .map((name) => join(testFolder, name));

/** How many tests stand in the sources. */
export const written = testSources.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/^ {4}\{"/gm)]).length;

export function run(command: string, args: readonly string[]) {
  const { error, status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (error) throw error;
  return { status, stdout, stderr };
}

/** Runs the C tests compiled with these flags, and gives the titles of those that passed. */
export function runTests(name: string, flags: readonly string[]): { titles: string[]; output: string } {
  const program = join(folder, name);
  const build = run('cc', [...compilerFlags, '-pthread', ...flags, ...sources(), ...testSources, '-o', program]);
  if (build.status !== 0) throw new Error(build.stderr);
  const { status, stdout, stderr } = run(program, []);
  const output = `${stdout}${stderr}exit status ${status}`;
  return { titles: stdout.split('\n').flatMap((line) => /^ok - (.*)/.exec(line)?.[1] ?? []), output };
}

/** The functions that a library exports. */
export function exportsOf(library: string): string[] {
  const symbols = run('nm', ['-D', '--defined-only', library]).stdout;
  return [...symbols.matchAll(/ T (\w+)$/gm)].map(([, name = '']) => name).sort();
}
