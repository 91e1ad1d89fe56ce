/**
 * The list of what ships: in step with the lock files and the packages, and under licences that
 * allow it.
 */
import { existsSync, readFileSync } from 'node:fs';
import test from 'ava';
import {
  dependenciesDocument,
  dependenciesIn,
  dependenciesOfRepository,
  isAllowed,
  PURPOSES,
} from '../../service/bundle/dependencies.js';

const repository = new URL('../../../', import.meta.url);
const dependencies = dependenciesOfRepository();

test('the list in the repository is the one that the lock files make', (t) => {
  const remedy = 'run `node dist/service/bundle/dependencies.js`';
  const listed = readFileSync(new URL('service/DEPENDENCIES.md', repository), 'utf8');
  t.true(listed === dependenciesDocument(dependencies), remedy);
});

test('each package that is installed says of itself what the list says of it', (t) => {
  const copies = dependencies.flatMap((dependency) => dependency.paths.map((path) => ({ ...dependency, path })));
  const installed = copies.filter(({ path }) => existsSync(new URL(`${path}/package.json`, repository)));
  t.true(installed.length > 60);
  for (const { path, name, version, licence } of installed) {
    const said = JSON.parse(readFileSync(new URL(`${path}/package.json`, repository), 'utf8'));
    t.like(said, { name, version, license: licence });
  }
});

test('no purpose is left of a package that has gone', (t) => {
  const names = new Set(dependencies.map(({ name }) => name));
  t.deepEqual(
    Object.keys(PURPOSES).filter((name) => !names.has(name)),
    [],
  );
});

const inBundle = new Set(['node_modules/koffi/node_modules/needed']);

const lock = (license: string) => ({
  packages: {
    '': { dependencies: { koffi: '1.0.0' } },
    'node_modules/koffi': { version: '1.0.0', license: 'MIT', dependencies: { needed: '^1.0.0' } },
    'node_modules/koffi/node_modules/needed': { version: '1.0.0', license },
    'node_modules/needed': { version: '2.0.0', license: 'GPL-3.0-only', dev: true },
  },
});

test('a package says for whom it is there and whether it is in the bundle; what is for development is left out', (t) => {
  t.like(dependenciesIn(lock('ISC'), inBundle), [
    { name: 'koffi', purpose: PURPOSES['koffi'], isInBundle: false },
    { name: 'needed', version: '1.0.0', licence: 'ISC', purpose: 'of koffi', isInBundle: true },
  ]);
});

test('a licence that is not in the list keeps a package from shipping', (t) => {
  t.throws(() => dependenciesIn(lock('GPL-3.0-only'), inBundle), {
    message: /needed 1\.0\.0 has the licence GPL-3\.0-only/,
  });
  t.throws(() => dependenciesIn(lock(''), inBundle), { message: /not in LICENCES/ });
});

test('a package that nobody has given a purpose keeps from shipping too', (t) => {
  const packages = {
    '': { dependencies: { stranger: '1.0.0' } },
    'node_modules/stranger': { version: '1.0.0', license: 'MIT' },
  };
  t.throws(() => dependenciesIn({ packages }, inBundle), { message: /stranger is a direct dependency/ });
});

test('of licences to choose from one must be allowed, of licences together all', (t) => {
  t.true(isAllowed('(MIT OR GPL-3.0-only)'));
  t.true(isAllowed('Apache-2.0 AND BSD-3-Clause'));
  t.false(isAllowed('MIT AND GPL-3.0-only'));
});
