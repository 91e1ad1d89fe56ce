import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { lockFile } from '../../native/file-lock.js';
import { temporaryFolder } from './keeper.js';

const module = fileURLToPath(new URL('../../native/file-lock.js', import.meta.url));

/** What another process gets of this file: `taken` or `held`. */
function another(path: string): string {
  const code = `import { lockFile } from ${JSON.stringify(module)}; console.log(lockFile(${JSON.stringify(path)}) ? 'taken' : 'held');`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }).stdout.trim();
}

test('one process holds a file at a time, and another gets it when it was given back', (t) => {
  const path = join(temporaryFolder(t), 'lock');
  const unlock = lockFile(path);
  t.truthy(unlock);
  t.is(another(path), 'held');
  unlock?.();
  t.is(another(path), 'taken');
});

test('a process that ends gives back what it held', (t) => {
  const path = join(temporaryFolder(t), 'lock');
  t.is(another(path), 'taken');
  t.is(another(path), 'taken');
});

test('a file that can not be made is an error, not a lock that another holds', (t) => {
  t.throws(() => lockFile('/nowhere/at/all/lock'), { message: /ENOENT/ });
});
