/**
 * The simulator's own tests, in C, optimised and under the sanitizers; and its builds for Windows.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { buildSimulator, buildWindowsSimulator, compilerFlags, sources } from '../../native/simulator/build.js';
import { hasCompiler, mingw } from './compiler.js';
import { exportsOf, folder, run, runTests, testSources, written } from './simulator-tests.js';

const variants = {
  'when optimised': [],
  'under AddressSanitizer and UndefinedBehaviorSanitizer': [
    '-fsanitize=address,undefined',
    '-fno-sanitize-recover=all',
    '-fno-omit-frame-pointer',
  ],
  'under ThreadSanitizer': ['-fsanitize=thread'],
};

for (const [index, [variant, flags]] of Object.entries(variants).entries()) {
  test.serial(`the C tests pass ${variant}`, (t) => {
    t.timeout(120_000);
    const { titles, output } = runTests(`test-${index}`, ['-O1', '-g', ...flags]);
    t.regex(output, /^done\nexit status 0$/m, output);
    t.is(titles.length, written);
  });
}

const withMingw = hasCompiler(mingw) ? test.serial : test.serial.skip;

withMingw(`the DLL needs only what every Windows has, and exports the same names (needs ${mingw})`, (t) => {
  t.timeout(120_000);
  const headers = run('x86_64-w64-mingw32-objdump', ['-p', buildWindowsSimulator()]).stdout;
  const imported = [...headers.matchAll(/DLL Name: (\S+)/g)].map(([, name]) => name?.toLowerCase());
  t.deepEqual(
    imported.filter((name) => name !== 'kernel32.dll' && name !== 'msvcrt.dll' && !name?.startsWith('api-ms-win-crt-')),
    [],
  );
  const exported = [...headers.matchAll(/^\t\[ *\d+\] (?:\+base\[ *\d+\] +[0-9a-f]+ )?(\w+)$/gm)].map(
    ([, name]) => name,
  );
  t.deepEqual(exported.sort(), exportsOf(buildSimulator()));
});

withMingw(`two builds of the DLL are equal, wherever they are made (needs ${mingw})`, (t) => {
  t.timeout(120_000);
  const again = readFileSync(buildWindowsSimulator(join(folder, 'wfdsim.dll')));
  t.true(again.equals(readFileSync(buildWindowsSimulator())));
});

withMingw(`the C tests compile for Windows without a warning (needs ${mingw})`, (t) => {
  t.timeout(120_000);
  const program = join(folder, 'test.exe');
  const { status, stderr } = run(mingw, [...compilerFlags, '-O1', ...sources(), ...testSources, '-o', program]);
  t.is(stderr, '');
  t.is(status, 0);
});
