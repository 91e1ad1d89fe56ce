/** Parses the tokens file that tokens.ts describes. Loaded only if there is one. */
import * as z from 'zod';
import { parseYaml } from '../files/yaml-file.js';
import { isPrincipal } from './identity.js';
import type { Token } from './tokens.js';

/** Each call is compared with every token, so their number is limited. */
const TOKENS_MAX = 1000;

const entries = z
  .array(
    z.strictObject({
      principal: z.string().refine(isPrincipal, 'must be 1 to 255 visible characters'),
      hash: z
        .string()
        .regex(
          /^sha256:[0-9a-f]{64}$/,
          'must be "sha256:" and 64 hex digits: the hash of the token, not the token itself',
        ),
      expires: z.iso.datetime({ offset: true, error: 'must be a time such as 2027-01-01T00:00:00Z' }).optional(),
    }),
    'must be a list of tokens',
  )
  .max(TOKENS_MAX, `must have at most ${TOKENS_MAX} tokens; use JWTs for more`);

/**
 * Parses the file. Throws an Error that names the position and does not quote the text, which may
 * contain a secret.
 */
export function parseTokens(text: string): readonly Token[] {
  const listed = parseYaml(text, entries, 'no tokens');
  const tokens = listed.map(({ principal, hash, expires }) => ({
    principal,
    hash: Buffer.from(hash.slice('sha256:'.length), 'hex'),
    expireTimeMs: expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires),
  }));
  if (new Set(listed.map(({ hash }) => hash)).size < tokens.length) throw new Error('A hash is listed twice.');
  return tokens;
}
