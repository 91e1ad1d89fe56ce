/** Loads a configuration as the daemon would, from what a test writes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LoadedConfig, type LoadRequest, loadConfig } from '../../service/config/load.js';
import { ConfigError, type Problem } from '../../service/config/problem.js';

/** A folder of its own for each test file, gone when it ends. */
export const folder = mkdtempSync(join(tmpdir(), 'wfdd-config-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

/** As the launcher leaves it. */
const ENVIRONMENT = { UV_THREADPOOL_SIZE: '16' };

export interface Written {
  /** The text of the file. */
  readonly yaml?: string;
  readonly environment?: NodeJS.ProcessEnv;
  readonly assignments?: LoadRequest['assignments'];
  readonly platform?: NodeJS.Platform;
}

let files = 0;

/** Puts a text into a new file and returns its path. */
export function write(text: string | Uint8Array, extension = 'yaml', mode = 0o644): string {
  files += 1;
  const path = join(folder, `${files}.${extension}`);
  writeFileSync(path, text, { mode });
  return path;
}

export function load({ yaml, environment, assignments, platform }: Written): Promise<LoadedConfig> {
  return loadConfig({
    // An empty file where the test has none: that of the machine the tests run on is none of their
    // business.
    file: yaml === undefined && environment?.['WFDD_CONFIG'] !== undefined ? undefined : write(yaml ?? ''),
    environment: { ...ENVIRONMENT, ...environment },
    assignments: assignments ?? [],
    platform: platform ?? 'linux',
    folder,
  });
}

/**
 * The problems of what was written; none if it loads. The name of the file is shortened to its
 * extension.
 */
export async function problemsOf(written: Written): Promise<readonly Problem[]> {
  try {
    await load(written);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => ({ ...problem, source: problem.source.replace(/.*\/\d+\.yaml/, 'yaml') }));
  }
}

/** What `--set path=value` makes. */
export function set(path: string, value: string): { path: string; value: string; flag: string } {
  return { path, value, flag: '--set' };
}
