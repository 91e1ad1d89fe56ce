/** The certificates that the manual of the daemon tells people to make, made as it stands there. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Files } from './files.js';

/**
 * Runs the commands of service/README.md in the folder: servers-ca, agents-ca, host, agent, each
 * with .pem and .key.
 */
export function issueAsTold(files: Files): void {
  const manual = readFileSync(new URL('../../../service/README.md', import.meta.url), 'utf8');
  const [, recipe] = /### Keys and certificates[\s\S]*?```sh\n([\s\S]*?)```/.exec(manual) ?? [];
  if (recipe === undefined) throw new Error('service/README.md tells no recipe');
  execFileSync('sh', ['-euc', recipe], { cwd: files.path('.'), stdio: 'pipe' });
}
