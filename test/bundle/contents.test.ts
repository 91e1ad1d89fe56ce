import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { unzipSync } from 'fflate';
import { filesIn, sha256Lines, sorted, writeFolder, zip } from '../../service/bundle/contents.js';
import { programFiles } from '../../service/bundle/windows.js';
import { descriptors, root } from '../../service/root.js';

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));

test('a zip gives back the files it was made of', (t) => {
  const contents = sorted([
    ['b.txt', bytes('two')],
    ['a/c.txt', bytes('one')],
  ]);
  t.deepEqual(unzipSync(zip(contents)), { 'a/c.txt': bytes('one'), 'b.txt': bytes('two') });
});

test('the order in which files are found does not show in the zip', (t) => {
  const one: [string, Uint8Array] = ['a', bytes('1')];
  const two: [string, Uint8Array] = ['B', bytes('2')];
  t.deepEqual(zip(sorted([one, two])), zip(sorted([two, one])));
});

test('every zip entry is of the first moment a zip can say', (t) => {
  const header = Buffer.from(zip(sorted([['a', bytes('1')]])));
  t.is(header.readUInt32LE(0), 0x04034b50, 'a local file header');
  t.is(header.readUInt16LE(10), 0, 'midnight');
  t.is(header.readUInt16LE(12), (1 << 5) | 1, '1 January 1980');
});

test('the hashes are lines that sha256sum reads', (t) => {
  t.is(
    sha256Lines(sorted([['dir/a', bytes('abc')]])),
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  dir/a\n',
  );
});

test('a folder that is written holds these files and no others', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wfdd-contents-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'old'));
  writeFileSync(join(folder, 'old/file'), '');
  writeFolder(folder, sorted([['new/file', bytes('x')]]));
  t.deepEqual(readdirSync(folder), ['new']);
  t.deepEqual(
    filesIn(folder, () => true).map(([path]) => path),
    ['new/file'],
  );
  t.deepEqual(
    filesIn(folder, (path) => path !== 'new/file'),
    [],
  );
});

test('what the daemon reads from its folder is in the bundle', (t) => {
  const paths = programFiles().map(([path]) => path);
  const inRepository = (url: URL) => fileURLToPath(url).slice(fileURLToPath(root).length);
  for (const path of [inRepository(descriptors), 'service/wfdd.cjs', 'dist/wfdd/main.js'])
    t.true(paths.includes(path), path);
});
