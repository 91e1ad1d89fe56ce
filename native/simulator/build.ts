/**
 * Builds the simulator: `libwfdsim.so` with `cc`, and `wfdsim.dll` with mingw-w64 if that is
 * installed.
 *
 * It needs only a C compiler and Node. One call of the compiler builds all sources. Nothing is
 * built if the output is newer than every source.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(import.meta.url);
const outputFolder = dirname(script);

/** The folder of the C sources. The compiled script is in `dist/native/simulator`. */
export const sourceFolder = resolve(outputFolder, '../../../native/simulator');

/** The flags of every build of the sources, including those of the tests. */
export const compilerFlags: readonly string[] = ['-std=c11', '-Wall', '-Wextra', '-Werror', '-fvisibility=hidden'];

/** The absolute paths of the library's sources, always in the same order. */
export function sources(): string[] {
  return files('.c');
}

function files(extension: string): string[] {
  return readdirSync(sourceFolder)
    .filter((name) => name.endsWith(extension))
    .sort()
    .map((name) => join(sourceFolder, name));
}

/** The compiler is missing. The message names the package that has it. */
class CompilerNotFound extends Error {
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
    // No tail calls (D-113). At each system call, Wine reads the stack as if six arguments had been
    // passed, but koffi's stack ends after room for four. A frame of the simulator has to be
    // between them. Otherwise a call that wakes a thread faults and never returns.
    '-fno-optimize-sibling-calls',
    // No build time, and an address that does not depend on the folder: two builds of a commit are
    // equal.
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
  // The file is renamed into place, because a process can have the old one loaded. It has its final
  // name from the start, because a DLL contains its name.
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

/**
 * Builds `libwfdsim.so` if it is out of date, and returns its path. Throws {@link CompilerNotFound}
 * without `cc`.
 */
export function buildSimulator(): string {
  return build(linuxTarget);
}

/**
 * Builds `wfdsim.dll` if it is out of date, and returns its path. Throws {@link CompilerNotFound}
 * without mingw-w64.
 */
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
