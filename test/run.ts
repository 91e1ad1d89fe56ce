/**
 * The test runner behind `npm test`: the checks of the sources and of what ships, the tests, and
 * the tests that run the Windows bundle under Wine, one after another, each with its output as it
 * comes. Its last line is `N passed, N failed, N skipped`.
 *
 * Where a test lives says what it needs: `windows/` needs the bundle and Wine, `*.slow.test.ts`
 * patience; what is in `contract/` runs twice, on the daemon of this machine and on the bundle.
 * With `CI=true` nothing may be lacking or skipped.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { NOT_ASKED } from './audit.js';
import { libraries } from './conformance/libraries.js';
import { lackingBrowser } from './console/browser.js';
import { lackingProxies } from './grpc/proxies.js';
import { lacks } from './windows/machine.js';
import { prepareWine } from './windows/wine.js';

interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** The titles of the tests that ran. */
  readonly titles?: readonly string[];
  /**
   * What there is to read of a failure, told once more at the end: who sees the last lines alone
   * sees it.
   */
  readonly failures?: string;
}

const help = `Usage: npm test [-- --fast]

  --fast   only what needs neither Wine nor long runs
  --help   this text

One file: npx ava dist/test/session/machine.test.js (after npm run build)`;

const repository = fileURLToPath(new URL('../../', import.meta.url));
const started = performance.now();
const { CI } = process.env;
/**
 * AVA gives up on a test long before. It then waits, maybe for ever, for daemons of that test that
 * still hold its pipes.
 */
const silenceMaxMs = 5 * 60_000;
const all = 'dist/test/**/*.test.js';
const windows = 'dist/test/windows/**/*.test.js';
const slow = 'dist/test/**/*.slow.test.js';
const contract = 'dist/test/contract/**/*.test.js';
const schema = 'dist/test/contract/schema*.test.js';
/** What a restart and a kill are to the journal. */
const journal = 'dist/test/journal/{restart,kills.slow}.test.js';

async function suite(isFast: boolean): Promise<Tally> {
  const languages = libraries.flatMap((library) => library.lacks ?? []);
  for (const { what, remedy } of [...lacks, ...lackingProxies, ...lackingBrowser, ...languages]) {
    console.log(`This machine lacks ${what}\n  to install it: ${remedy}`);
  }
  const lint = await check('lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']);
  const tidy = await check('tidy', ['dist/test/tidy.js']);
  const advisories = isFast ? [] : [await audit()];
  const here = await tests('tests', [all, `!${windows}`, ...(isFast ? [`!${slow}`] : [])]);
  const tallies = [lint, tidy, ...advisories, here, ...(isFast ? [] : await windowsTests(here.titles ?? []))];
  return tallies.reduce((sum, tally) => ({
    passed: sum.passed + tally.passed,
    failed: sum.failed + tally.failed,
    skipped: sum.skipped + tally.skipped,
    failures: `${sum.failures ?? ''}${tally.failures ?? ''}`,
  }));
}

/** One file at a time, since every start of Wine takes both cores for a while. */
async function windowsTests(titlesHere: readonly string[]): Promise<Tally[]> {
  const patience = ['--concurrency', '1', '--timeout', '3m'];
  if (lacks.length > 0) {
    // These tests skip themselves; those of the daemon don't know where they would have run.
    const onTheBundle = /^(contract › (?!schema)|journal › (restart|kills\.slow) › )/;
    const skipped = titlesHere.filter((title) => onTheBundle.test(title));
    const tally = await tests('windows: the bundle', [windows, ...patience]);
    for (const title of skipped) console.log(`  - [skip] ${title} (on the bundle)`);
    return [tally, { passed: 0, failed: 0, skipped: skipped.length }];
  }
  const bundle = await check('windows: build the bundle', ['dist/service/bundle/windows.js']);
  if (bundle.failed > 0) return [bundle];
  heading('windows: Wine');
  console.log(prepareWine());
  return [
    bundle,
    await tests('windows: the bundle', [windows, ...patience]),
    await tests('windows: the contract and the journal on the bundle', [contract, journal, `!${schema}`, ...patience], {
      WFD_TEST_TARGET: 'wine',
    }),
  ];
}

/**
 * Whether there are advisories is a matter of the day and of the registry: a machine that can't ask
 * has neither passed nor failed.
 */
async function audit(): Promise<Tally> {
  const code = await run('advisories against what ships', ['dist/test/audit.js']);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 || code === NOT_ASKED ? 0 : 1, skipped: 0 };
}

/** A Node program that passes or fails as a whole. */
async function check(title: string, args: readonly string[]): Promise<Tally> {
  const code = await run(title, args);
  return code === 0
    ? { passed: 1, failed: 0, skipped: 0 }
    : { passed: 0, failed: 1, skipped: 0, failures: failure(title, `exit code ${code}`) };
}

async function run(title: string, args: readonly string[]): Promise<number> {
  heading(title);
  const [code] = await once(
    spawn(process.execPath, args, { cwd: repository, stdio: ['ignore', 'inherit', 'inherit'] }),
    'exit',
  );
  return Number(code ?? 1);
}

/**
 * AVA, with what it reports counted; its exit code has the last word on whether anything failed.
 */
async function tests(
  title: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Tally> {
  heading(title);
  const ava = spawn(process.execPath, ['node_modules/ava/entrypoints/cli.mjs', ...args], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'inherit'],
    // A process group of its own, so that what a crashed test left running ends with it.
    detached: true,
    env: { ...process.env, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}), ...env },
  });
  const end = (): void => endGroup(ava.pid);
  process.once('exit', end);
  const silence = setTimeout(end, silenceMaxMs);
  let report = '';
  ava.stdout.setEncoding('utf8').on('data', (text: string) => {
    silence.refresh();
    report += text;
    process.stdout.write(text);
  });
  const [code] = await once(ava, 'close');
  clearTimeout(silence);
  end();
  process.removeListener('exit', end);
  const lines = stripVTControlCharacters(report).split('\n');
  const titles = (mark: RegExp): string[] =>
    lines.filter((line) => mark.test(line)).map((line) => line.replace(mark, '').replace(/ \([\d.ms ]+\)$/, ''));
  const passed = titles(/^ +[✔√] /);
  const failed = titles(/^ +[✘×] \[fail\]: /);
  const crashed = titles(/^ +[✘×] .* exited (with|due to) /).length;
  const marked = lines.filter((line) => /^ *[✘×] /.test(line));
  // A rule divides the course of the tests from what AVA has to say of those that failed.
  const account = lines.slice(lines.findIndex((line) => /^ *─+$/.test(line)) + 1);
  return {
    passed: passed.length,
    failed: code === 0 ? 0 : Math.max(failed.length + crashed, 1),
    skipped: titles(/^ +- \[(skip|todo)\] /).length,
    titles: [...passed, ...failed],
    failures: code === 0 ? '' : failure(title, [...marked, ...account].join('\n')),
  };
}

function failure(title: string, account: string): string {
  return `--- ${title}\n${account}\n`;
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}

function heading(title: string): void {
  console.log(`\n=== ${title} (at ${Math.round((performance.now() - started) / 1000)} s)`);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const { values } = parseArgs({ options: { fast: { type: 'boolean', default: false }, help: { type: 'boolean' } } });
if (values.help) {
  console.log(help);
} else {
  const { passed, failed, skipped, failures } = await suite(values.fast);
  const isAllowed = CI !== 'true' || (lacks.length === 0 && skipped === 0);
  if (failures) {
    heading('what failed');
    console.log(failures);
  }
  heading('done');
  if (!isAllowed) console.log('With CI=true nothing may be lacking and nothing skipped: this run has failed.');
  // Skipped tests that may not be skipped are failures, and the closing line must not say
  // otherwise.
  const failedInAll = isAllowed ? failed : failed + Math.max(skipped, 1);
  console.log(`${passed} passed, ${failedInAll} failed, ${isAllowed ? skipped : 0} skipped`);
  process.exitCode = failedInAll > 0 ? 1 : 0;
}
