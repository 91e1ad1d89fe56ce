/**
 * Loads file, environment and flags into one frozen, valid Config. Flags override the environment,
 * the environment overrides the file, and the file overrides the defaults.
 *
 * All problems are reported at once, even those of overridden values.
 */
import { statSync } from 'node:fs';
import { resolve, win32 } from 'node:path';
import { keyAt, valueAt } from './keys.js';
import { isMissing } from './missing.js';
import { openFilesMax } from './open-files.js';
import { type Finding, findings, type Host } from './policy.js';
import { ConfigError, type Problem, showValue } from './problem.js';
import { MASK } from './schema/leaf.js';
import { type Config, type KeyPath, makeConfig } from './schema.js';
import { type Assignment, FILE_VARIABLE, readAssignments, readEnvironment, type Setting } from './setting.js';

export interface LoadRequest {
  /** From `--config`. Absent: WFDD_CONFIG, else the default file of the platform if it exists. */
  readonly file?: string | undefined;
  readonly assignments?: readonly Assignment[];
  readonly environment: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  /** The folder that relative paths in the environment and in flags are resolved against. */
  readonly folder: string;
  /** The name of the Windows service, whose folder holds the default file. Absent: wfdd. */
  readonly name?: string;
}

export interface LoadedConfig {
  readonly config: Config;
  /** The file that was read, if any. */
  readonly file: string | undefined;
  /** Where each key was set. Keys at their default are absent. */
  readonly sources: ReadonlyMap<KeyPath, string>;
  /** To be logged at every start. */
  readonly warnings: readonly Problem[];
}

/** libuv's default if UV_THREADPOOL_SIZE is not set. */
const POOL_THREADS_DEFAULT = 4;

/** Throws ConfigError with all problems. */
export async function loadConfig(request: LoadRequest): Promise<LoadedConfig> {
  const { environment, platform, folder } = request;
  const problems: Problem[] = [];
  const file = findFile(request);
  const written = [
    ...(file === undefined ? [] : (await import('./file.js')).readFile(file, problems)),
    ...readEnvironment(environment, platform, folder, problems),
    ...readAssignments(request.assignments ?? [], folder, problems),
  ];

  const values = {};
  const effective = new Map<KeyPath, Setting>();
  const faulty = new Set<KeyPath>();
  for (const setting of written) {
    const { path } = setting.key;
    const faults = problemsOf(setting);
    problems.push(...faults);
    if (faults.length > 0) faulty.add(path);
    else put(values, path, absolute(setting));
    effective.set(path, setting);
  }

  const config = makeConfig(values);
  const sources = new Map([...effective].map(([path, { source }]) => [path, source.name]));
  const warnings: Problem[] = [];
  // If the file is unreadable or a value is invalid, rules between keys would report false
  // problems.
  const isWhole = problems.every(({ path }) => path !== '');
  for (const finding of isWhole ? findings(config, hostOf(platform, environment)) : []) {
    if (finding.keys.some((path) => faulty.has(path))) continue;
    (finding.severity === 'error' ? problems : warnings).push(problemFrom(finding, { config, file, sources }));
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { config, file, sources, warnings };
}

/** The configuration file that is used if none is named. */
export function defaultFile(platform: NodeJS.Platform, environment: NodeJS.ProcessEnv, name = 'wfdd'): string {
  if (platform !== 'win32') return '/etc/wfdd/config.yaml';
  return win32.join(environment['ProgramData'] ?? 'C:\\ProgramData', name, 'config.yaml');
}

function findFile({ file, environment, platform, folder, name }: LoadRequest): string | undefined {
  const named = file ?? (environment[FILE_VARIABLE] || undefined);
  if (named !== undefined) return resolve(folder, named);
  const usual = defaultFile(platform, environment, name);
  return isThere(usual) ? usual : undefined;
}

/**
 * False only if the system says that there is no such file. A file without permission to look at it
 * counts as present: starting with defaults instead would open a host that its operator had
 * restricted. Reading the file then reports the error.
 */
export function isThere(file: string): boolean {
  try {
    statSync(file);
    return true;
  } catch (error) {
    return !isMissing(error);
  }
}

function problemsOf({ key, value, source }: Setting): Problem[] {
  const parsed = key.schema.safeParse(value ?? null);
  return (parsed.error?.issues ?? []).map((issue) => {
    const part = issue.path.reduce<unknown>((whole, name) => (whole as Record<PropertyKey, unknown>)?.[name], value);
    const shown = key.notes.isSecret ? MASK : showValue(part);
    const saysWhy = issue.code === 'custom' || issue.path.length > 0;
    return {
      path: issue.path.reduce<string>(pathWith, key.path),
      value: shown,
      source: source.nameOf?.(issue.path) ?? source.name,
      message: saysWhy ? issue.message : `This is not ${key.notes.expects}.`,
      remedy: `Give ${key.notes.expects}.`,
    };
  });
}

/** Turns a finding into a problem of the first of its keys that was set: the place to fix it. */
function problemFrom(
  { keys, message, remedy }: Finding,
  { config, file, sources }: Pick<LoadedConfig, 'config' | 'file' | 'sources'>,
): Problem {
  const path = keys.find((key) => sources.has(key)) ?? keys[0];
  if (path === undefined) return { path: '', source: file ?? 'the configuration', message, remedy };
  const value = valueAt(config, path);
  return {
    path,
    value: keyAt(path).notes.isSecret ? MASK : showValue(value),
    source: sources.get(path) ?? 'the default',
    message,
    remedy,
  };
}

/** Adds the findings about files. Throws ConfigError if one of them is an error. */
export function withFindings(loaded: LoadedConfig, findings: Iterable<Finding>): LoadedConfig {
  const found = [...findings];
  const problemsOf = (severity: Finding['severity']) =>
    found.filter((finding) => finding.severity === severity).map((finding) => problemFrom(finding, loaded));
  const errors = problemsOf('error');
  if (errors.length > 0) throw new ConfigError(errors);
  return { ...loaded, warnings: [...loaded.warnings, ...problemsOf('warning')] };
}

function absolute({ key, value, source }: Setting): unknown {
  return key.notes.file !== undefined && typeof value === 'string' ? resolve(source.folder, value) : value;
}

function put(values: Record<string, unknown>, path: string, value: unknown): void {
  const names = path.split('.');
  const last = names.pop() ?? path;
  let group = values;
  for (const name of names) {
    group[name] ??= {};
    group = group[name] as Record<string, unknown>;
  }
  group[last] = value;
}

function pathWith(path: string, part: PropertyKey): string {
  return typeof part === 'number' ? `${path}[${part}]` : `${path}.${String(part)}`;
}

function hostOf(platform: NodeJS.Platform, environment: NodeJS.ProcessEnv): Host {
  return { platform, poolThreads: poolThreads(environment), openFilesMax: openFilesMax(platform) };
}

function poolThreads(environment: NodeJS.ProcessEnv): number {
  return Number(environment['UV_THREADPOOL_SIZE']) || POOL_THREADS_DEFAULT;
}
