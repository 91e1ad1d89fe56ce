/**
 * The installer under Wine: made of the bundle, in as many versions as a test wants, and run as an
 * administrator runs it.
 */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filesIn, sorted } from '../../service/bundle/contents.js';
import { buildMsi } from '../../service/release/msi.js';
import { bundle } from './bundle.js';
import { hostPath, startUnderWine, windowsPath } from './wine.js';

export const installFolder = hostPath('C:\\Program Files\\wfdd');
export const dataFolder = hostPath('C:\\ProgramData\\wfdd');

export const bundleContents = () => sorted(filesIn(bundle, () => true));

/** An installer of the bundle as if it were of this version; gives its file. */
export function installerOf(version: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'wfdd-installer-')), `wfdd-${version}-x64.msi`);
  writeFileSync(file, buildMsi(bundleContents(), version));
  return file;
}

export interface Ran {
  readonly code: number;
  readonly output: string;
}

/**
 * Runs msiexec without windows to its end: `/i`, `/x`, `/fa`. The output is what `wfdd service` has
 * said in it.
 */
export async function msiexec(verb: string, installer: string, ...properties: string[]): Promise<Ran> {
  const { code, output } = await run('msiexec.exe', verb, windowsPath(installer), '/qn', ...properties);
  const log = join(installFolder, 'install.log');
  return { code, output: `${output}${existsSync(log) ? readFileSync(log, 'utf8') : ''}` };
}

/** Runs `wfdd ...` of what is installed to its end. */
export function wfdd(...args: string[]): Promise<Ran> {
  return run(join(installFolder, 'node.exe'), 'C:\\Program Files\\wfdd\\service\\wfdd.cjs', ...args);
}

export async function run(exe: string, ...args: string[]): Promise<Ran> {
  const program = startUnderWine({ exe, args, cwd: tmpdir() });
  const code = await program.exited;
  await program.close();
  return { code, output: program.output() };
}

/** A port that nobody serves now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
