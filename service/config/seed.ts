/** A first configuration from a few values that somebody gave at the installation. */
import { InvalidArgumentError } from 'commander';
import { keyAt, valueFromText } from './keys.js';

export interface Seed {
  readonly path: string;
  readonly value: unknown;
}

const HEADER = `\
# The values that were given when wfdd was installed. The installation writes this file once and never changes it.
# service\\config\\wfdd.example.yaml in the folder of the program explains every key. After a change:
#   wfdd config check --config <this file>
#   wfdd service restart
`;

/** Of an option that may be repeated. An empty value is no value: installers pass on what nobody has set. */
export function addSeed(text: string, before: readonly Seed[] = []): readonly Seed[] {
  const [, path = '', value = ''] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  const key = keyAt(path);
  if (key === undefined) throw new InvalidArgumentError(`There is no key ${path}; wfdd config print lists them.`);
  if (key.notes.isSecret)
    throw new InvalidArgumentError(`${path} is a secret, which every list of processes would show.`);
  return value === '' ? before : [...before, { path, value: valueFromText(key, value) }];
}

/** The text of a configuration file with these values. */
export function seedText(seeds: readonly Seed[]): string {
  const root: Record<string, unknown> = {};
  for (const { path, value } of seeds) {
    const names = path.split('.');
    let group = root;
    for (const name of names.slice(0, -1)) {
      const inner = (group[name] ?? {}) as Record<string, unknown>;
      group[name] = inner;
      group = inner;
    }
    group[names.at(-1) ?? ''] = value;
  }
  // JSON is YAML, and has no plain text that could be taken for something else.
  const lines = Object.entries(root).map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`);
  return HEADER + lines.join('');
}
