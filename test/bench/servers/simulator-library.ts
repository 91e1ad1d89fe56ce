/**
 * The library that the gateways under measurement run on: the simulator without delays, with a
 * clock at its callback.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compilerFlags, sourceFolder } from '../../../native/simulator/build.js';
import { outputFolder } from '../output.js';

const simulator = fileURLToPath(new URL('../../../native/simulator/libwfdsim.so', import.meta.url));
const source = fileURLToPath(new URL('../../../../test/bench/servers/simulator_clock.c', import.meta.url));

/** The file that the clock writes to. */
export const callbackTimesFile = join(outputFolder, 'callback-times');

/** Compiles it; the answer is its path. */
export function buildSimulatorLibrary(): string {
  const library = join(outputFolder, 'libwfdsim-bench.so');
  const compiled = spawnSync(
    'cc',
    [
      ...compilerFlags,
      ...['-O2', '-fPIC', '-shared', '-I', sourceFolder, source],
      ...['-o', library, simulator, `-Wl,-rpath,${dirname(simulator)}`],
    ],
    { encoding: 'utf8' },
  );
  if (compiled.error !== undefined) throw new Error(`The benchmarks need a C compiler: apt-get install gcc libc6-dev`);
  if (compiled.status !== 0) throw new Error(`cc could not compile ${source}:\n${compiled.stderr}`);
  return library;
}

/** When each callback began, in their order: nanoseconds on the clock of `process.hrtime`. */
export function readCallbackTimes(): bigint[] {
  const bytes = readFileSync(callbackTimesFile);
  return Array.from({ length: bytes.length / 8 }, (_, index) => bytes.readBigUInt64LE(index * 8));
}
