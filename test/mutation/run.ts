/**
 * `npm run mutate`: makes small mistakes in the code, one at a time, and runs the fast tests, to
 * see which mistakes they don't find. Works on a copy in `dist/mutation`; the sources stay as they
 * are.
 */
import { execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Room, rooms } from './rooms.js';
import { type Slip, type Source, SWITCH, sample, withSlips } from './slips.js';

const help = `Usage: npm run mutate -- [--room NAME ...] [--sample N | --all] [--seed N]

Makes slips in the code, one at a time, and runs the fast tests. A slip that no test finds is a hole
in the tests, or makes no difference.

  --room NAME   only this room; may be repeated. Default: all of
                ${Object.keys(rooms).join(', ')}
  --sample N    how many slips of each room (default 10)
  --all         every slip: some hours a room
  --seed N      the same seed chooses the same slips; default: a random one, which is printed
  --help        this text

The report is in dist/mutation/report.json. The exit code is 0 however many slips are missed.`;

type Outcome = 'found' | 'missed';

interface Trial {
  readonly slip: Slip;
  readonly outcome: Outcome;
  /** The tests that found it: those of the room, or all. */
  readonly by: 'room' | 'all' | undefined;
  readonly seconds: number;
}

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const folder = join(repository, 'dist/mutation');
const copy = join(folder, 'copy');
const report = join(folder, 'report.json');

/** What the slips can't concern, or what takes too long to be run for each. */
const NOT_RUN = ['slow', 'windows/**', 'tidy', 'audit', 'bench/**', 'bundle/**', 'mutation/**'];
/** A run that takes this many times as long as without a slip hangs, which is a find too. */
const PATIENCE = 4;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      room: { type: 'string', multiple: true },
      sample: { type: 'string', default: '10' },
      all: { type: 'boolean', default: false },
      seed: { type: 'string', default: String(randomInt(2 ** 31)) },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(help);
    return;
  }
  const chosen = (values.room ?? Object.keys(rooms)).map((name): [string, Room] => {
    const room = rooms[name];
    if (room === undefined) throw new Error(`--room ${name}: there is no such room; see --help.`);
    return [name, room];
  });
  const seed = wholeNumber('--seed', values.seed);
  const most = values.all ? Number.POSITIVE_INFINITY : wholeNumber('--sample', values.sample);

  console.log(`seed ${seed}`);
  const slips = await makeCopy();
  console.log('the tests without a slip:');
  const usualMs = new Map<string, number>();
  for (const tests of [...chosen.map(([, room]) => roomTests(room)), allTests()]) {
    const { passed, ms, output } = await runTests(tests, undefined, 20 * 60_000);
    if (!passed) throw new Error(`They fail as they are, so nothing can be learnt:\n${output.slice(-4000)}`);
    usualMs.set(tests.join(' '), ms);
    console.log(`  ${tests[0]}: ${seconds(ms)}`);
  }
  const trials: Record<string, Trial[]> = {};
  for (const [name, room] of chosen) {
    const own = slips.filter(({ path }) => path.startsWith(`${room.source}/`) || path === room.source);
    trials[name] = await tryAll(name, room, sample(own, most, seed), usualMs);
  }
  const table = Object.entries(trials).map(([room, tried]) => {
    const found = tried.filter(({ outcome }) => outcome === 'found').length;
    return { room, tried: tried.length, found, percent: Math.round((100 * found) / Math.max(tried.length, 1)) };
  });
  console.table(table);
  writeFileSync(report, JSON.stringify({ seed, rooms: table, trials }, null, 2));
  console.log(`written: ${report}`);
}

function wholeNumber(flag: string, text: string): number {
  if (!/^[0-9]{1,10}$/.test(text)) throw new Error(`${flag} ${text}: must be a whole number.`);
  return Number(text);
}

/** What `npm run build` runs with Node when all is compiled. */
function stepsAfterCompiling(): string[][] {
  const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  const steps: string[] = scripts.build.split('&&').map((step: string) => step.trim());
  return steps.filter((step) => step.startsWith('node ')).map((step) => step.split(' ').slice(1));
}

/** The repository once more, with every slip of every room behind its switch, and built. */
async function makeCopy(): Promise<Slip[]> {
  rmSync(folder, { recursive: true, force: true });
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: repository,
    encoding: 'utf8',
  });
  const paths = listed.split('\0').filter((path) => path !== '' && existsSync(join(repository, path)));
  for (const path of paths) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    cpSync(join(repository, path), join(copy, path), { verbatimSymlinks: true });
  }
  symlinkSync(join(repository, 'node_modules'), join(copy, 'node_modules'));
  const isOfARoom = (path: string) =>
    Object.values(rooms).some(({ source }) => path === source || path.startsWith(`${source}/`));
  const sources: Source[] = paths
    .filter((path) => path.endsWith('.ts') && isOfARoom(path) && !path.includes('/gen/'))
    .map((path) => ({ path, text: readFileSync(join(repository, path), 'utf8') }));
  const changed = await withSlips(sources);
  for (const { path, text } of changed.sources) writeFileSync(join(copy, path), text);
  console.log(`${changed.slips.length} slips in ${sources.length} files; building`);
  // As `npm run build`, but for the types: those of a line with all of its slips are nobody's
  // concern.
  for (const args of [['node_modules/typescript/bin/tsc', '-p', '.', '--noCheck'], ...stepsAfterCompiling()]) {
    const { passed, output } = await run(process.execPath, args, {}, 10 * 60_000);
    if (!passed) throw new Error(`The copy can't be built:\n${output.slice(-4000)}`);
  }
  return changed.slips;
}

async function tryAll(
  name: string,
  room: Room,
  slips: readonly Slip[],
  usualMs: ReadonlyMap<string, number>,
): Promise<Trial[]> {
  const trials: Trial[] = [];
  for (const slip of slips) {
    const begun = performance.now();
    let by: Trial['by'];
    for (const [which, tests] of [['room', roomTests(room)] as const, ['all', allTests()] as const]) {
      const { passed } = await runTests(tests, slip, PATIENCE * (usualMs.get(tests.join(' ')) ?? 60_000) + 10_000);
      if (passed) continue;
      by = which;
      break;
    }
    const trial: Trial = {
      slip,
      outcome: by === undefined ? 'missed' : 'found',
      by,
      seconds: Math.round((performance.now() - begun) / 1000),
    };
    trials.push(trial);
    console.log(`[${name} ${trials.length}/${slips.length}] ${describe(trial)}`);
  }
  return trials;
}

function describe({ slip, outcome, by, seconds: took }: Trial): string {
  const place = `${slip.path}:${slip.line}:${slip.column} ${slip.kind}`;
  if (outcome === 'found')
    return `found by the tests of ${by === 'all' ? 'other rooms' : 'its room'}, ${took} s: ${place}`;
  const shown = (text: string) => text.replace(/\s+/g, ' ').slice(0, 160);
  return `MISSED, ${took} s: ${place}\n    - ${shown(slip.before)}\n    + ${shown(slip.after)}`;
}

function roomTests({ tests }: Room): string[] {
  return tests.map((path) => `dist/${path}/**/*.test.js`);
}

function allTests(): string[] {
  return ['dist/test/**/*.test.js'];
}

function runTests(patterns: readonly string[], slip: Slip | undefined, timeoutMs: number): Promise<Run> {
  const not = NOT_RUN.map((what) => (what.endsWith('**') ? `!dist/test/${what}` : `!dist/test/**/*${what}.test.js`));
  const args = ['node_modules/ava/entrypoints/cli.mjs', '--fail-fast', ...patterns, ...not];
  return run(process.execPath, args, slip === undefined ? {} : { [SWITCH]: slip.id }, timeoutMs);
}

interface Run {
  readonly passed: boolean;
  readonly ms: number;
  readonly output: string;
}

/** In a process group of its own, so that what a slip leaves running ends with it. */
async function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<Run> {
  const begun = performance.now();
  const child = spawn(program, args, {
    cwd: copy,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // Nothing of it is left.
    }
  };
  process.once('exit', end);
  const timer = setTimeout(end, timeoutMs);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-100_000);
    });
  }
  const [code] = await once(child, 'exit');
  clearTimeout(timer);
  end();
  process.removeListener('exit', end);
  return { passed: code === 0, ms: performance.now() - begun, output };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
try {
  await main();
} catch (error) {
  console.error(`mutate: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
