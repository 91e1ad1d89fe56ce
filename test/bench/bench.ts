/**
 * The benchmarks: what the gateway does, held against a bare grpc-js server with messages of the
 * same sizes, in one run.
 *
 * Each server is a process of its own, and this process is the client of both. The rule that must
 * not be broken: what is held against each other is measured in turns (A B A B ...), so that a busy
 * machine is as hard on one as on the other.
 */
import { fileURLToPath } from 'node:url';
import { launcher } from '../harness/daemon.js';
import type { Figure, Round } from './figure.js';
import type { Reach } from './load/connection.js';
import { takeSamples } from './servers/samples.js';
import { ServerProcess } from './servers/server-process.js';
import { buildSimulatorLibrary, callbackTimesFile } from './servers/simulator-library.js';

/** One subject, with the figures as they become known. */
export interface Case {
  /** As `--only` takes it. */
  readonly name: string;
  readonly title: string;
  figures(bench: Bench): AsyncIterable<Figure>;
}

/** How much is measured. */
interface Extent {
  readonly isQuick: boolean;
  readonly rounds: number;
  readonly roundMs: number;
}

export const full: Extent = { isQuick: false, rounds: 3, roundMs: 700 };
export const quick: Extent = { isQuick: true, rounds: 1, roundMs: 100 };

interface GatewaySetup {
  /** As `--set` takes them. */
  readonly settings?: readonly string[];
  /** How many devices the simulator has for the benchmarks. */
  readonly devices?: number;
  /** How long it takes to open a session. */
  readonly openMs?: number;
  /** How its clients reach it. */
  readonly reach?: Reach;
}

const bareServer = fileURLToPath(new URL('./servers/bare-server.js', import.meta.url));

/** What is measured is how fast it can be, not how fast a principal may be. */
const UNPACED = ['limits.changesPerSecondPerPrincipalMax=1000000', 'limits.watchesPerSecondPerPrincipalMax=1000000'];

export class Bench {
  readonly extent: Extent;
  readonly #library: string;

  private constructor(extent: Extent, library: string) {
    this.extent = extent;
    this.#library = library;
  }

  /** Prepares what all cases need: the simulator's library, and one of each message. */
  static async prepare(extent: Extent): Promise<Bench> {
    const bench = new Bench(extent, buildSimulatorLibrary());
    await using gateway = await bench.gateway();
    await takeSamples(gateway.address);
    return bench;
  }

  /** `full` in a whole run, `quick` where only the way through is of interest. */
  size(full: number, quick: number): number {
    return this.extent.isQuick ? quick : full;
  }

  /** A gateway on the simulator. */
  gateway({ settings = [], devices = 16, openMs = 0, reach = {} }: GatewaySetup = {}): Promise<ServerProcess> {
    const fixed = ['--listen', '127.0.0.1:0', '--log-format', 'json', '--driver', 'simulator'];
    const args = [launcher, ...fixed, '--simulator-library', this.#library];
    for (const setting of [...UNPACED, ...settings]) args.push('--set', setting);
    const env = {
      WFD_BENCH_CALLBACKS: callbackTimesFile,
      WFD_BENCH_DEVICES: String(devices),
      WFD_BENCH_OPEN_MS: String(openMs),
    };
    return ServerProcess.start('gateway', args, env, reach);
  }

  bare({ openMs = 0 }: Pick<GatewaySetup, 'openMs'> = {}): Promise<ServerProcess> {
    return ServerProcess.start('bare-server', [bareServer], { WFD_BENCH_OPEN_MS: String(openMs) });
  }
}

/**
 * Measures all in turns, after one turn each that does not count: code is compiled and connections
 * are warm by then.
 */
export async function inTurns<Name extends string, Subject>(
  subjects: Readonly<Record<Name, Subject>>,
  rounds: number,
  measure: (subject: Subject, round: number) => Promise<Round>,
): Promise<Record<Name, Round[]>> {
  const entries = Object.entries(subjects) as [Name, Subject][];
  const measured = Object.fromEntries(entries.map(([name]) => [name, [] as Round[]])) as Record<Name, Round[]>;
  for (let round = -1; round < rounds; round += 1) {
    for (const [name, subject] of entries) {
      const result = await measure(subject, round);
      if (round >= 0) measured[name].push(result);
    }
  }
  return measured;
}
