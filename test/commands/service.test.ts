import test from 'ava';
import { EXIT, type Plan, readCommandLine } from '../../service/commands/command-line.js';
import { seedText } from '../../service/commands/seed.js';
import { ConfigError } from '../../service/config/problem.js';
import { makeConfig } from '../../service/config/schema.js';
import { folder, write } from '../config/loading.js';

function plan(argv: readonly string[], platform: NodeJS.Platform = 'win32', config = ''): Promise<Plan> {
  const environment = { UV_THREADPOOL_SIZE: '16', WFDD_CONFIG: write(config) };
  return readCommandLine(argv, { environment, platform, folder, version: '1.2.3', examineFiles: async () => [] });
}

async function commandOf(...argv: string[]) {
  const made = await plan(['service', ...argv]);
  if (made.kind !== 'service') throw new Error(`The plan is ${JSON.stringify(made)}`);
  return made.command;
}

for (const verb of ['uninstall', 'start', 'stop', 'restart'] as const) {
  test(`wfdd service ${verb}`, async (t) => {
    t.deepEqual(await commandOf(verb), { verb, name: 'wfdd' });
    t.deepEqual(await commandOf(verb, '--name', 'wfdd-2'), { verb, name: 'wfdd-2' });
    t.deepEqual(await commandOf('--name', 'wfdd-2', verb), { verb, name: 'wfdd-2' });
  });

  test(`wfdd service ${verb} does not care for the configuration`, async (t) => {
    t.is((await plan(['service', verb], 'win32', 'nonsense: 1')).kind, 'service');
  });
}

test('wfdd service status', async (t) => {
  t.deepEqual(await commandOf('status'), { verb: 'status', name: 'wfdd', json: false });
  t.deepEqual(await commandOf('status', '--json'), { verb: 'status', name: 'wfdd', json: true });
});

test('wfdd service install has the configuration, and says which keys were set here', async (t) => {
  const command = await commandOf(
    ...['install', '--listen', '127.0.0.1:1', '--listen', '127.0.0.1:2', '--set', 'log.level=debug'],
    ...['--account', 'NT SERVICE\\wfdd'],
  );
  if (command.verb !== 'install') return t.fail();
  t.is(command.account, 'NT SERVICE\\wfdd');
  t.deepEqual(command.loaded.config.listen, ['127.0.0.1:1', '127.0.0.1:2']);
  t.deepEqual([...command.assigned].sort(), ['listen', 'log.level']);
});

test('a second service has its configuration in its own folder, unless a file is named', async (t) => {
  const environment = { UV_THREADPOOL_SIZE: '16', ProgramData: 'C:\\x'.repeat(2000) };
  const surroundings = {
    environment,
    platform: 'win32',
    folder,
    version: '1.2.3',
    examineFiles: async () => [],
  } as const;
  const fileOf = async (...argv: string[]) => {
    const made = await readCommandLine(['service', ...argv], surroundings);
    return made.kind === 'answer' ? made.text : '';
  };
  // The folder cannot be looked at, so the complaint names the file.
  t.regex(await fileOf('install', '--name', 'wfdd-2'), /\\wfdd-2\\config\.yaml/);
  t.regex(await fileOf('install'), /\\wfdd\\config\.yaml/);
});

test('the account is LocalService unless one is named', async (t) => {
  const command = await commandOf('install');
  t.is(command.verb === 'install' ? command.account : '', 'LocalService');
});

test('what lets others in, and what lets others change it, is only asked for in words', async (t) => {
  const plain = await commandOf('install');
  t.like(plain, { firewall: false, allowUnprotected: false });
  t.like(await commandOf('install', '--firewall', '--allow-unprotected'), { firewall: true, allowUnprotected: true });
});

test('a wrong configuration is not installed', async (t) => {
  const made = await plan(['service', 'install'], 'win32', 'nonsense: 1');
  t.is(made.kind === 'answer' ? made.exitCode : 0, EXIT.config);
});

test('unattended, a wrong configuration is left for the service to report', async (t) => {
  const made = await plan(['service', 'install', '--unattended'], 'win32', 'nonsense: 1');
  if (made.kind !== 'service' || made.command.verb !== 'install') return t.fail();
  t.is(made.command.loaded.file, undefined, 'the service finds the file by itself');
  t.is(made.command.loaded.config.shutdown.graceMs, makeConfig({}).shutdown.graceMs);
});

test('seeds are values of keys that exist; empty ones count as not given, and no secret is one', async (t) => {
  const seedsOf = async (...seeds: string[]) => {
    const made = await plan(['service', 'install', ...seeds.flatMap((seed) => ['--seed', seed])]);
    if (made.kind === 'answer') return made.text;
    return made.kind === 'service' && made.command.verb === 'install' ? made.command.seeds : undefined;
  };
  t.deepEqual(await seedsOf('listen=127.0.0.1:1', 'hostId=', 'log.level=debug'), [
    { path: 'listen', value: ['127.0.0.1:1'] },
    { path: 'log.level', value: 'debug' },
  ]);
  t.regex(String(await seedsOf('nonsense=1')), /There is no key nonsense/);
});

test('a seeded file is a configuration that loads as it was given', async (t) => {
  const text = seedText([
    { path: 'listen', value: ['127.0.0.1:1'] },
    { path: 'log.level', value: 'debug' },
    { path: 'log.format', value: 'json' },
    { path: 'hostId', value: 'host-7' },
  ]);
  const made = await plan(['config', 'print', '--json'], 'linux', text);
  if (made.kind !== 'answer') return t.fail();
  t.is(made.exitCode, EXIT.ok, made.text);
  for (const value of ['127.0.0.1:1', 'debug', 'host-7']) t.true(made.text.includes(`"${value}"`), value);
});

test('the service itself takes a wrong configuration with it, to say so to Windows', async (t) => {
  const argv = ['service', 'run', '--name', 'wfdd-2', '--set', 'log.level=debug'];
  const made = await plan(argv);
  if (made.kind !== 'service-run' || made.run.loaded instanceof ConfigError) return t.fail();
  t.is(made.run.name, 'wfdd-2');
  t.is(made.run.loaded.config.log.level, 'debug');
  const wrong = await plan(argv, 'win32', 'nonsense: 1');
  t.true(wrong.kind === 'service-run' && wrong.run.loaded instanceof ConfigError);
});

test('a name is a plain word that begins with wfdd: its folder is never that of another program', async (t) => {
  for (const name of ['', 'Microsoft', 'wfdd 2', 'wfdd\\..\\x', `wfdd${'x'.repeat(61)}`]) {
    const made = await plan(['service', 'stop', '--name', name]);
    t.is(made.kind === 'answer' ? made.exitCode : 0, EXIT.usage, name);
  }
});

test('an unknown command is named', async (t) => {
  const made = await plan(['service', 'launch']);
  t.regex(made.kind === 'answer' ? made.text : '', /unknown command 'launch'/);
});

test('the help has each command, but not the one that only Windows types', async (t) => {
  const made = await plan(['service', '--help']);
  const text = made.kind === 'answer' ? made.text : '';
  for (const verb of ['install', 'uninstall', 'start', 'stop', 'restart', 'status']) {
    t.regex(text, new RegExp(`^  ${verb}\\b`, 'm'));
  }
  t.notRegex(text, /^ {2}run\b/m);
});

test('elsewhere than on Windows, there is no service', async (t) => {
  for (const verb of ['install', 'status', 'run']) {
    const made = await plan(['service', verb], 'linux');
    t.is(made.kind === 'answer' ? made.exitCode : 0, EXIT.usage);
    t.regex(made.kind === 'answer' ? made.text : '', /works on Windows only/);
  }
});
