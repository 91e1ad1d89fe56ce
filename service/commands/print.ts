/** Prints a Config with the source of each value and without secrets. Loaded only when needed. */
import { Document, isNode, isScalar } from 'yaml';
import { keyAt, keys, valueAt } from '../config/keys.js';
import type { LoadedConfig } from '../config/load.js';
import { MASK } from '../config/schema/leaf.js';
import type { Config } from '../config/schema.js';

/** As JSON with every key. A secret that is set is printed as MASK. */
export function printJson({ config }: LoadedConfig): string {
  return `${JSON.stringify(masked(config), null, 2)}\n`;
}

/**
 * As YAML that can be loaded again, except for its secrets. A comment says where a value was set,
 * unless it is the default.
 */
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
