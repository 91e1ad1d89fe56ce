/** The simulator's own tests, in C: plain, and under the sanitizers; and what its builds need and export. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import {
  buildSimulator,
  buildWindowsSimulator,
  compilerFlags,
  sourceFolder,
  sources,
} from '../../native/simulator/build.js';
import { hasCompiler, mingw } from './compiler.js';

const folder = mkdtempSync(join(tmpdir(), 'wfd-simulator-'));
test.after.always(() => rmSync(folder, { recursive: true }));

const testFolder = join(sourceFolder, 'test');
const testSources = readdirSync(testFolder)
  .filter((name) => name.endsWith('.c'))
  .map((name) => join(testFolder, name));

function run(command: string, args: readonly string[]) {
  const { error, status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (error) throw error;
  return { status, stdout, stderr };
}

/** Runs the C tests compiled with these flags, and gives the titles of those that passed. */
function runTests(name: string, flags: readonly string[]): { titles: string[]; output: string } {
  const program = join(folder, name);
  const build = run('cc', [
    ...compilerFlags,
    '-O1',
    '-g',
    '-pthread',
    ...flags,
    ...sources(),
    ...testSources,
    '-o',
    program,
  ]);
  if (build.status !== 0) throw new Error(build.stderr);
  const { status, stdout, stderr } = run(program, []);
  const output = `${stdout}${stderr}exit status ${status}`;
  return { titles: stdout.split('\n').flatMap((line) => /^ok - (.*)/.exec(line)?.[1] ?? []), output };
}

const variants = {
  'without a sanitizer': [],
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
    const { titles, output } = runTests(`test-${index}`, flags);
    t.regex(output, /^done\nexit status 0$/m, output);
    const written = testSources.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/^ {4}\{"/gm)]);
    t.is(titles.length, written.length);
  });
}

test.serial('the library exports what its headers declare, and needs only the C library', (t) => {
  const library = buildSimulator();
  const declared = ['wfdsim.h', 'control.h'].flatMap((header) =>
    [...readFileSync(join(sourceFolder, header), 'utf8').matchAll(/^SIM_EXPORT [^;(]*?(\w+)\(/gm)].map(
      ([, name]) => name,
    ),
  );
  const symbols = run('nm', ['-D', '--defined-only', library]).stdout;
  const exported = [...symbols.matchAll(/ T (\w+)$/gm)].map(([, name]) => name);
  t.deepEqual(exported.sort(), declared.sort());
  const needed = run('readelf', ['-d', library]).stdout.matchAll(/NEEDED.*\[(.*?)\.so/g);
  t.deepEqual(
    [...needed].map(([, name]) => name).filter((name) => name !== 'libc' && name !== 'libpthread'),
    [],
  );
});

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
  const symbols = run('nm', ['-D', '--defined-only', buildSimulator()]).stdout;
  t.deepEqual(exported.sort(), [...symbols.matchAll(/ T (\w+)$/gm)].map(([, name]) => name).sort());
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
