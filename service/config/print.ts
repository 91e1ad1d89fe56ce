/** A Config as text: what is in force, and where it comes from, without secrets. Loaded only to print one. */
import { Document, isNode, isScalar } from 'yaml';
import { keyAt, keys, valueAt } from './keys.js';
import type { LoadedConfig } from './load.js';
import { MASK } from './schema/leaf.js';
import type { Config } from './schema.js';

/** As JSON; every key is there, a secret that is set is MASK. */
export function printJson({ config }: LoadedConfig): string {
  return `${JSON.stringify(masked(config), null, 2)}\n`;
}

/** As YAML that can be loaded again, but for its secrets; a key that is not at its default says where it was set. */
export function printYaml({ config, sources }: LoadedConfig): string {
  const document = new Document(masked(config));
  for (const [path, source] of sources) {
    const node = document.getIn(path.split('.'), true);
    if (!isNode(node)) continue;
    if (isScalar(node)) node.comment = ` ${source}`;
    else node.commentBefore = ` ${source}`;
  }
  return document.toString({ lineWidth: 0 });
}

function masked(config: Config): unknown {
  const secrets = keys.filter((key) => key.notes.isSecret && valueAt(config, key.path) !== null);
  const paths = new Set<string>(secrets.map((key) => key.path));
  const copy = (value: unknown, path: string): unknown => {
    if (paths.has(path)) return MASK;
    if (typeof value !== 'object' || value === null || Array.isArray(value) || keyAt(path) !== undefined) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, child]) => [name, copy(child, path === '' ? name : `${path}.${name}`)]),
    );
  };
  return copy(config, '');
}
