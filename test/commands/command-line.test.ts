import test from 'ava';
import { EXIT, type Plan, readCommandLine } from '../../service/commands/command-line.js';
import { folder, write } from '../config/loading.js';

function plan(argv: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Plan> {
  const named = argv.includes('--config') ? {} : { WFDD_CONFIG: write('') };
  return readCommandLine(argv, {
    environment: { UV_THREADPOOL_SIZE: '16', ...named, ...environment },
    platform: 'linux',
    folder,
    version: '1.2.3',
    examineFiles: async () => [],
  });
}

async function answerTo(...argv: string[]): Promise<{ text: string; to: string; exitCode: number }> {
  const answer = await plan(argv);
  if (answer.kind !== 'answer') throw new Error('It would serve.');
  return answer;
}

for (const argv of [
  [],
  ['run'],
  ['--driver', 'simulator'],
  ['run', '--driver', 'simulator'],
  ['--driver', 'simulator', 'run'],
]) {
  test(`wfdd ${argv.join(' ')}: serve`, async (t) => {
    const made = await plan(argv);
    t.is(made.kind, 'serve');
    const kind = argv.includes('--driver') ? 'simulator' : 'auto';
    t.is(made.kind === 'serve' ? made.loaded.config.driver.kind : '', kind);
  });
}

test('every flag sets its key; --listen and --set may be repeated, and a flag of its own beats --set', async (t) => {
  const made = await plan([
    ...['--listen', '127.0.0.1:0', '--listen', 'unix:/run/wfdd.sock', '--driver', 'simulator'],
    ...['--simulator-library', 'a.so', '--simulator-service', '--log-level', 'debug', '--log-format', 'json'],
    ...['--insecure-non-loopback', '--set', 'log.level=error', '--set', 'access.jwt.principalClaim=a=b'],
  ]);
  if (made.kind !== 'serve') return t.fail();
  const { config, sources } = made.loaded;
  t.deepEqual(config.listen, ['127.0.0.1:0', 'unix:/run/wfdd.sock']);
  t.deepEqual(
    { ...config.driver },
    { ...config.driver, kind: 'simulator', simulatorService: true, simulatorLibrary: `${folder}/a.so` },
  );
  t.deepEqual(config.log, { level: 'debug', format: 'json', addresses: false, auditFolder: null });
  t.true(config.insecureNonLoopback);
  t.is(config.access.jwt.principalClaim, 'a=b');
  t.is(sources.get('log.level'), 'flag --log-level');
});

test('an address does not swallow the command after it', async (t) => {
  t.regex((await answerTo('--listen', '127.0.0.1:9', 'config', 'print')).text, /- 127.0.0.1:9/);
});

test('--version', async (t) => {
  t.deepEqual(await answerTo('--version'), { kind: 'answer', text: 'wfdd 1.2.3\n', to: 'stdout', exitCode: 0 });
});

test('--help has each flag with the meaning of its key, examples and exit codes', async (t) => {
  const { text, to, exitCode } = await answerTo('--help');
  t.deepEqual([to, exitCode], ['stdout', EXIT.ok]);
  for (const flag of [
    '--config',
    '--listen',
    '--driver',
    '--simulator-library',
    '--simulator-service',
    '--journal-folder',
    '--log-level',
    '--log-format',
    '--insecure-non-loopback',
    '--set',
    '--version',
    '--help',
  ]) {
    t.true(text.includes(`  ${flag}`), flag);
  }
  t.regex(text, /--driver <auto\|wlanapi\|simulator>/);
  t.regex(text, /\nExamples:\n {2}wfdd /);
  t.regex(
    text,
    /\nExit codes:\n {2}0 .*\n {2}1 .*\n {2}2 .*\n {2}3 .*\n {2}4 .*\n {2}64 .*\n {2}69 .*\n {2}70 .*\n {2}71 .*\n {2}77 .*\n {2}78 /,
  );

  t.true(text.split('\n').every((line) => line.length <= 80));
});

test('the help of a command has the flags of them all', async (t) => {
  t.regex((await answerTo('config', 'print', '--help')).text, /--json[\s\S]*--config <file>/);
});

for (const [argv, message] of [
  [['--lisen', 'x'], /unknown option '--lisen'\n\(Did you mean --listen\?\)/],
  [['frobnicate'], /unknown command 'frobnicate'/],
  [['confg', 'check'], /unknown command 'confg'/],
  [['config', 'frobnicate'], /unknown command 'frobnicate'/],
  [['config'], /Usage: wfdd config/],
  [['--listen'], /argument missing/],
  [['--set', 'log.level'], /Expected key=value/],
  [['--set', '=5'], /Expected key=value/],
] as const) {
  test(`wfdd ${argv.join(' ')}: exit code 64`, async (t) => {
    const { text, to, exitCode } = await answerTo(...argv);
    t.deepEqual([to, exitCode], ['stderr', EXIT.usage]);
    t.regex(text, message);
    t.regex(text, /Try wfdd --help\.\n$/);
  });
}

for (const command of [[], ['config', 'check'], ['config', 'print']]) {
  test(`wfdd ${command.join(' ')} with a wrong configuration: all problems, exit code 78`, async (t) => {
    const answer = await answerTo(...command, '--driver', 'real', '--set', 'limits.sessionsMax=0');
    t.deepEqual(answer, {
      kind: 'answer',
      to: 'stderr',
      exitCode: EXIT.config,
      text: `The configuration has 2 problems.

limits.sessionsMax: 0  (flag --set)
  This is not a whole number from 1 to 100000.
  Give a whole number from 1 to 100000.

driver.kind: "real"  (flag --driver)
  This is not one of auto, wlanapi, simulator.
  Give one of auto, wlanapi, simulator.
`,
    });
  });
}

test('config check says that all is well, and of which file, and what to be warned of', async (t) => {
  const file = write('listen: ["0.0.0.0:1"]\n');
  const { text, to, exitCode } = await answerTo('config', 'check', '--config', file, '--insecure-non-loopback');
  t.deepEqual([to, exitCode], ['stdout', EXIT.ok]);
  t.regex(
    text,
    new RegExp(`^The configuration is valid \\(${file}\\)\\.\n\nwarning: insecureNonLoopback: true {2}\\(flag`),
  );
});

test('config print prints YAML, or JSON if asked', async (t) => {
  t.regex((await answerTo('config', 'print')).text, /\nlog:\n {2}level: info\n/);
  const { text } = await answerTo('config', 'print', '--json');
  t.is((JSON.parse(text) as { log: { level: string } }).log.level, 'info');
});
