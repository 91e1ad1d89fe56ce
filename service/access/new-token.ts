/** Creates a token and its entry for the tokens file. */
import { createHash, randomBytes } from 'node:crypto';
import { isPrincipal } from './identity.js';

interface NewToken {
  readonly principal: string;
  /** 32 random bytes in base64url. They cannot be guessed, so storing a plain hash is safe. */
  readonly token: string;
  readonly hash: string;
  /** RFC 3339, in UTC. */
  readonly expires?: string;
}

/** Throws an Error with a message for the user if the arguments are invalid. */
export function newToken(principal: string, expireTimeMs: number | undefined, nowMs: number): NewToken {
  if (!isPrincipal(principal)) throw new Error('A principal must have 1 to 255 visible characters.');
  if (expireTimeMs !== undefined && expireTimeMs <= nowMs)
    throw new Error(`The expiry ${timeText(expireTimeMs)} is in the past. Give a later time.`);
  const token = randomBytes(32).toString('base64url');
  const hash = `sha256:${createHash('sha256').update(token).digest('hex')}`;
  return { principal, token, hash, ...(expireTimeMs === undefined ? {} : { expires: timeText(expireTimeMs) }) };
}

/** An item of the YAML list in the tokens file. A JSON string is a valid YAML string. */
export function tokenEntry({ principal, hash, expires }: NewToken): string {
  const lines = [`- principal: ${JSON.stringify(principal)}`, `  hash: ${hash}`];
  if (expires !== undefined) lines.push(`  expires: ${expires}`);
  return `${lines.join('\n')}\n`;
}

function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString().replace('.000Z', 'Z');
}
