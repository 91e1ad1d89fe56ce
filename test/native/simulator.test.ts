/** The simulator's own tests, in C; and what its library needs and exports. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { buildSimulator, sourceFolder } from '../../native/simulator/build.js';
import { exportsOf, run, runTests, written } from './simulator-tests.js';

test.serial('the C tests pass', (t) => {
  const { titles, output } = runTests('test', ['-O0']);
  t.regex(output, /^done\nexit status 0$/m, output);
  t.is(titles.length, written);
});

test.serial('the library exports what its headers declare, and needs only the C library', (t) => {
  const library = buildSimulator();
  const declared = ['wfdsim.h', 'control.h'].flatMap((header) =>
    [...readFileSync(join(sourceFolder, header), 'utf8').matchAll(/^SIM_EXPORT [^;(]*?(\w+)\(/gm)].map(
      ([, name]) => name,
    ),
  );
  t.deepEqual(exportsOf(library), declared.sort());
  const needed = run('readelf', ['-d', library]).stdout.matchAll(/NEEDED.*\[(.*?)\.so/g);
  t.deepEqual(
    [...needed].map(([, name]) => name).filter((name) => name !== 'libc' && name !== 'libpthread'),
    [],
  );
});
