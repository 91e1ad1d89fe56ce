/**
 * Bearer tokens from a file. The file holds their hashes, so reading it lets nobody in:
 *
 *     - principal: backend-berlin
 *       hash: sha256:9b74c9897bac770ffc029102a200c5de...   # 64 hex digits
 *       expires: 2027-01-01T00:00:00Z                       # optional
 *
 * A principal may have several, so that a new one can be handed out before the old one is taken back. A plain SHA-256 is
 * right here, and only because tokens are random: 32 random bytes can't be guessed, however fast a guess is tried. A token that a
 * person chose could be. `wfdd token create` makes one, with its entry.
 *
 * The rule that must not be broken: how long a comparison takes says nothing about any hash in the file.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { type Identified, isPrincipal, unidentified } from './identity.js';

export interface Token {
  readonly principal: string;
  /** SHA-256 of the token. */
  readonly hash: Buffer;
  /** Milliseconds since the Unix epoch; no expiry: infinite. */
  readonly expireTimeMs: number;
}

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
  const checked = entries.safeParse(document.toJS({ maxAliasCount: 0 }) ?? []);
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

/** Whose token it is; `undefined` where it is nobody's. `isRevoked` looks at the tokens of then. */
export function identifyToken(token: string, current: () => readonly Token[], nowMs: number): Identified | undefined {
  const hash = createHash('sha256').update(token).digest();
  const found = find(current(), hash);
  if (found === undefined) return undefined;
  const { principal, expireTimeMs } = found;
  if (expireTimeMs <= nowMs) return unidentified('The token has expired.', principal);
  return { ok: true, principal, isRevoked: () => find(current(), hash) === undefined };
}

function find(tokens: readonly Token[], hash: Buffer): Token | undefined {
  let found: Token | undefined;
  for (const token of tokens) if (timingSafeEqual(token.hash, hash)) found = token;
  return found;
}
