/**
 * Parses, checks and edits the text of the context file. An edit keeps everything else, including
 * comments.
 *
 *   current: lab
 *   contexts:
 *     lab: { address: host-7.example:50051, ca: /etc/lab/ca.pem, tokenFile: /run/lab.token }
 */
import { type Document, isMap, parseDocument, visit } from 'yaml';
import { CliError } from '../cli-error.js';
import type { Target } from './target.js';

export interface ContextFile {
  /** Its path, even if the file does not exist yet. */
  readonly file: string;
  readonly current: string | undefined;
  readonly contexts: ReadonlyMap<string, Target>;
}

/** The type of each value of a context. */
const KEYS: Readonly<Record<keyof Target, 'string' | 'boolean'>> = {
  ...{ address: 'string', tls: 'boolean', ca: 'string', cert: 'string', key: 'string', serverName: 'string' },
  ...{ token: 'string', tokenFile: 'string' },
};

export function isContextName(name: string): boolean {
  return /^\w[\w.-]*$/.test(name);
}

/** Throws a CliError for the first thing that is invalid. */
export function parseContexts(text: string, file: string): ContextFile {
  const found: unknown = documentOf(text, file).toJS() ?? {};
  const { current: named, contexts: kept, ...others } = record(found, file, 'the file');
  // A key without a value counts as absent.
  const [current, contexts] = [named ?? undefined, kept ?? {}];
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw invalid(file, `unknown key ${unknown}`);
  if (current !== undefined && typeof current !== 'string') throw invalid(file, 'current is not a name');
  const entries = Object.entries(record(contexts, file, 'contexts'));
  return { file, current, contexts: new Map(entries.map(([name, value]) => [name, parseTarget(value, file, name)])) };
}

function parseTarget(value: unknown, file: string, name: string): Target {
  const where = `contexts.${name}`;
  if (!isContextName(name)) throw invalid(file, `${JSON.stringify(name)} is not a valid name for a context`);
  const fields = record(value, file, where);
  for (const [key, field] of Object.entries(fields)) {
    const type = (KEYS as Readonly<Record<string, string>>)[key];
    if (type === undefined) throw invalid(file, `unknown key ${where}.${key}`);
    if (typeof field !== type) throw invalid(file, `${where}.${key} is not a ${type}`);
  }
  const { address } = fields;
  if (typeof address !== 'string') throw invalid(file, `${where} has no address`);
  return { ...fields, address };
}

/** Sets a context to exactly these fields. The first context becomes the current one. */
export function withContext(text: string, { file, contexts }: ContextFile, name: string, fields: Target): string {
  const document = editable(text, file);
  for (const key of Object.keys(KEYS) as (keyof Target)[]) {
    const path = ['contexts', name, key];
    if (fields[key] === undefined) document.deleteIn(path);
    else document.setIn(path, fields[key]);
  }
  if (contexts.size === 0) document.set('current', name);
  return document.toString({ lineWidth: 0 });
}

export function withCurrent(text: string, { file }: ContextFile, name: string): string {
  const document = editable(text, file);
  document.set('current', name);
  return document.toString({ lineWidth: 0 });
}

export function withoutContext(text: string, { file, current }: ContextFile, name: string): string {
  const document = editable(text, file);
  document.deleteIn(['contexts', name]);
  if (current === name) document.delete('current');
  return document.toString({ lineWidth: 0 });
}

function editable(text: string, file: string): Document {
  const document = documentOf(text, file);
  if (document.contents === null) document.contents = document.createNode({});
  if (!isMap(document.get('contexts'))) document.set('contexts', document.createNode({}));
  return document;
}

function documentOf(text: string, file: string): Document {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error?.code === 'MULTIPLE_DOCS') throw invalid(file, 'it has more than one document (---)');
  if (error !== undefined)
    throw invalid(file, `it is not YAML (${error.message.split('\n', 1)[0]?.replace(/:$/, '')})`);
  visit(document, {
    Alias: (_, { source }) => {
      // An edit of one context would also change the other.
      throw invalid(file, `the alias *${source} is not supported, so write its value out`);
    },
  });
  return document;
}

function record(value: unknown, file: string, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw invalid(file, `${what} is not a list of keys and values`);
}

function invalid(file: string, what: string): CliError {
  return new CliError('config', `Invalid context file: ${what}; correct ${file}.`);
}
