/** Parses the URLs and headers for sending spans and metrics. */
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { isLocal } from './listen.js';
import { MASK } from './schema/leaf.js';

/** Headers that the HTTP client sets. */
const RESERVED = new Set(['content-type', 'content-length', 'transfer-encoding', 'connection', 'host']);

/** Throws an Error whose message says what is wrong and quotes nothing. */
export function parseCollectorUrl(text: string): URL {
  if (!URL.canParse(text)) throw new Error('This is not a URL.');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Error('The scheme must be http or https.');
  if (url.username !== '' || url.password !== '')
    throw new Error('A URL must not contain credentials. Set them in the key "headers".');
  if (url.search !== '' || url.hash !== '') throw new Error('The URL must not have a query or a fragment.');
  return url;
}

/** Whether data sent there can be read on the network. */
export function isExposed(url: URL): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return url.protocol === 'http:' && !isLocal({ kind: 'tcp', host, port: 0 });
}

/** `name: value`. Throws an Error whose message says what is wrong and quotes nothing. */
export function parseHeader(text: string): readonly [name: string, value: string] {
  const [, name = '', value = ''] = /^([^:\s]+):\s*(.*?)\s*$/s.exec(text) ?? [];
  if (name === '' || value === '') throw new Error('Expected "name: value".');
  if (value.includes(MASK)) throw new Error(`${MASK} stands for a secret and is not the secret itself.`);
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  } catch {
    throw new Error('HTTP does not allow this name or value.');
  }
  if (RESERVED.has(name.toLowerCase())) throw new Error('This header cannot be configured.');
  return [name.toLowerCase(), value];
}
