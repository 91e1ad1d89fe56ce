/**
 * Builds the simulator: `libwfdsim.so` with `cc`, and `wfdsim.dll` with mingw-w64 where that is there.
 *
 * Needs a C compiler and Node, nothing else. One call of the compiler for all sources; nothing to do where the output is
 * newer than every source.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(import.meta.url);
const outputFolder = dirname(script);

/** The folder of the C sources. The compiled script lies in `dist/native/simulator`. */
export const sourceFolder = resolve(outputFolder, '../../../native/simulator');

/** What every build of the sources, also the tests', is compiled with. */
export const compilerFlags: readonly string[] = ['-std=c11', '-Wall', '-Wextra', '-Werror', '-fvisibility=hidden'];

/** The sources of the library, by absolute path, in one order everywhere. */
export function sources(): string[] {
  return files('.c');
}

function files(extension: string): string[] {
  return readdirSync(sourceFolder)
    .filter((name) => name.endsWith(extension))
    .sort()
    .map((name) => join(sourceFolder, name));
}

/** Thrown where the compiler is absent; the message names the package that has it. */
export class CompilerNotFound extends Error {
  override readonly name = 'CompilerNotFound';
}

interface Target {
  readonly file: string;
  readonly compiler: string;
  readonly package: string;
  readonly flags: readonly string[];
}

const linuxTarget: Target = {
  file: join(outputFolder, 'libwfdsim.so'),
  compiler: 'cc',
  package: 'gcc',
  flags: ['-O2', '-g', '-fPIC', '-shared', '-pthread'],
};

const windowsTarget: Target = {
  file: join(outputFolder, 'wfdsim.dll'),
  compiler: 'x86_64-w64-mingw32-gcc',
  package: 'gcc-mingw-w64-x86-64-win32',
  flags: [
    ...['-O2', '-s', '-shared', '-static-libgcc'],
    // No tail calls. At every system call Wine reads the stack as if six arguments had been passed, and koffi's stack ends after
    // the room for four: a frame of the simulator has to lie between, or a call that wakes a thread faults and never returns.
    '-fno-optimize-sibling-calls',
    // No time of building, and an address that does not depend on where it is built: two builds of one commit are equal.
    ...['-Wl,--no-insert-timestamp', '-Wl,--image-base,0x180000000'],
  ],
};

function isUpToDate(file: string): boolean {
  const built = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return [...files('.c'), ...files('.h'), script].every((input) => statSync(input).mtimeMs < built);
}

function build(target: Target): string {
  if (isUpToDate(target.file)) return target.file;
  const name = basename(target.file);
  console.log(`building ${name}`);
  // Renamed into place, as a process may have the old one loaded; of the same name from the start, as a DLL holds its name.
  const draftFolder = mkdtempSync(join(dirname(target.file), 'build-'));
  try {
    const draft = join(draftFolder, name);
    compile(target, ['-o', draft]);
    renameSync(draft, target.file);
  } finally {
    rmSync(draftFolder, { recursive: true });
  }
  return target.file;
}

function compile({ compiler, flags, package: packageName }: Target, output: readonly string[]): void {
  const args = [...compilerFlags, ...flags, ...sources(), ...output];
  const { error, status } = spawnSync(compiler, args, { stdio: 'inherit' });
  if (error !== undefined && 'code' in error && error.code === 'ENOENT') {
    throw new CompilerNotFound(`${compiler} not found. Install it: apt-get install ${packageName}`);
  }
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${compiler} failed with exit code ${status}.`);
}

/** Builds `libwfdsim.so` where it is out of date, and returns its path. Throws {@link CompilerNotFound} without `cc`. */
export function buildSimulator(): string {
  return build(linuxTarget);
}

/** Builds `wfdsim.dll` where it is out of date, and returns its path. Throws {@link CompilerNotFound} without mingw-w64. */
export function buildWindowsSimulator(file: string = windowsTarget.file): string {
  return build({ ...windowsTarget, file });
}

function main(): void {
  try {
    buildSimulator();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
    return;
  }
  try {
    buildWindowsSimulator();
  } catch (error) {
    if (!(error instanceof CompilerNotFound)) throw error;
    console.log(`wfdsim.dll is not built: ${error.message}`);
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === script) main();
