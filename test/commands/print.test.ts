import test from 'ava';
import fc from 'fast-check';
import { printJson, printYaml } from '../../service/commands/print.js';
import { type Key, keys, valueAt } from '../../service/config/keys.js';
import type { Config } from '../../service/config/schema.js';
import { load, problemsOf, set, write } from '../config/loading.js';

const file = write('', 'pem');

test('what is printed has every key, and says where each value comes from that is not the default', async (t) => {
  const loaded = await load({
    yaml: 'session:\n  closeTimeoutMs: 5000\n',
    environment: { WFDD_LISTEN: '127.0.0.1:7' },
    assignments: [set('log.level', 'debug')],
  });
  const yaml = await printYaml(loaded);
  t.regex(yaml, /\n {2}closeTimeoutMs: 5000 # .*\.yaml:2:19\n/);
  t.regex(yaml, /\nlisten:\n {2}# environment WFDD_LISTEN\n {2}- 127.0.0.1:7\n/);
  t.regex(yaml, /\n {2}level: debug # flag --set\n/);
  t.regex(yaml, /\n {2}openTimeoutMs: 60000\n/);
  const json = JSON.parse(printJson(loaded)) as Config;
  for (const { path } of keys) t.deepEqual(valueAt(json, path), valueAt(loaded.config, path), path);
});

test('a secret is masked in both forms, and its mask is not taken for it', async (t) => {
  const loaded = await load({
    yaml: `tls: { certFile: ${file}, keyFile: ${file} }`,
    environment: { WFDD_TLS_KEY_PASSPHRASE: 'hunter2' },
  });
  t.is(loaded.config.tls.keyPassphrase, 'hunter2');
  const yaml = await printYaml(loaded);
  t.regex(yaml, /keyPassphrase: "\*{8}" # environment WFDD_TLS_KEY_PASSPHRASE\n/);
  t.false(yaml.includes('hunter2') || printJson(loaded).includes('hunter2'));
  const [problem] = await problemsOf({ yaml });
  t.is(problem?.path, 'tls.keyPassphrase');
  t.regex(problem?.message ?? '', /not the secret/);
});

/** A valid value of the key by itself. */
function valuesOf({ path, notes, byDefault }: Key): fc.Arbitrary<unknown> {
  if (notes.isSecret) return fc.constant(byDefault);
  if (notes.choices) return fc.constantFrom(...notes.choices);
  if (notes.form === 'boolean') return fc.boolean();
  if (notes.form === 'number') {
    const [min, max] = (notes.expects.match(/\d+/g) ?? []).map(Number);
    return fc.integer({ min: min ?? 0, max: max ?? 0 });
  }
  if (notes.file) return fc.constantFrom(null, file);
  if (path === 'listen') return fc.uniqueArray(addresses, { minLength: 1, maxLength: 16 });
  if (path === 'metrics.listen') return fc.option(addresses.filter((address) => !address.startsWith('unix:')));
  if (path === 'access.principalFrom') return fc.shuffledSubarray(['uri', 'dns', 'cn'], { minLength: 1 });
  if (path === 'access.roles') return fc.array(roleBindings, { maxLength: 4 });
  if (path === 'traces.endpoint' || path === 'metrics.endpoint')
    return fc.option(fc.constantFrom('http://127.0.0.1:4318/', 'https://a.example/v1/traces'));
  if (path === 'hostId') return fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/);
  return byDefault === null ? fc.option(texts) : texts;
}

/**
 * All that YAML might take for something else: numbers, booleans, dates, comments, anchors, line
 * ends.
 */
const texts = fc.oneof(
  fc.string({ minLength: 1, unit: 'grapheme' }),
  fc.constantFrom(
    'true',
    'null',
    '~',
    '1e3',
    '0x1F',
    '2024-01-01',
    '# no',
    '&a',
    '*a',
    '!!str',
    '- a',
    'a: b',
    "'",
    '\n',
    '|',
    ' a ',
  ),
);
const ports = fc.integer({ min: 0, max: 65_535 });
const addresses = fc.oneof(
  ports.map((port) => `127.0.0.1:${port}`),
  ports.map((port) => `[::1]:${port}`),
  ports.map((port) => `0.0.0.0:${port}`),
  fc.stringMatching(/^[a-z]{1,9}$/).map((name) => `unix:/run/${name}`),
);
const roleBindings = fc.record({
  role: fc.constantFrom('prober', 'viewer', 'operator', 'admin'),
  principals: fc.array(texts, { minLength: 1, maxLength: 4 }),
});

/** Some of the keys, each with a valid value. */
const settings = fc
  .tuple(...keys.map((key) => fc.option(valuesOf(key).map((value) => ({ key, value })))))
  .map((all) => all.filter((setting) => setting !== null));

test('whatever is valid survives being printed and loaded, in both forms', async (t) => {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(settings, async (some) => {
      // Most sets break some rule between keys; those that do are thinned out until the rest is
      // valid.
      let chosen = some;
      for (;;) {
        const faulty = new Set((await problemsOf({ yaml: JSON.stringify(nested(chosen)) })).map(({ path }) => path));
        if (faulty.size === 0) break;
        chosen = chosen.filter(({ key }) => !faulty.has(key.path));
      }
      accepted += chosen.length;
      const loaded = await load({ yaml: JSON.stringify(nested(chosen)) });
      for (const printed of [await printYaml(loaded), printJson(loaded)]) {
        t.deepEqual((await load({ yaml: printed })).config, loaded.config);
      }
    }),
    { numRuns: 60 },
  );
  t.true(accepted > 60, 'the thinning left something to test');
});

function nested(all: readonly { readonly key: Key; readonly value: unknown }[]): object {
  const root: Record<string, unknown> = {};
  for (const { key, value } of all) {
    const names = key.path.split('.');
    let group = root;
    for (const name of names.slice(0, -1)) {
      group[name] ??= {};
      group = group[name] as Record<string, unknown>;
    }
    group[names.at(-1) ?? ''] = value;
  }
  return root;
}
