import test from 'ava';
import { keys, outline } from '../../service/config/keys.js';
import { hostIdFrom } from '../../service/config/schema/reach.js';
import { makeConfig } from '../../service/config/schema.js';

test('every key says what it means and why, in whole sentences', (t) => {
  for (const { path, notes } of keys) {
    for (const sentence of [notes.description, notes.why]) t.regex(sentence, /^\S.*\.$/, path);
    t.not(notes.expects, '', path);
  }
  for (const item of outline) if (!('schema' in item)) t.regex(item.description, /\.$/, item.path);
});

test('every number has its unit, or that it is a count or a ratio of something, at the end of its name', (t) => {
  for (const { path, notes } of keys) if (notes.form === 'number') t.regex(path, /(Ms|Max|Ratio)$/);
});

test('every key can be set from the environment, each under a name of its own', (t) => {
  t.is(new Set(keys.map(({ variable }) => variable)).size, keys.length);
  t.is(keys.find(({ path }) => path === 'session.openTimeoutMs')?.variable, 'WFDD_SESSION_OPEN_TIMEOUT_MS');
  t.is(keys.find(({ path }) => path === 'access.jwt.jwksFile')?.variable, 'WFDD_ACCESS_JWT_JWKS_FILE');
});

test('a Config cannot be changed at any depth, nor by it the next one', (t) => {
  const config = makeConfig();
  t.true(Object.isFrozen(config) && Object.isFrozen(config.access.jwt) && Object.isFrozen(config.listen));
  t.throws(() => (config.listen as string[]).push('0.0.0.0:1'), { instanceOf: TypeError });
  t.deepEqual(makeConfig(), config);
});

test('the figures that the contract and the house name are the defaults', (t) => {
  const { listen, session, limits, events, keepalive, shutdown, driver } = makeConfig();
  t.deepEqual(listen, ['127.0.0.1:50051']);
  t.is(session.openTimeoutMs, 60_000);
  t.is(events.bookmarkIntervalMs, 10_000);
  t.deepEqual(keepalive, { timeMs: 20_000, timeoutMs: 10_000 });
  t.is(shutdown.graceMs, 10_000);
  t.is(driver.kind, 'auto');
  t.is(limits.sessionsMax, 256);
});

test('a host name becomes an id', (t) => {
  t.is(hostIdFrom('DESKTOP-7'), 'desktop-7');
  t.is(hostIdFrom('My Host_1.local.'), 'my-host-1.local');
  t.is(hostIdFrom('хост'), 'host');
  t.is(hostIdFrom('a'.repeat(80)).length, 63);
  for (const name of ['-x-', `${'a'.repeat(62)}.b`, 'Ä', ''])
    t.is(makeConfig({ hostId: hostIdFrom(name) }).hostId, hostIdFrom(name));
});
