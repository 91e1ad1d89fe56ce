/** The page and what it loads, read once: nothing that a request names is ever a path of a file. */
import { readdir, readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { CliError } from '../cli-error.js';

export interface Asset {
  readonly bytes: Buffer;
  readonly type: string;
  /** Its name has the hash of its content, so it may be kept for ever. */
  readonly isHashed: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** By the path of the request. It lies beside the code of the command, as the launcher has it. */
export async function readAssets(packageFolder: URL): Promise<ReadonlyMap<string, Asset>> {
  for (const place of ['./dist/console/', '../../dist/wfdctl/console/']) {
    const folder = new URL(place, packageFolder);
    const names = await readdir(folder).catch((): string[] => []);
    if (!names.includes('page.html')) continue;
    const shown = names.filter((name) => TYPES[extname(name)] !== undefined);
    const entries = shown.map(async (name): Promise<[string, Asset]> => {
      const bytes = await readFile(new URL(name, folder));
      const asset = { bytes, type: TYPES[extname(name)] ?? '', isHashed: name !== 'page.html' };
      return [name === 'page.html' ? '/' : `/${name}`, asset];
    });
    return new Map(await Promise.all(entries));
  }
  throw new CliError('internal', 'The page of the console is not built. Run npm run build first.');
}
