/** What this machine needs beyond Node for the whole test suite, and whether it is there. */
import { spawnSync } from 'node:child_process';
import { findWine } from './wine.js';

export interface Lack {
  readonly what: string;
  /** The command that puts it there. */
  readonly remedy: string;
}

const cCompiler: Lack = { what: 'a C compiler (cc)', remedy: 'apt-get install gcc libc6-dev' };
const mingw: Lack = {
  what: 'mingw-w64 (x86_64-w64-mingw32-gcc)',
  remedy: 'apt-get install gcc-mingw-w64-x86-64-win32',
};
const wine = findWine();

export const lacks: readonly Lack[] = [
  ...(runs('cc') ? [] : [cCompiler]),
  ...(runs('x86_64-w64-mingw32-gcc') ? [] : [mingw]),
  ...(typeof wine === 'string' ? [{ what: wine, remedy: 'bash .ci/install' }] : []),
];

function runs(command: string): boolean {
  return spawnSync(command, ['--version']).status === 0;
}
