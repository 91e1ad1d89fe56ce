/** A first configuration file, from keys given at installation. */
import { InvalidArgumentError } from 'commander';
import { keyAt, valueFromText } from '../config/keys.js';

export interface Seed {
  readonly path: string;
  readonly value: unknown;
}

const HEADER = `\
# The values given when wfdd was installed. The installer writes this file once, and never again.
# service\\config\\wfdd.example.yaml in the program folder explains every key. After a change, run:
#   wfdd config check --config <this file>
#   wfdd service restart
`;

/**
 * Parses one occurrence of --seed. An empty value is ignored: installers also pass properties that
 * are not set.
 */
export function addSeed(text: string, before: readonly Seed[] = []): readonly Seed[] {
  const [, path = '', value = ''] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  const key = keyAt(path);
  if (key === undefined)
    throw new InvalidArgumentError(`There is no key ${path}. \`wfdd config print\` lists all keys.`);
  if (key.notes.isSecret)
    throw new InvalidArgumentError(
      `${path} is a secret, and the process list would show it. Put it in the configuration file.`,
    );
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
  // JSON is valid YAML, and its quoted strings cannot be mistaken for another type.
  const lines = Object.entries(root).map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`);
  return HEADER + lines.join('');
}
