/**
 * The C compilers of this machine, for the tests that compare what koffi believes with what C says.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository, seen from the compiled tests. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** mingw-w64's compiler for 64-bit Windows. */
export const mingw = 'x86_64-w64-mingw32-gcc';

/** The headers of the Windows SDK as mingw-w64 has them. */
export const windowsHeaders = `
#define _WIN32_WINNT 0x0A00
#include <winsock2.h>
#include <ws2ipdef.h>
#include <windows.h>
#include <iphlpapi.h>
#include <netioapi.h>
#include <windot11.h>
#include <devpropdef.h>
#include "test/native/devquery.h"
`;

/** What the simulator is compiled against. */
export const simulatorHeader = '#include "native/simulator/wfdsim.h"';

/**
 * Whether this machine has a compiler. With CI=true every one is expected, so that a missing one
 * fails its tests.
 */
export function hasCompiler(compiler: string): boolean {
  const { CI } = process.env;
  return CI === 'true' || spawnSync(compiler, ['--version']).status === 0;
}

/** What a compiler has to say against a C text; empty where it compiles. Nothing is generated. */
export function compilerErrors(compiler: string, text: string): string {
  const { error, status, stderr } = run(compiler, ['-fsyntax-only', '-x', 'c', '-'], text);
  if (error) return error.message;
  return status === 0 ? '' : stderr;
}

/** A C text after the preprocessor; with `-dD` the definitions of its macros stay in it. */
export function preprocess(compiler: string, text: string, ...flags: string[]): string {
  const { error, stdout, stderr } = run(compiler, ['-E', ...flags, '-x', 'c', '-'], text);
  if (error ?? stderr) throw error ?? new Error(stderr);
  return stdout;
}

/**
 * Builds a shared library from a file of test/ and gives its absolute path, good for the
 * life of the process.
 */
export function buildLibrary(source: string, ...flags: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'wfd-native-'));
  process.once('exit', () => rmSync(folder, { recursive: true }));
  const library = join(folder, basename(source).replace(/\.c$/, '.so'));
  const { error, status, stderr } = run('cc', [
    ...['-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', ...flags],
    ...['-o', library, join(root, 'test', source), '-lpthread'],
  ]);
  if (error ?? status !== 0) throw error ?? new Error(stderr);
  return library;
}

function run(compiler: string, args: string[], input = '') {
  return spawnSync(compiler, ['-std=c11', '-I', root, ...args], { input, encoding: 'utf8', maxBuffer: 2 ** 26 });
}
