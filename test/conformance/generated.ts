/** Generated code, held against what its generators make of the contract now. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root, run } from './library.js';

interface Template {
  readonly plugins: readonly { readonly out: string }[];
}

/**
 * The files of a folder that are not as buf.gen.yaml would have them. Runs only the generators of
 * that folder.
 */
export async function stale(folder: string): Promise<string[]> {
  const scratch = await mkdtemp(join(tmpdir(), 'generated-'));
  try {
    const all: Template = parse(await readFile(join(root, 'buf.gen.yaml'), 'utf8'));
    const template = { ...all, plugins: all.plugins.filter(({ out }) => out === folder) };
    const buf = join(root, 'node_modules/@bufbuild/buf/bin/buf');
    await run(root, [process.execPath, buf, 'generate', '--template', JSON.stringify(template), '--output', scratch]);
    const [kept, fresh] = await Promise.all([contents(join(root, folder)), contents(join(scratch, folder))]);
    const paths = new Set([...kept.keys(), ...fresh.keys()]);
    return [...paths].filter((path) => kept.get(path) !== fresh.get(path));
  } finally {
    await rm(scratch, { recursive: true });
  }
}

async function contents(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.endsWith('__pycache__'));
  const paths = files.map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(paths.map(async (path) => [path.slice(folder.length), await readFile(path, 'latin1')] as const)),
  );
}
