/**
 * Signs the programs and modules of a bundle, its own and those of packages: Smart App Control and App Control for
 * Business block what nobody has signed whom they trust. What signs is a program of whoever publishes the bundle.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Contents, sorted } from './contents.js';

/** What Windows loads as code. */
export function isBinary(path: string): boolean {
  return /\.(exe|dll|node)$/i.test(path);
}

/** The same contents, in which `program FILE` has signed each binary in its place. Throws where it ends with an error. */
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

/** Signs one file that is no part of the bundle, such as its installer. */
export function signedFile(name: string, bytes: Uint8Array, program: string): Uint8Array {
  return signed(new Map([[name, bytes]]), program, () => true).get(name) ?? bytes;
}

function sign(folder: string, path: string, bytes: Uint8Array, program: string): Uint8Array {
  // Its name stays, as signatures of programs may show it.
  const file = join(folder, basename(path));
  writeFileSync(file, bytes);
  try {
    execFileSync(program, [file], { stdio: ['ignore', 'inherit', 'inherit'] });
  } catch (error) {
    throw new Error(`${path} could not be signed by ${program}: ${(error as Error).message}`);
  }
  return readFileSync(file);
}
