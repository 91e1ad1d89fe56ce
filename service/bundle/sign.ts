/**
 * Signs the programs and modules of a bundle, including those of packages, because Smart App
 * Control and App Control for Business block files without a trusted signature. The publisher of
 * the bundle provides the program that signs.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Contents, sorted } from './contents.js';

/** Files that Windows loads as code. */
export function isBinary(path: string): boolean {
  return /\.(exe|dll|node)$/i.test(path);
}

/**
 * Signs each binary in place with `program FILE` and returns the resulting contents. Throws if the
 * program fails.
 */
export function signed(contents: Contents, program: string, isSigned = isBinary): Contents {
  const folder = mkdtempSync(join(tmpdir(), 'wfdd-sign-'));
  try {
    return sorted(
      [...contents].map(([path, bytes]) => [path, isSigned(path) ? sign(folder, path, bytes, program) : bytes]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Signs a single file outside the bundle, such as the installer. */
export function signedFile(name: string, bytes: Uint8Array, program: string): Uint8Array {
  return signed(new Map([[name, bytes]]), program, () => true).get(name) ?? bytes;
}

function sign(folder: string, path: string, bytes: Uint8Array, program: string): Uint8Array {
  // The file name is kept, because a signature can include it.
  const file = join(folder, basename(path));
  writeFileSync(file, bytes);
  try {
    execFileSync(program, [file], { stdio: ['ignore', 'inherit', 'inherit'] });
  } catch (error) {
    throw new Error(`${path} could not be signed by ${program}: ${(error as Error).message}`);
  }
  return readFileSync(file);
}
