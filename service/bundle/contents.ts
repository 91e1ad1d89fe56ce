/**
 * The contents of the bundle: files by path, in a fixed order, and functions to write and zip them.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { type Zippable, zipSync } from 'fflate';

/** Bytes by path. Paths are relative, with `/`, and sorted by code unit. */
export type Contents = ReadonlyMap<string, Uint8Array>;

/** The same files in the order of their paths. */
export function sorted(files: Iterable<readonly [string, Uint8Array]>): Contents {
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The files below `folder` that match `isWanted`, by relative path. */
export function filesIn(folder: string, isWanted: (path: string) => boolean): [string, Uint8Array][] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll(sep, '/'),
    )
    .filter(isWanted)
    .map((path) => [path, readFileSync(join(folder, path))]);
}

/** Makes `folder` contain exactly these files, with modification time `time` if given. */
export function writeFolder(folder: string, contents: Contents, time?: Date): void {
  rmSync(folder, { recursive: true, force: true });
  for (const [path, bytes] of contents) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
    if (time !== undefined) utimesSync(file, time, time);
  }
}

/** A zip that depends only on paths and bytes, not on clock, time zone or owner. */
export function zip(contents: Contents): Uint8Array {
  // The earliest time that a zip can represent. Zips use local time, so it is built from local
  // parts.
  const mtime = new Date(1980, 0, 1);
  const entries: Zippable = Object.fromEntries(contents);
  return zipSync(entries, { mtime, level: 6 });
}

/** One line per file, for `sha256sum --check`. */
export function sha256Lines(contents: Contents): string {
  return [...contents].map(([path, bytes]) => `${sha256(bytes)}  ${path}\n`).join('');
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
