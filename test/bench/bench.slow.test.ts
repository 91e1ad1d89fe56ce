import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { attacks } from './load/attacks.js';
import type { Report } from './report.js';

const program = fileURLToPath(new URL('./run.js', import.meta.url));

function run(...args: string[]) {
  return spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
}

test('a quick run of one case writes a report of the documented shape', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'report.json');
  const { status, stdout, stderr } = run('--quick', '--only', 'unary', '--output', file);
  t.is(status, 0, `${stdout}\n${stderr}`);
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  t.like(report, { format: 1, isQuick: true, failures: [] });
  t.false(Number.isNaN(Date.parse(report.startTime)));
  t.true(report.durationMs > 0);
  const { processors, memoryBytes, load, ...texts } = report.machine;
  t.deepEqual(Object.keys(texts).sort(), ['commit', 'node', 'platform', 'processor']);
  t.true([processors, memoryBytes, load].every((value) => value >= 0));
  t.true(report.figures.length > 0);
  for (const { case: name, gateway, against, ratio, aim, isMet } of report.figures) {
    t.is(name, 'unary');
    t.deepEqual([gateway.rounds.length, against?.rounds.length, against?.what], [1, 1, 'bare server']);
    t.is(typeof ratio, 'number');
    t.is(typeof isMet, aim === undefined ? 'undefined' : 'boolean');
  }
  t.regex(stdout, /unary: .*\n.*gateway +against +ratio +aim/);
});

test('each attack is made, and what another client notices is measured', (t) => {
  t.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'report.json');
  const { status, stdout, stderr } = run('--quick', '--only', 'attacks', '--output', file);
  t.is(status, 0, `${stdout}\n${stderr}`);
  const { figures, failures } = JSON.parse(readFileSync(file, 'utf8')) as Report;
  t.deepEqual(failures, []);
  const names = Object.keys(attacks).flatMap((attack) => [`p50, ${attack}`, `p99, ${attack}`]);
  t.deepEqual(
    figures.map(({ name }) => name),
    names,
  );
  for (const { gateway, against } of figures) t.true(gateway.median > 0 && against?.what === 'quiet');
});

test('what a journal costs is held against a gateway without one, and a start that reads many events too', (t) => {
  t.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'report.json');
  const { status, stdout, stderr } = run('--quick', '--only', 'journal', '--output', file);
  t.is(status, 0, `${stdout}\n${stderr}`);
  const { figures, failures } = JSON.parse(readFileSync(file, 'utf8')) as Report;
  t.deepEqual(failures, []);
  const aims = figures.flatMap(({ name, aim }) => (aim === undefined ? [] : [`${name}: ${JSON.stringify(aim)}`]));
  t.deepEqual(aims, [
    'process: cycles, 1 in flight: {"of":"ratio","atLeast":0.85}',
    'process: cycles, 16 in flight: {"of":"ratio","atLeast":0.85}',
    'process: calls, 100 in flight: {"of":"ratio","atLeast":0.95}',
    'which is later by: {"of":"gateway","atMost":300}',
  ]);
});

test('the help names the cases, and an unknown one is refused with them', (t) => {
  t.regex(run('--help').stdout, /--quick.*\n.*\n(.*\n)*Cases:\n {2}start .*\n {2}unary /);
  const { status, stderr } = run('--only', 'everything');
  t.is(status, 64);
  t.regex(stderr, /no case everything\. Cases: start, unary, /);
});

test('what the simulator costs in a large world is held against a small one', (t) => {
  t.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'report.json');
  const { status, stdout, stderr } = run('--quick', '--only', 'simulator', '--output', file);
  t.is(status, 0, `${stdout}\n${stderr}`);
  const { figures, failures } = JSON.parse(readFileSync(file, 'utf8')) as Report;
  t.deepEqual(failures, []);
  t.true(figures.length > 10);
  for (const { gateway, against } of figures) t.true(gateway.median >= 0 && against?.what === 'a world of 100');
});
