/**
 * JSON Web Tokens, verified with a local key set. The host calls no other service to authenticate
 * callers.
 *
 * Invariants: no claim is used before the signature is verified, and the work that unknown callers
 * can cause is bounded, per network and in total (D-47, D-48).
 */
import { createHash } from 'node:crypto';
import { parseJson } from '../files/json.js';
import { BoundedMap } from './bounded-map.js';
import { type Identified, isPrincipal, unidentified } from './identity.js';
import { hasKey, isAlgorithm, isSignedBy, type Key, type KeySet, keysFor, type Signed } from './key-set.js';
import { Rate } from './rate.js';

/** Synchronized clocks differ by less. */
const CLOCK_TOLERANCE_MS = 10_000;
/**
 * How many valid and how many invalid tokens are cached. A signature check costs as much as a small
 * call.
 */
const REMEMBERED_MAX = 1000;
const FALSE_REMEMBERED_MS = 60_000;
/** How many invalid signatures this host checks per network, and in total. */
const FALSE_OF_NETWORK = { burst: 50, perSecond: 5 };
const FALSE_IN_ALL = { burst: 2000, perSecond: 500 };
const NETWORKS_MAX = 10_000;

/**
 * Token types for authentication (RFC 7519, RFC 9068). Others have another purpose: a logout token
 * gives no access.
 */
const TYPES: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'application/jwt', 'application/at+jwt']);

interface JwtSettings {
  /** The only `iss` that is accepted. */
  readonly issuer: string;
  /** `aud` must contain this. */
  readonly audience: string;
  readonly principalClaim: string;
  /** The longest time from `iat`, or from now if a token has none, to `exp`. */
  readonly lifetimeMaxMs: number;
}

type Claims = Readonly<Record<string, unknown>>;

interface Good {
  readonly claims: Claims;
  readonly signer: Key;
}

interface False {
  /** The signature may be valid with other keys. */
  readonly keys: KeySet;
  readonly untilMs: number;
}

export class JwtVerifier {
  readonly #keys: () => KeySet;
  readonly #settings: JwtSettings;
  readonly #good = new BoundedMap<Good>(REMEMBERED_MAX);
  readonly #false = new BoundedMap<False>(REMEMBERED_MAX);
  readonly #networks = new BoundedMap<Rate>(NETWORKS_MAX);
  readonly #all: Rate;
  readonly #clock: () => number;

  /** `clock` is monotonic, in milliseconds. */
  constructor(settings: JwtSettings, keys: () => KeySet, clock = () => performance.now()) {
    this.#settings = settings;
    this.#keys = keys;
    this.#clock = clock;
    this.#all = new Rate(FALSE_IN_ALL, clock);
  }

  /**
   * `network` is where the call came from. Invalid tokens from one network must not lock out
   * another.
   */
  identify(token: string, network: string, nowMs: number): Identified {
    let good: Good | undefined;
    try {
      good = this.#verify(token, network);
    } catch (error) {
      return refused((error as Error).message);
    }
    if (good === undefined) {
      return { ...refused('too many invalid tokens came before it.'), isTooMany: true };
    }
    const { claims, signer } = good;
    const problem = problemOf(claims, this.#settings, nowMs);
    if (problem !== undefined) return refused(problem);
    const principal = claims[this.#settings.principalClaim];
    if (!isPrincipal(principal)) return refused(`it has no usable claim "${this.#settings.principalClaim}".`);
    return {
      ok: true,
      source: 'jwt',
      principal,
      holds: (laterMs) => hasKey(this.#keys(), signer) && problemOf(claims, this.#settings, laterMs) === undefined,
    };
  }

  /**
   * Returns `undefined` if too many invalid tokens came before. Throws if the token is invalid; the
   * message does not quote it.
   */
  #verify(token: string, network: string): Good | undefined {
    const keys = this.#keys();
    const digest = createHash('sha256').update(token).digest('base64');
    const good = this.#good.get(digest);
    if (good !== undefined && hasKey(keys, good.signer)) return good;
    this.#good.delete(digest);
    const known = this.#false.get(digest);
    if (known?.keys === keys && this.#clock() < known.untilMs)
      throw new Error('its signature is invalid (cached result).');

    const { signed, payload } = read(token);
    const candidates = keysFor(keys, signed);
    if (candidates.length === 0) throw new Error('no key of the key set matches its header.');
    const ofNetwork = this.#networks.get(network) ?? new Rate(FALSE_OF_NETWORK, this.#clock);
    if (ofNetwork.isSpent() || this.#all.isSpent()) return undefined;
    const signer = candidates.find((key) => isSignedBy(key, signed));
    if (signer === undefined) {
      for (const rate of [ofNetwork, this.#all]) rate.take(candidates.length);
      this.#networks.set(network, ofNetwork);
      this.#false.set(digest, { keys, untilMs: this.#clock() + FALSE_REMEMBERED_MS });
      throw new Error('its signature is invalid.');
    }
    const found = { claims: objectFrom(payload, 'claims'), signer };
    this.#good.set(digest, found);
    return found;
  }
}

/** Splits a token into its parts (RFC 7515, section 3.1). The payload is not parsed. */
function read(token: string): { signed: Signed; payload: Buffer } {
  const parts = token.split('.');
  const [head = '', body = '', tail = ''] = parts;
  if (parts.length !== 3) throw new Error('it does not have three parts.');
  const [header, payload, signature] = [decode(head), decode(body), decode(tail)];
  const { alg, kid, typ, crit, b64 } = objectFrom(header, 'header');
  if (!isAlgorithm(alg)) throw new Error('its "alg" is not an accepted algorithm.');
  if (kid !== undefined && typeof kid !== 'string') throw new Error('its "kid" is not a string.');
  if (typ !== undefined && !(typeof typ === 'string' && TYPES.has(typ.toLowerCase()))) {
    throw new Error('its "typ" is not that of an access token.');
  }
  if (crit !== undefined || b64 !== undefined)
    throw new Error('its header requires an unsupported extension ("crit" or "b64").');
  return { signed: { alg, kid, input: Buffer.from(`${head}.${body}`), signature }, payload };
}

/** Why a token with a valid signature is not accepted; `undefined` if it is. */
function problemOf(claims: Claims, settings: JwtSettings, nowMs: number): string | undefined {
  const { iss, aud, exp, nbf, iat, cnf, events } = claims;
  const { issuer, audience, lifetimeMaxMs } = settings;
  if (iss !== issuer) return 'its "iss" is not access.jwt.issuer.';
  if (!(Array.isArray(aud) ? aud : [aud]).includes(audience)) return 'its "aud" does not contain access.jwt.audience.';
  if (!isTime(exp)) return 'it has no "exp".';
  if (nbf !== undefined && !isTime(nbf)) return 'its "nbf" is not a time.';
  if (iat !== undefined && !isTime(iat)) return 'its "iat" is not a time.';
  if (exp * 1000 + CLOCK_TOLERANCE_MS <= nowMs) return 'it has expired ("exp").';
  if (nbf !== undefined && nbf * 1000 - CLOCK_TOLERANCE_MS > nowMs) return 'it is not valid yet ("nbf").';
  if (iat !== undefined && iat * 1000 - CLOCK_TOLERANCE_MS > nowMs) return 'it was issued in the future ("iat").';
  if (exp * 1000 - (iat === undefined ? nowMs : iat * 1000) > lifetimeMaxMs) {
    return 'its lifetime is longer than access.jwt.lifetimeMaxMs.';
  }
  // RFC 8417: a report of an event, such as a logout, signed by the same issuer for the same
  // audience.
  if (events !== undefined) return 'it is a security event ("events").';
  // RFC 7800: a stolen token that is bound to a key must not work as a bearer token.
  if (cnf !== undefined) return 'it is bound to a key ("cnf"), and only bearer tokens are accepted.';
  return undefined;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** Canonical base64url (RFC 7515, appendix C). */
function decode(part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url');
  if (bytes.toString('base64url') !== part) throw new Error('a part of it is not base64url.');
  return bytes;
}

function objectFrom(bytes: Buffer, what: string): Claims {
  let value: unknown;
  try {
    value = parseJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    throw new Error(`its ${what} cannot be parsed: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`its ${what} is not a JSON object.`);
  return value as Claims;
}

function refused(why: string) {
  return unidentified(`The JWT is refused: ${why}`);
}
