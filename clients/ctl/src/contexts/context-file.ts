/**
 * The file of contexts as text: read, checked, changed. A change keeps what people wrote around it, their comments too.
 *
 *   current: lab
 *   contexts:
 *     lab: { address: host-7.example:50051, ca: /etc/lab/ca.pem, tokenFile: /run/lab.token }
 */
import { type Document, isMap, parseDocument, visit } from 'yaml';
import { Failure } from '../failure.js';
import type { Target } from './target.js';

export interface ContextFile {
  /** Where it lies, or would lie. */
  readonly file: string;
  readonly current: string | undefined;
  readonly contexts: ReadonlyMap<string, Target>;
}

/** What the values of a context have to be. */
const KEYS: Readonly<Record<keyof Target, 'string' | 'boolean'>> = {
  ...{ address: 'string', tls: 'boolean', ca: 'string', cert: 'string', key: 'string', serverName: 'string' },
  ...{ token: 'string', tokenFile: 'string' },
};

export const NAME_EXPECTED = 'A context has a name of letters, digits, dots, dashes and underscores.';

export function isContextName(name: string): boolean {
  return /^\w[\w.-]*$/.test(name);
}

/** Throws the first thing that is wrong. */
export function parseContexts(text: string, file: string): ContextFile {
  const found: unknown = documentOf(text, file).toJS() ?? {};
  const { current: named, contexts: kept, ...others } = record(found, file, 'the file');
  // A key without a value is one that nobody has filled in yet.
  const [current, contexts] = [named ?? undefined, kept ?? {}];
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw wrong(file, `${unknown} is no key of it`);
  if (current !== undefined && typeof current !== 'string') throw wrong(file, 'current is not a name');
  const entries = Object.entries(record(contexts, file, 'contexts'));
  return { file, current, contexts: new Map(entries.map(([name, value]) => [name, parseTarget(value, file, name)])) };
}

function parseTarget(value: unknown, file: string, name: string): Target {
  const where = `contexts.${name}`;
  if (!isContextName(name)) throw wrong(file, `${JSON.stringify(name)} is no name for a context`);
  const fields = record(value, file, where);
  for (const [key, field] of Object.entries(fields)) {
    const type = (KEYS as Readonly<Record<string, string>>)[key];
    if (type === undefined) throw wrong(file, `${where}.${key} is no key of a context`);
    if (typeof field !== type) throw wrong(file, `${where}.${key} is not a ${type}`);
  }
  const { address } = fields;
  if (typeof address !== 'string') throw wrong(file, `${where} has no address`);
  return { ...fields, address };
}

/** The text with a context that has these fields and no others. The first context is the current one. */
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
  if (error?.code === 'MULTIPLE_DOCS') throw wrong(file, 'it has more than one document (---)');
  if (error !== undefined) throw wrong(file, `it is no YAML (${error.message.split('\n', 1)[0]?.replace(/:$/, '')})`);
  visit(document, {
    Alias: (_, { source }) => {
      // Through it, a change to one context would be one to another, too.
      throw wrong(file, `*${source} is an alias, which it can't have: write out what it stands for`);
    },
  });
  return document;
}

function record(value: unknown, file: string, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw wrong(file, `${what} is not a list of keys and values`);
}

function wrong(file: string, what: string): Failure {
  return new Failure('config', `The file of contexts is wrong: ${what}; correct ${file}.`);
}
