/** Makes a token, and the entry by which tokens.ts knows it again. */
import { createHash, randomBytes } from 'node:crypto';
import { isPrincipal } from './identity.js';

export interface NewToken {
  readonly principal: string;
  /** 32 random bytes in base64url: nobody guesses it, so a plain hash of it may be kept. */
  readonly token: string;
  readonly hash: string;
  /** RFC 3339, in UTC. */
  readonly expires?: string;
}

/** Throws an Error for people where no such token can be. */
export function newToken(principal: string, expireTimeMs: number | undefined, nowMs: number): NewToken {
  if (!isPrincipal(principal)) throw new Error('A principal has 1 to 255 visible characters.');
  if (expireTimeMs !== undefined && expireTimeMs <= nowMs)
    throw new Error(`A token that expired at ${timeText(expireTimeMs)} would let nobody in; name a later time.`);
  const token = randomBytes(32).toString('base64url');
  const hash = `sha256:${createHash('sha256').update(token).digest('hex')}`;
  return { principal, token, hash, ...(expireTimeMs === undefined ? {} : { expires: timeText(expireTimeMs) }) };
}

/** An item of the YAML list that the tokens file is. A JSON string is a YAML one, whatever the name holds. */
export function tokenEntry({ principal, hash, expires }: NewToken): string {
  const lines = [`- principal: ${JSON.stringify(principal)}`, `  hash: ${hash}`];
  if (expires !== undefined) lines.push(`  expires: ${expires}`);
  return `${lines.join('\n')}\n`;
}

function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString().replace('.000Z', 'Z');
}
