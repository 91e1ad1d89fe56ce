/**
 * `npm run audit`: asks the registry for advisories against the packages that ship. Exit code 0:
 * there are none; 1: there are, and they are named; 2: it could not be asked, so nothing is known.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Neither good nor bad. */
export const NOT_ASKED = 2;

export type Audit =
  | { readonly kind: 'clean' }
  | { readonly kind: 'advisories'; readonly lines: readonly string[] }
  | { readonly kind: 'not asked'; readonly why: string };

interface Report {
  readonly error?: { readonly summary?: string; readonly detail?: string };
  readonly message?: string;
  readonly vulnerabilities?: Readonly<Record<string, Vulnerability>>;
}

interface Vulnerability {
  readonly severity: string;
  readonly range: string;
  readonly via: readonly (string | { readonly title: string; readonly url: string })[];
}

/** What npm has answered, as `npm audit --json` writes it. */
export function readAudit(text: string): Audit {
  const report = parse(text);
  if (report?.vulnerabilities === undefined) {
    const why = report?.message ?? (report?.error?.summary || report?.error?.detail);
    return { kind: 'not asked', why: why ?? 'npm said nothing that could be read' };
  }
  const lines = Object.entries(report.vulnerabilities).map(([name, { severity, range, via }]) => {
    const titles = via.map((each) => (typeof each === 'string' ? `by ${each}` : `${each.title} (${each.url})`));
    return `${name} ${range}, ${severity}: ${titles.join('; ')}`;
  });
  return lines.length === 0 ? { kind: 'clean' } : { kind: 'advisories', lines };
}

/** Of what each lock file pins that is not for development alone. */
function ask(folder: string): Audit {
  const args = ['audit', '--omit=dev', '--package-lock-only', '--json', '--loglevel=silent'];
  const { npm_execpath } = process.env;
  const [command, ...before] = npm_execpath === undefined ? ['npm'] : [process.execPath, npm_execpath];
  const cwd = fileURLToPath(new URL(`../../${folder}`, import.meta.url));
  const { stdout, error } = spawnSync(command ?? 'npm', [...before, ...args], {
    cwd,
    encoding: 'utf8',
    timeout: 60_000,
    shell: process.platform === 'win32' && npm_execpath === undefined,
  });
  return error === undefined ? readAudit(stdout) : { kind: 'not asked', why: error.message };
}

function parse(text: string): Report | undefined {
  try {
    return JSON.parse(text) as Report;
  } catch {
    return undefined;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const audits = ['', 'service/bundle/runtime'].map(ask);
  for (const audit of audits) {
    if (audit.kind === 'advisories') for (const line of audit.lines) console.log(line);
    if (audit.kind === 'not asked') console.log(`The registry could not be asked for advisories: ${audit.why}`);
  }
  if (audits.every(({ kind }) => kind === 'clean')) console.log('No advisories against what ships.');
  const kinds = audits.map(({ kind }) => kind);
  process.exitCode = kinds.includes('advisories') ? 1 : kinds.includes('not asked') ? NOT_ASKED : 0;
}
