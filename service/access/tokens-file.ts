/** The file of tokens, as `tokens.ts` shows it. The parsers are loaded only where there is one. */
import * as z from 'zod';
import { isPrincipal } from './identity.js';
import type { Token } from './tokens.js';
import { parseYaml } from './yaml-file.js';

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
  const listed = parseYaml(text, entries, 'no tokens');
  const tokens = listed.map(({ principal, hash, expires }) => ({
    principal,
    hash: Buffer.from(hash.slice('sha256:'.length), 'hex'),
    expireTimeMs: expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires),
  }));
  if (new Set(listed.map(({ hash }) => hash)).size < tokens.length) throw new Error('A hash stands in it twice.');
  return tokens;
}
