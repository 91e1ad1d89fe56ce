import { readFileSync } from 'node:fs';
import test from 'ava';
import { exampleYaml } from '../../service/config/example.js';
import { readFile } from '../../service/config/file.js';
import { keys } from '../../service/config/keys.js';
import { MASK } from '../../service/config/schema/leaf.js';
import { makeConfig } from '../../service/config/schema.js';
import { load, write } from './loading.js';

const file = new URL('../../../service/config/wfdd.example.yaml', import.meta.url);

test('the example in the repository is the one that the schema makes', (t) => {
  const remedy = 'run `node dist/service/config/example.js`';
  t.true(readFileSync(file, 'utf8') === exampleYaml(), remedy);
});

test('the example as it stands changes nothing', async (t) => {
  t.deepEqual((await load({ yaml: exampleYaml() })).config, makeConfig());
});

test('without its comment signs the example sets every key, in order, each to a valid value or its default', async (t) => {
  const settings = await readFile(write(exampleYaml().replace(/^( *)#(?! |$)/gm, '$1')), []);
  t.deepEqual(
    settings.map(({ key }) => key.path),
    keys.map(({ path }) => path),
  );
  for (const { key, value } of settings) {
    if (value === MASK) continue;
    t.true(key.schema.safeParse(value).success, key.path);
    if (key.notes.example === undefined) t.deepEqual(value, key.byDefault, key.path);
  }
});

test('every key stands under its meaning, its reason, its range and its environment variable', (t) => {
  const words = exampleYaml().replace(/\n *# ?/g, ' ');
  for (const { notes, variable } of keys) {
    for (const part of [notes.description, notes.why, notes.expects, variable]) t.true(words.includes(part), part);
  }
});
