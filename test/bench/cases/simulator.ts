/** What the simulator's own operations cost in a large world, beside a small one. */
import { spawnSync } from 'node:child_process';
import type { Bench, Case } from '../bench.js';
import { figure } from '../figure.js';
import { buildWorldProgram } from '../servers/simulator-library.js';

const SMALL = 100;
const LARGE = 10_000;

export const simulator: Case = {
  name: 'simulator',
  title: `one operation of the simulator in a world of ${LARGE.toLocaleString('en-US')}, beside one of ${SMALL}`,
  async *figures(bench: Bench) {
    const program = buildWorldProgram();
    const large = bench.size(LARGE, 2 * SMALL);
    const runs = Array.from({ length: bench.extent.rounds }, () => run(program, SMALL, large));
    for (const { name } of runs[0] ?? []) {
      const costs = runs.map((lines) => lines.find((line) => line.name === name));
      yield figure(
        'simulator',
        {
          name,
          unit: 'ns',
          key: 'ns',
          // An operation that returns the whole world costs in proportion to it.
          ...(name.includes('whole world') ? {} : { aim: { of: 'ratio', atMost: 3 } }),
        },
        costs.map((cost) => ({ ns: cost?.large ?? Number.NaN })),
        costs.map((cost) => ({ ns: cost?.small ?? Number.NaN })),
        `a world of ${SMALL}`,
      );
    }
  },
};

interface Cost {
  readonly name: string;
  readonly small: number;
  readonly large: number;
}

function run(program: string, ...sizes: readonly number[]): Cost[] {
  const { error, status, stdout, stderr } = spawnSync(program, sizes.map(String), { encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(stderr);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [name = '', small, large] = line.split('\t');
      return { name, small: Number(small), large: Number(large) };
    });
}
