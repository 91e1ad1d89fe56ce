/** The file of tokens, as `tokens.ts` shows it. The parsers are loaded only where there is one. */
import { LineCounter, parseDocument } from 'yaml';
import * as z from 'zod';
import { isPrincipal } from './identity.js';
import type { Token } from './tokens.js';

/** Each comparison is with every token, so their number bounds what one costs. */
const TOKENS_MAX = 1000;

const entries = z
  .array(
    z.strictObject({
      principal: z.string().refine(isPrincipal, 'must be 1 to 255 visible characters'),
      hash: z
        .string()
        .regex(/^sha256:[0-9a-f]{64}$/, 'must be "sha256:" and 64 hex digits: the hash of the token, never the token'),
      expires: z.iso.datetime({ offset: true, error: 'must be a time such as 2027-01-01T00:00:00Z' }).optional(),
    }),
    'must be a list of tokens',
  )
  .max(TOKENS_MAX, `must have ${TOKENS_MAX} tokens at most; JWTs need no list`);

/** Reads the file's text. Throws an Error that names the place and never quotes it: a secret may stand there. */
export function parseTokens(text: string): readonly Token[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [fault] = document.errors;
  if (fault !== undefined) {
    throw new Error(`It is not valid YAML at line ${lines.linePos(fault.pos[0]).line}.`);
  }
  const values: unknown = document.toJS({ maxAliasCount: 0 });
  // What is being written anew may be empty for a moment, and must not take all tokens back.
  if (values === null) throw new Error('The file is empty; for no tokens at all it must have [].');
  const checked = entries.safeParse(values);
  if (!checked.success) {
    const [{ path, message } = { path: [], message: '' }] = checked.error.issues;
    throw new Error(`${path.join('.') || 'The file'} ${message}.`);
  }
  const tokens = checked.data.map(({ principal, hash, expires }) => ({
    principal,
    hash: Buffer.from(hash.slice('sha256:'.length), 'hex'),
    expireTimeMs: expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires),
  }));
  if (new Set(checked.data.map(({ hash }) => hash)).size < tokens.length) throw new Error('A hash stands in it twice.');
  return tokens;
}
