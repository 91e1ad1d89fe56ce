/** The files of the page. They are read once, so no request ever names a path on disk. */
import { readdir, readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { CliError } from '../cli-error.js';

export interface Asset {
  readonly bytes: Buffer;
  readonly type: string;
  /** The name contains the hash of the content, so browsers may cache the file forever. */
  readonly isHashed: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * The files by the path of the request. Their folder is beside the code that the launcher starts.
 */
export async function readAssets(packageFolder: URL): Promise<ReadonlyMap<string, Asset>> {
  for (const place of ['./dist/console/', '../../dist/wfdctl/console/']) {
    const folder = new URL(place, packageFolder);
    const names = await readdir(folder).catch((): string[] => []);
    if (!names.includes('page.html')) continue;
    const served = names.filter((name) => TYPES[extname(name)] !== undefined);
    const entries = served.map(async (name): Promise<[string, Asset]> => {
      const bytes = await readFile(new URL(name, folder));
      const asset = { bytes, type: TYPES[extname(name)] ?? '', isHashed: name !== 'page.html' };
      return [name === 'page.html' ? '/' : `/${name}`, asset];
    });
    return new Map(await Promise.all(entries));
  }
  throw new CliError('internal', 'The page of the console is not built; run npm run build.');
}
