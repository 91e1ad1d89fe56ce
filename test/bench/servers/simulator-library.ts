/**
 * The library that the gateways under measurement run on: the simulator without delays, with a
 * clock at its callback.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compilerFlags, sourceFolder, sources } from '../../../native/simulator/build.js';
import { outputFolder } from '../output.js';

const simulator = fileURLToPath(new URL('../../../native/simulator/libwfdsim.so', import.meta.url));
const sourceOf = (name: string) => fileURLToPath(new URL(`../../../../test/bench/servers/${name}`, import.meta.url));

/** The file that the clock writes to. */
export const callbackTimesFile = join(outputFolder, 'callback-times');

/** Compiles it; the answer is its path. */
export function buildSimulatorLibrary(): string {
  const library = join(outputFolder, 'libwfdsim-bench.so');
  const linked = [simulator, `-Wl,-rpath,${dirname(simulator)}`];
  compile('simulator_clock.c', ['-fPIC', '-shared'], library, linked);
  return library;
}

/** Compiles the simulator into the program that measures it; the answer is its path. */
export function buildWorldProgram(): string {
  const program = join(outputFolder, 'simulator-world');
  compile('simulator_world.c', ['-pthread'], program, sources());
  return program;
}

function compile(name: string, flags: readonly string[], output: string, inputs: readonly string[]): void {
  const source = sourceOf(name);
  const args = [...compilerFlags, '-O2', ...flags, '-I', sourceFolder, source, '-o', output, ...inputs];
  const { error, status, stderr } = spawnSync('cc', args, { encoding: 'utf8' });
  if (error !== undefined) throw new Error(`The benchmarks need a C compiler: apt-get install gcc libc6-dev`);
  if (status !== 0) throw new Error(`cc could not compile ${source}:\n${stderr}`);
}

/** When each callback began, in their order: nanoseconds on the clock of `process.hrtime`. */
export function readCallbackTimes(): bigint[] {
  const bytes = readFileSync(callbackTimesFile);
  return Array.from({ length: bytes.length / 8 }, (_, index) => bytes.readBigUInt64LE(index * 8));
}
