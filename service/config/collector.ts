/** Where spans and metrics are sent, as it is written in the configuration. */
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { isLocal } from './listen.js';
import { MASK } from './schema/leaf.js';

/** Set by what writes the request. */
const RESERVED = new Set(['content-type', 'content-length', 'transfer-encoding', 'connection', 'host']);

/** Throws an Error whose message says what is wrong and quotes nothing. */
export function parseCollectorUrl(text: string): URL {
  if (!URL.canParse(text)) throw new Error('It is not a URL.');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Error('It is neither http nor https.');
  if (url.username !== '' || url.password !== '') throw new Error('Credentials belong into the headers beside it.');
  if (url.search !== '' || url.hash !== '') throw new Error('It has more than a path.');
  return url;
}

/** Whether what is sent there can be read on the way. */
export function isExposed(url: URL): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return url.protocol === 'http:' && !isLocal({ kind: 'tcp', host, port: 0 });
}

/** `name: value`. Throws an Error whose message says what is wrong and quotes nothing. */
export function parseHeader(text: string): readonly [name: string, value: string] {
  const [, name = '', value = ''] = /^([^:\s]+):\s*(.*?)\s*$/s.exec(text) ?? [];
  if (name === '' || value === '') throw new Error('It is not of the form "name: value".');
  if (value.includes(MASK)) throw new Error('What stands for a secret is not the secret.');
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  } catch {
    throw new Error('HTTP does not allow such a name or value.');
  }
  if (RESERVED.has(name.toLowerCase())) throw new Error('This header is not for the configuration to set.');
  return [name.toLowerCase(), value];
}
