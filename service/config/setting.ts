/** Values from the environment and from flags, not yet checked. file.ts reads those of a file. */
import {
  isGroup,
  type Key,
  keyAt,
  keyOfVariable,
  nearestPath,
  nearestVariable,
  VARIABLE_PREFIX,
  valueFromText,
} from './keys.js';
import { type Problem, showValue } from './problem.js';
import { MASK } from './schema/leaf.js';

export interface Setting {
  readonly key: Key;
  readonly value: unknown;
  readonly source: Source;
}

export interface Source {
  /** For people: `/etc/wfdd/config.yaml:12:3`, `environment WFDD_LISTEN`, `flag --listen`. */
  readonly name: string;
  /** The folder that a relative path in the value is resolved against. */
  readonly folder: string;
  /** The position of one part of the value, if the source has positions. */
  readonly nameOf?: (part: readonly PropertyKey[]) => string;
}

/** A key set on the command line. */
export interface Assignment {
  readonly path: string;
  readonly value: string | boolean | readonly string[];
  /** As it was typed, without the value: `--listen`, `--set`. */
  readonly flag: string;
}

/** Names the configuration file. It is not a key. */
export const FILE_VARIABLE = 'WFDD_CONFIG';

/**
 * The keys that the environment sets. An empty variable counts as absent. A variable that names no
 * key is a problem.
 */
export function readEnvironment(
  environment: NodeJS.ProcessEnv,
  platform: NodeJS.Platform,
  folder: string,
  problems: Problem[],
): Setting[] {
  const settings: Setting[] = [];
  for (const [rawName, text] of Object.entries(environment)) {
    const name = platform === 'win32' ? rawName.toUpperCase() : rawName;
    if (!name.startsWith(VARIABLE_PREFIX) || name === FILE_VARIABLE || text === undefined || text === '') continue;
    const key = keyOfVariable(name);
    const source = { name: `environment ${name}`, folder };
    if (key !== undefined) settings.push({ key, value: valueFromText(key, text), source });
    else problems.push(unknown({ path: name, value: text, source: source.name, meant: nearestVariable(name) }));
  }
  return settings;
}

/** The keys that the command line sets, in order. */
export function readAssignments(assignments: readonly Assignment[], folder: string, problems: Problem[]): Setting[] {
  const settings: Setting[] = [];
  for (const { path, value, flag } of assignments) {
    const source = { name: `flag ${flag}`, folder };
    const key = keyAt(path);
    if (key === undefined) {
      problems.push(unknown({ path, value, source: source.name, meant: nearestPath(path) }));
    } else if (key.notes.isSecret) {
      problems.push({
        path,
        value: MASK,
        source: source.name,
        message: 'A secret cannot be set on the command line, because the process list would show it.',
        remedy: `Set it in the file, or in the environment variable ${key.variable}.`,
      });
    } else {
      settings.push({ key, value: typeof value === 'string' ? valueFromText(key, value) : value, source });
    }
  }
  return settings;
}

/** The problem of a key that does not exist. */
export function unknown(found: { path: string; value: unknown; source: string; meant: string | undefined }): Problem {
  const { path, value, source, meant } = found;
  const shown = showValue(value);
  return {
    path,
    value: /pass|secret|token|key|header/i.test(path + shown) ? MASK : shown,
    source,
    message: isGroup(path) ? 'This is a group of keys, not a key.' : 'There is no such key.',
    remedy:
      meant === undefined || meant === path
        ? 'Remove it. `wfdd config print` lists all keys.'
        : `Did you mean ${meant}? \`wfdd config print\` lists all keys.`,
  };
}
