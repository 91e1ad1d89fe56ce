/** The command line itself: help, versions, mistakes, and bounds of time. */
import { readFileSync } from 'node:fs';
import test from 'ava';
import { EXIT, EXIT_MEANINGS } from '../../clients/ctl/src/exit-code.js';
import { STATES } from '../../clients/ctl/src/operands.js';
import { within } from '../../clients/ctl/src/within.js';
import { SessionState } from '../../clients/typescript/src/client.js';
import { lines, wfdctl } from './ctl-run.js';

const commands = [
  ...['open', 'close', 'cancel', 'renew', 'get', 'list', 'watch', 'devices', 'visibility', 'host', 'health'],
  ...['context', 'context list', 'context use', 'context set', 'context delete', 'completion'],
];

for (const command of commands) {
  test(`${command} --help has an example, and fits`, async (t) => {
    const { code, stdout, stderr } = await wfdctl([...command.split(' '), '--help']);
    t.is(code, 0);
    t.is(stderr, '');
    t.regex(stdout, new RegExp(`^Usage: wfdctl ${command}( |\n)`));
    t.regex(stdout, /\nExamples:\n {2}\S/);
    for (const line of stdout.split('\n')) t.true(line.length <= 80, line);
  });
}

test('wfdctl help COMMAND says what COMMAND --help does', async (t) => {
  for (const command of ['open', 'context'])
    t.deepEqual(await wfdctl(['help', command]), await wfdctl([command, '--help']));
  t.deepEqual(await wfdctl(['help']), await wfdctl(['--help']));
});

test('wfdctl --help names every command and every exit code, and fits', async (t) => {
  const { code, stdout } = await wfdctl(['--help']);
  t.is(code, 0);
  for (const command of commands.filter((name) => !name.includes(' ')))
    t.regex(stdout, new RegExp(`^  ${command} `, 'm'));
  for (const exitCode of Object.values(EXIT)) t.regex(stdout, new RegExp(`^  ${exitCode} +\\S`, 'm'));
  for (const line of stdout.split('\n')) t.true(line.length <= 80, line);
});

test('the README has every command, and the exit codes as they are', (t) => {
  const readme = readFileSync('clients/ctl/README.md', 'utf8');
  for (const command of commands.filter((name) => !name.startsWith('context ')))
    t.regex(readme, new RegExp(`\`${command}[ \`]`), command);
  const rows = [...readme.matchAll(/^\| (\d+) +\| (.*?) +\|$/gm)].map(([, code, meaning]) => `${code} ${meaning}`);
  const kinds = Object.keys(EXIT) as (keyof typeof EXIT)[];
  t.deepEqual(
    rows,
    kinds.map((kind) => `${EXIT[kind]} ${EXIT_MEANINGS[kind]}`),
  );
});

test('--version is that of the package', async (t) => {
  const { version } = JSON.parse(readFileSync('clients/ctl/package.json', 'utf8'));
  t.deepEqual(await wfdctl(['--version']), { code: 0, stdout: `wfdctl ${version}\n`, stderr: '' });
});

for (const [argv, says] of [
  [['opne'], "Unknown command 'opne' (Did you mean open?); see wfdctl --help."],
  [['open'], "Missing required argument 'address'; see wfdctl open --help."],
  [['list', '--sate', 'open'], "Unknown option '--sate' (Did you mean --state?); see wfdctl list --help."],
  [['context', 'lst'], "Unknown command 'lst' (Did you mean list?); see wfdctl context --help."],
  [['context', 'use'], "Missing required argument 'context'; see wfdctl context use --help."],
  [['get', 'a', 'b'], "Too many arguments for 'get'. Expected 1 argument but got 2; see wfdctl get --help."],
  [
    ['open', 'x', '--timeout', '5'],
    "Option '--timeout <duration>' argument '5' is invalid. Give a number with a unit, such as 500ms, 30s, 5m or 1h30m; see wfdctl open --help.",
  ],
  [
    ['watch', '--timeout', '25d'],
    "Option '--timeout <duration>' argument '25d' is invalid. The maximum is 24d; see wfdctl watch --help.",
  ],
] as const) {
  test(`wfdctl ${argv.join(' ')}: one sentence, and 64`, async (t) => {
    t.deepEqual(await wfdctl(argv), { code: 64, stdout: '', stderr: `wfdctl: ${says}\n` });
  });
}

for (const argv of [
  ['nonsense', '--help'],
  ['--help', 'nonsense'],
  ['help', 'nonsense'],
  ['-o', 'json', 'nonsense', '-h'],
  ['context', 'nonsense', '--help'],
]) {
  test(`wfdctl ${argv.join(' ')}: there is no help of what there is not`, async (t) => {
    const { code, stdout, stderr } = await wfdctl(argv);
    t.is(code, 64);
    t.is(stdout, '');
    t.regex(stderr, /[Uu]nknown command 'nonsense'/);
  });
}

test('what has no name is not asked for one', async (t) => {
  for (const argv of [['open', 'x'], ['watch'], ['host'], ['health'], ['devices', '--watch']])
    t.like(await wfdctl([...argv, '-o', 'name', '--address', '127.0.0.1:1']), { code: 64, stdout: '' });
});

test('a mistake is JSON where JSON was asked for', async (t) => {
  const { code, stderr } = await wfdctl(['list', '--bogus', '-o', 'json']);
  t.is(code, 64);
  t.deepEqual(lines(stderr), [
    { error: { kind: 'usage', exitCode: 64, message: "Unknown option '--bogus'; see wfdctl list --help." } },
  ]);
  t.like(await wfdctl(['list', '-o', 'xml']), { code: 64 });
});

test('without a command it says which there are', async (t) => {
  const { code, stdout, stderr } = await wfdctl([]);
  t.is(code, 64);
  t.is(stdout, '');
  t.regex(stderr, /^Usage: wfdctl/);
});

test('the states of --state are those of the contract', (t) => {
  const names = Object.keys(SessionState).filter((name) => !['UNSPECIFIED', 'UNRECOGNIZED'].includes(name));
  t.deepEqual([...STATES].sort(), names.sort());
});

test('what does not come in time has failed, and what comes is handed on', async (t) => {
  t.is(await within(60_000, Promise.resolve(7), 'It did not come'), 7);
  await t.throwsAsync(within(60_000, Promise.reject(new Error('no')), ''), { message: 'no' });
  const late = within(1, new Promise(() => {}), 'host-7 did not answer');
  t.like(await t.throwsAsync(late), {
    kind: 'timedOut',
    message: 'host-7 did not answer within 0s; check the address, or try again.',
  });
});
