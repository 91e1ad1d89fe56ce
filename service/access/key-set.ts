/**
 * JSON Web Key Sets (RFC 7517), and verification of JWT signatures with them (RFC 7515, 7518,
 * 8037).
 *
 * Invariant: only the algorithms below are accepted. Signing with them needs a private key that
 * this host does not have. `none` needs no key, and HS256 would use the public key as its secret.
 * Each algorithm works with one key type only.
 *
 * `node:crypto` verifies synchronously in 30 to 300 microseconds. WebCrypto, and so every library
 * based on it, uses the threads of libuv's pool that native calls need (D-47).
 */
import { constants, createHash, createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto';
import * as z from 'zod';
import { parseJson } from '../files/json.js';

interface Algorithm {
  /** The name in `node:crypto`; null for Edwards curves, whose hash is fixed. */
  readonly hash: string | null;
  readonly keyType: 'rsa' | 'ec' | 'ed25519';
  readonly curve?: string;
  readonly isPss?: boolean;
}

const EDWARDS: Algorithm = { hash: null, keyType: 'ed25519' };

const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map<string, Algorithm>([
  ...['256', '384', '512'].flatMap((bits): [string, Algorithm][] => [
    [`RS${bits}`, { hash: `sha${bits}`, keyType: 'rsa' }],
    [`PS${bits}`, { hash: `sha${bits}`, keyType: 'rsa', isPss: true }],
  ]),
  ['ES256', { hash: 'sha256', keyType: 'ec', curve: 'prime256v1' }],
  ['ES384', { hash: 'sha384', keyType: 'ec', curve: 'secp384r1' }],
  ['ES512', { hash: 'sha512', keyType: 'ec', curve: 'secp521r1' }],
  ['EdDSA', EDWARDS],
  ['Ed25519', EDWARDS],
]);

/** RFC 7518, section 3.3. Shorter RSA keys are not secure. */
const RSA_BITS_MIN = 2048;
/** A token without `kid` is tried with every matching key, and each try costs time. */
const KEYS_MAX = 32;

export interface Key {
  /** A hash of the key itself, which identifies it in another set. */
  readonly id: string;
  readonly key: KeyObject;
  readonly kid: string | undefined;
  readonly algorithms: ReadonlySet<Algorithm>;
}

/** A new object after each change of the file. */
export type KeySet = readonly Key[];

export interface Signed {
  readonly alg: string;
  readonly kid: string | undefined;
  readonly input: Buffer;
  readonly signature: Buffer;
}

export function isAlgorithm(name: unknown): name is string {
  return typeof name === 'string' && ALGORITHMS.has(name);
}

/** The keys that may have signed the token: those with its `kid`, or all if it has none. */
export function keysFor(keys: KeySet, { alg, kid }: Pick<Signed, 'alg' | 'kid'>): KeySet {
  const algorithm = ALGORITHMS.get(alg);
  if (algorithm === undefined) return [];
  return keys.filter((key) => key.algorithms.has(algorithm) && (kid === undefined || key.kid === kid));
}

/** Whether the key is still in the set, for the same algorithms. */
export function hasKey(keys: KeySet, { id }: Key): boolean {
  return keys.some((key) => key.id === id);
}

export function isSignedBy({ key }: Key, { alg, input, signature }: Signed): boolean {
  const { hash, isPss } = ALGORITHMS.get(alg) as Algorithm;
  const { RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST } = constants;
  const pss = isPss && { padding: RSA_PKCS1_PSS_PADDING, saltLength: RSA_PSS_SALTLEN_DIGEST };
  return verify(hash, input, { key, dsaEncoding: 'ieee-p1363', ...pss }, signature);
}

const publicKey = z
  .looseObject({
    kty: z.string(),
    kid: z.string().optional(),
    use: z.string().optional(),
    alg: z.string().optional(),
    key_ops: z.array(z.string()).optional(),
  })
  .refine(({ kty }) => kty !== 'oct', 'is a symmetric key; anyone who can verify with it can also sign')
  .refine((key) => !('d' in key), 'is a private key; use the public key');

const keySet = z.object({ keys: z.array(publicKey) });

/**
 * Parses a JWKS. Throws an Error that does not quote it. Keys of unknown types and for other uses
 * are skipped, as RFC 7517 requires. A set without a usable key is an error, because it would lock
 * everybody out.
 */
export function parseKeySet(text: string): KeySet {
  const checked = keySet.safeParse(parseJson(text));
  if (!checked.success) {
    const [{ path, message } = { path: [], message: '' }] = checked.error.issues;
    throw new Error(`${path.join('.') || 'The file'} ${message}.`);
  }
  const keys = checked.data.keys.flatMap((jwk) => usable(jwk) ?? []);
  if (keys.length === 0) throw new Error('keys must contain at least one usable key.');
  if (keys.length > KEYS_MAX) throw new Error(`keys must contain at most ${KEYS_MAX} keys.`);
  return keys;
}

function usable(jwk: z.output<typeof publicKey>): Key | undefined {
  const { kid, use, alg, key_ops: operations } = jwk;
  if (use !== undefined && use !== 'sig') return undefined;
  if (operations !== undefined && !operations.includes('verify')) return undefined;
  let key: KeyObject;
  try {
    key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
  } catch {
    return undefined;
  }
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa' && (modulusLength ?? 0) < RSA_BITS_MIN) return undefined;
  const fitting = [...ALGORITHMS.values()].filter(
    ({ keyType, curve }) => keyType === key.asymmetricKeyType && (curve === undefined || curve === namedCurve),
  );
  const named = alg === undefined ? undefined : ALGORITHMS.get(alg);
  const algorithms = new Set(alg === undefined ? fitting : fitting.filter((algorithm) => algorithm === named));
  if (algorithms.size === 0) return undefined;
  const bytes = key.export({ type: 'spki', format: 'der' });
  const id = createHash('sha256')
    .update(bytes)
    .update(alg ?? '')
    .digest('base64');
  return { id, key, kid, algorithms };
}
