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
import { type Identified, unidentified } from './identity.js';
import { perVersion } from './per-version.js';

export interface Token {
  readonly principal: string;
  /** SHA-256 of the token. */
  readonly hash: Buffer;
  /** Milliseconds since the Unix epoch; no expiry: infinite. */
  readonly expireTimeMs: number;
}

/** Whose token it is; `undefined` where it is nobody's. It holds for as long as the tokens of then say the same. */
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
