/** The licences of what ships, in one file. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Licensed, licencesDocument, licensed } from '../../service/bundle/licences.js';
import { packageFolderOf } from '../../service/bundle/programs.js';

/** A package of these files, beside a folder of texts that the repository keeps. */
function folders(t: ExecutionContext, files: Readonly<Record<string, string>>): { own: string; kept: string } {
  const folder = mkdtempSync(join(tmpdir(), 'wfdd-licences-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const manifest = JSON.stringify({ name: '@scope/name', version: '1.2.3', license: 'MIT' });
  for (const [path, text] of Object.entries({ 'own/package.json': manifest, ...files })) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return { own: join(folder, 'own'), kept: join(folder, 'kept') };
}

test('licences and notices of a package go along, in whatever spelling', (t) => {
  const { own, kept } = folders(t, { 'own/LICENCE.md': 'may\r\nuse\n', 'own/NOTICE': 'made by', 'own/index.js': '' });
  t.deepEqual(licensed(own, kept), {
    name: '@scope/name',
    version: '1.2.3',
    licence: 'MIT',
    text: 'may\nuse\n\nmade by',
  });
});

test('a package without a licence file has the text that is kept of its version', (t) => {
  const { own, kept } = folders(t, { 'kept/@scope+name@1.2.3.txt': 'kept' });
  t.is(licensed(own, kept).text, 'kept');
});

test('a package whose text nobody has does not ship, and the error says where the text belongs', (t) => {
  const { own, kept } = folders(t, { 'kept/@scope+name@1.2.2.txt': 'of another version' });
  t.throws(() => licensed(own, kept), {
    message: /@scope\/name 1\.2\.3 has no licence file\. Put its text into .*@scope\+name@1\.2\.3\.txt/,
  });
});

test('a text that several packages share stands once, below all of them', (t) => {
  const one = (name: string, text: string): Licensed => ({ name, version: '1.0.0', licence: 'MIT', text });
  const document = licencesDocument([one('a', 'same'), one('b', 'other'), one('c', 'same')]);
  t.true(document.includes('a 1.0.0: MIT\nc 1.0.0: MIT\n\nsame\n'));
  t.is(document.split('same').length, 2);
});

test('a file belongs to the innermost package around it', (t) => {
  t.deepEqual(packageFolderOf('node_modules/a/node_modules/@b/c/index.js'), ['node_modules/a/node_modules/@b/c']);
  t.deepEqual(packageFolderOf('dist/service/main.js'), []);
});
