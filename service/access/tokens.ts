/**
 * Bearer tokens from a file. The file contains only hashes, so reading it gives no access:
 *
 *     - principal: backend-berlin
 *       hash: sha256:9b74c9897bac770ffc029102a200c5de...   # 64 hex digits
 *       expires: 2027-01-01T00:00:00Z                       # optional
 *
 * A principal can have several tokens, so that a new one can be distributed before the old one is
 * revoked. A plain SHA-256 is safe only because tokens are random: 32 random bytes cannot be
 * guessed, however fast the guesses are, but a token chosen by a person can. `wfdd token create`
 * creates a token and its entry.
 *
 * Invariant: the time of a comparison reveals nothing about the hashes in the file.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type Identified, unidentified } from './identity.js';
import { perVersion } from './per-version.js';

export interface Token {
  readonly principal: string;
  /** SHA-256 of the token. */
  readonly hash: Buffer;
  /** Milliseconds since the Unix epoch; infinite if the token does not expire. */
  readonly expireTimeMs: number;
}

/**
 * Identifies the owner of a token; `undefined` if it is unknown. The identity holds while the
 * current file says the same.
 */
export function identifyToken(token: string, current: () => readonly Token[], nowMs: number): Identified | undefined {
  const hash = createHash('sha256').update(token).digest();
  const found = find(current(), hash);
  if (found === undefined) return undefined;
  const { principal, expireTimeMs } = found;
  if (expireTimeMs <= nowMs) return unidentified('The token has expired.', principal);
  const expiry = perVersion(current, (tokens) => {
    const now = find(tokens, hash);
    return now?.principal === principal ? now.expireTimeMs : 0;
  });
  return { ok: true, source: 'token', principal, holds: (laterMs) => laterMs < expiry() };
}

function find(tokens: readonly Token[], hash: Buffer): Token | undefined {
  let found: Token | undefined;
  for (const token of tokens) if (timingSafeEqual(token.hash, hash)) found = token;
  return found;
}
