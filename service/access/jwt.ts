/**
 * JSON Web Tokens, checked against a local key set (JWKS, RFC 7517): no call leaves the host to let somebody in.
 *
 * The rule that must not be broken: only the algorithms below, which need a private key that this host doesn't have. `none` needs no
 * key, and HS256 would take the public key for one.
 */
import { createHash, createPublicKey, type JsonWebKey } from 'node:crypto';
import type { JSONWebKeySet } from 'jose';
import { createLocalJWKSet } from 'jose/jwks/local';
import { type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from 'jose/jwt/verify';
import * as z from 'zod';
import { type Identified, isPrincipal, unidentified } from './identity.js';

const ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
/** Clocks that a time service keeps differ by less. */
const CLOCK_TOLERANCE_SECONDS = 10;
/** Tokens whose signature is remembered as good: a check costs the time of many calls. */
const KNOWN_MAX = 1000;

const publicKey = z
  .looseObject({ kty: z.string() })
  .refine(({ kty }) => kty !== 'oct', 'is a shared key, and whoever can check with it can sign')
  .refine((key) => !('d' in key), 'is a private key; give the public one');

/** Others in the set are passed over, as RFC 7517 has it; a set of nothing else would lock everybody out. */
function isUsable(key: JsonWebKey): boolean {
  try {
    createPublicKey({ key, format: 'jwk' });
    return true;
  } catch {
    return false;
  }
}

const keySet = z.object({
  keys: z.array(publicKey).refine((keys) => keys.some(isUsable), 'must have a key that can be used'),
});

/** Reads a JWKS. Throws an Error that quotes none of it. */
export function parseKeySet(text: string): JWTVerifyGetKey {
  const checked = keySet.safeParse(parseJson(text));
  if (checked.success) return createLocalJWKSet(checked.data as JSONWebKeySet);
  const [{ path, message } = { path: [], message: '' }] = checked.error.issues;
  throw new Error(`${path.join('.') || 'The file'} ${message}.`);
}

export interface JwtSettings {
  /** The one `iss` that is accepted. */
  readonly issuer: string;
  /** What must be in `aud`. */
  readonly audience: string;
  readonly principalClaim: string;
}

interface Known {
  readonly principal: string;
  readonly expireTimeMs: number;
  /** The key set that it was checked against: with another, it is checked anew. */
  readonly keys: JWTVerifyGetKey;
}

export class JwtVerifier {
  readonly #keys: () => JWTVerifyGetKey;
  readonly #options: JWTVerifyOptions;
  readonly #principalClaim: string;
  readonly #known = new Map<string, Known>();

  constructor({ issuer, audience, principalClaim }: JwtSettings, keys: () => JWTVerifyGetKey) {
    this.#keys = keys;
    this.#principalClaim = principalClaim;
    this.#options = {
      algorithms: ALGORITHMS,
      issuer,
      audience,
      requiredClaims: ['exp'],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
    };
  }

  async identify(token: string, nowMs: number): Promise<Identified> {
    const keys = this.#keys();
    const digest = createHash('sha256').update(token).digest('base64');
    const known = this.#known.get(digest);
    if (known !== undefined && known.keys === keys && nowMs < known.expireTimeMs) {
      return { ok: true, principal: known.principal };
    }
    this.#known.delete(digest);
    try {
      const { payload } = await jwtVerify(token, keys, { ...this.#options, currentDate: new Date(nowMs) });
      const principal = payload[this.#principalClaim];
      if (!isPrincipal(principal)) return unidentified(`The JWT has no usable claim "${this.#principalClaim}".`);
      this.#remember(digest, { principal, expireTimeMs: (payload.exp ?? 0) * 1000, keys });
      return { ok: true, principal };
    } catch (error) {
      // The messages of jose name claims and headers, and hold none of their values.
      return unidentified(`The JWT is refused: ${(error as Error).message}.`);
    }
  }

  #remember(digest: string, known: Known): void {
    // A Map keeps insertion order, so the first is the oldest.
    for (const oldest of this.#known.keys()) {
      if (this.#known.size < KNOWN_MAX) break;
      this.#known.delete(oldest);
    }
    this.#known.set(digest, known);
  }
}

/** The message of `JSON.parse` quotes the text. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('It is not valid JSON.');
  }
}
