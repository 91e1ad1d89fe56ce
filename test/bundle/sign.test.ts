/** The signing hook of the bundle. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { isBinary, signed } from '../../service/bundle/sign.js';

const onPosix = process.platform === 'win32' ? test.skip : test;

/** A program that does this with the file it is given. */
function signer(t: ExecutionContext, script: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'wfdd-signer-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const program = join(folder, 'sign.sh');
  writeFileSync(program, `#!/bin/sh\n${script}\n`);
  chmodSync(program, 0o755);
  return program;
}

const contents = new Map(
  ['LICENSE', 'dist/native/simulator/wfdsim.dll', 'node.exe', 'node_modules/@koromix/koffi-win32-x64/koffi.node'].map(
    (path) => [path, Buffer.from(path)] as const,
  ),
);

test('programs, libraries and native modules are binaries', (t) => {
  t.deepEqual([...contents.keys()].filter(isBinary), [...contents.keys()].slice(1));
  t.false(isBinary('node_modules/node.js'));
});

onPosix('each binary is signed in its place under its name, and nothing else is touched', (t) => {
  const program = signer(t, 'printf " signed %s" "$(basename "$1")" >>"$1"');
  const texts = [...signed(contents, program)].map(([path, bytes]) => [path, Buffer.from(bytes).toString()]);
  t.deepEqual(texts, [
    ['LICENSE', 'LICENSE'],
    ['dist/native/simulator/wfdsim.dll', 'dist/native/simulator/wfdsim.dll signed wfdsim.dll'],
    ['node.exe', 'node.exe signed node.exe'],
    [
      'node_modules/@koromix/koffi-win32-x64/koffi.node',
      'node_modules/@koromix/koffi-win32-x64/koffi.node signed koffi.node',
    ],
  ]);
});

onPosix('a binary that could not be signed ends the bundle, and is named', (t) => {
  t.throws(() => signed(contents, signer(t, 'exit 3')), { message: /wfdsim\.dll could not be signed by .*sign\.sh/ });
});
