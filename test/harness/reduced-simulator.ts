/** The simulator without some of its exports, as a Windows that is older, or has less, would be. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compilerFlags, sources } from '../../native/simulator/build.js';
import { isWine } from './daemon.js';

const built = new Map<string, Promise<string>>();

/**
 * One that lacks these functions; the path is as the daemon under test writes it, and good for the
 * life of this process.
 */
export function simulatorWithout(...functions: readonly string[]): Promise<string> {
  const key = functions.join();
  const library = built.get(key) ?? build(functions);
  built.set(key, library);
  return library;
}

async function build(functions: readonly string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'wfd-reduced-'));
  process.once('exit', () => rmSync(folder, { recursive: true }));
  const library = join(folder, isWine ? 'reduced.dll' : 'reduced.so');
  const compiler = isWine ? 'x86_64-w64-mingw32-gcc' : 'cc';
  const platform = isWine ? ['-static-libgcc'] : ['-fPIC', '-pthread'];
  // Exported under a name that nobody looks for.
  const renamed = functions.map((name) => `-D${name}=${name}Elsewhere`);
  const args = [...compilerFlags, ...platform, '-shared', ...renamed, ...sources(), '-o', library];
  const { error, status, stderr } = spawnSync(compiler, args, { encoding: 'utf8' });
  if (error ?? status !== 0) throw error ?? new Error(stderr);
  if (!isWine) return library;
  const { windowsPath } = await import('../windows/wine.js');
  return windowsPath(library);
}
