import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { defaultFile, isThere, loadConfig } from '../../service/config/load.js';
import { ConfigError } from '../../service/config/problem.js';
import { makeConfig } from '../../service/config/schema.js';
import { folder, load, set, write } from './loading.js';

test('nothing written gives the defaults, and names no source', async (t) => {
  const loaded = await load({});
  t.deepEqual(loaded.config, makeConfig());
  t.is(loaded.sources.size, 0);
  t.deepEqual(loaded.warnings, []);
});

test('flags are stronger than the environment, the environment than the file, the file than the defaults', async (t) => {
  const { config, sources } = await load({
    yaml: 'limits:\n  sessionsMax: 101\n  watchersMax: 101\n  requestsInFlightMax: 301\n',
    environment: { WFDD_LIMITS_SESSIONS_MAX: '102', WFDD_LIMITS_WATCHERS_MAX: '102' },
    assignments: [set('limits.sessionsMax', '103')],
  });
  t.is(config.limits.sessionsMax, 103);
  t.is(config.limits.watchersMax, 102);
  t.is(config.limits.requestsInFlightMax, 301);
  t.is(config.limits.streamsPerConnectionMax, 1000);
  t.is(sources.get('limits.sessionsMax'), 'flag --set');
  t.is(sources.get('limits.watchersMax'), 'environment WFDD_LIMITS_WATCHERS_MAX');
  t.regex(sources.get('limits.requestsInFlightMax') ?? '', /\.yaml:4:24$/);
  t.false(sources.has('limits.streamsPerConnectionMax'));
});

test('of two flags for one key the later wins', async (t) => {
  const assignments = [set('log.level', 'debug'), { path: 'log.level', value: 'warn', flag: '--log-level' }];
  t.is((await load({ assignments })).config.log.level, 'warn');
});

test('a stronger source replaces a list as a whole', async (t) => {
  const yaml = 'listen: ["127.0.0.1:1", "127.0.0.1:2"]';
  t.deepEqual((await load({ yaml, environment: { WFDD_LISTEN: '127.0.0.1:3' } })).config.listen, ['127.0.0.1:3']);
});

test('every kind of key can be written as text', async (t) => {
  const { config } = await load({
    assignments: [
      set('listen', '127.0.0.1:0, unix:/run/wfdd.sock'),
      set('access.principalFrom', '["cn","uri"]'),
      set('access.roles', '[{"role":"admin","principals":["ops-*"]}]'),
      set('access.mode', 'authenticated'),
      set('access.tokensFile', write('', 'tokens')),
      set('driver.simulatorService', 'true'),
      set('session.retentionMs', '0'),
    ],
  });
  t.deepEqual(config.listen, ['127.0.0.1:0', 'unix:/run/wfdd.sock']);
  t.deepEqual(config.access.principalFrom, ['cn', 'uri']);
  t.deepEqual(config.access.roles, [{ role: 'admin', principals: ['ops-*'] }]);
  t.true(config.driver.simulatorService);
  t.is(config.session.retentionMs, 0);
});

test('an empty text unsets what the file sets', async (t) => {
  const yaml = 'metrics: { listen: "127.0.0.1:9464" }';
  t.is((await load({ yaml, assignments: [set('metrics.listen', '')] })).config.metrics.listen, null);
});

test('an empty environment variable counts as absent', async (t) => {
  t.deepEqual((await load({ environment: { WFDD_LOG_LEVEL: '', WFDD_SESION_X: '' } })).config, makeConfig());
});

test('on Windows the case of an environment variable does not matter', async (t) => {
  const environment = { wfdd_log_level: 'debug' };
  t.is((await load({ environment, platform: 'win32' })).config.log.level, 'debug');
  t.is((await load({ environment, platform: 'linux' })).config.log.level, 'info');
});

test('a relative path is meant from the folder of the file, in flags and environment from the working folder', async (t) => {
  const yaml = 'driver: { simulatorLibrary: lib/a.so }';
  t.is((await load({ yaml })).config.driver.simulatorLibrary, join(folder, 'lib/a.so'));
  const environment = { WFDD_DRIVER_SIMULATOR_LIBRARY: '../b.so' };
  t.is((await load({ environment })).config.driver.simulatorLibrary, join(folder, '../b.so'));
});

test('a file that WFDD_CONFIG names is read, one that --config names in its place', async (t) => {
  const environment = { WFDD_CONFIG: write('hostId: from-variable') };
  t.is((await load({ environment })).config.hostId, 'from-variable');
  t.is((await load({ environment, yaml: 'hostId: from-flag' })).config.hostId, 'from-flag');
});

test('groups may be empty, and so may the file; anchors and a byte order mark are allowed', async (t) => {
  for (const yaml of ['', '# nothing\n', 'tls:\nsession:\n  # openTimeoutMs: 1\n']) {
    t.deepEqual((await load({ yaml })).config, makeConfig());
  }
  const yaml = '\uFEFFsession:\n  openTimeoutMs: &long 70000\n  closeTimeoutMs: *long\n';
  t.is((await load({ yaml })).config.session.closeTimeoutMs, 70_000);
});

test('the usual file is where each platform keeps such files', (t) => {
  t.is(defaultFile('linux', {}), '/etc/wfdd/config.yaml');
  t.is(defaultFile('win32', { ProgramData: 'D:\\Data' }), 'D:\\Data\\wfdd\\config.yaml');
  t.is(defaultFile('win32', {}), 'C:\\ProgramData\\wfdd\\config.yaml');
});

test('a second service has a usual file of its own', (t) => {
  t.is(defaultFile('win32', {}, 'wfdd-2'), 'C:\\ProgramData\\wfdd-2\\config.yaml');
});

test('only a file of which the system says that it does not exist counts as absent', (t) => {
  const file = write('');
  const loop = join(folder, 'loop');
  symlinkSync(loop, loop);
  const closed = join(folder, 'closed');
  mkdirSync(closed);
  chmodSync(closed, 0o000);
  t.true(isThere(file));
  t.false(isThere(join(folder, 'nothing.yaml')));
  t.false(isThere(join(file, 'config.yaml')), 'below a file');
  t.true(isThere(loop), 'a link that leads nowhere');
  t.true(isThere(join(folder, 'x'.repeat(300))), 'a name that is too long to look at');
  // The superuser may look everywhere, and then the folder is seen to be empty.
  t.is(isThere(join(closed, 'config.yaml')), process.getuid?.() !== 0);
});

test('a usual file that cannot be looked at is a problem, and never means the defaults', async (t) => {
  const environment = { UV_THREADPOOL_SIZE: '16', ProgramData: 'x'.repeat(5000) };
  const loading = loadConfig({ environment, platform: 'win32', folder });
  const { problems } = await t.throwsAsync<ConfigError>(loading, { instanceOf: ConfigError });
  t.is(problems.length, 1);
  t.regex(problems[0]?.message ?? '', /^The file cannot be read: ENAMETOOLONG/);
  t.regex(problems[0]?.remedy ?? '', /Give the account that runs wfdd read access/);
});
