import { createHmac, generateKeyPairSync, type KeyObject, sign as signBytes } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { createLocalJWKSet, exportJWK, exportSPKI, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose';
import type { Identified } from '../../service/access/identity.js';
import { JwtVerifier } from '../../service/access/jwt.js';
import { type KeySet, parseKeySet } from '../../service/access/key-set.js';

const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const trusted = pair();
const stranger = pair();
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

const settings = {
  issuer: 'https://id.example.com/',
  audience: 'wfdd',
  principalClaim: 'sub',
  lifetimeMaxMs: 3_600_000,
};
const secondsFromNow = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;
const claims = { iss: settings.issuer, aud: settings.audience, sub: 'backend', exp: secondsFromNow(600) };

async function jwk({ publicKey }: { publicKey: KeyObject }, kid: string) {
  return { ...(await exportJWK(publicKey)), kid };
}

const keys = JSON.stringify({ keys: [await jwk(trusted, 'ec-1'), await jwk(rsa, 'rsa-1')] });

function sign(payload: object, header: object = {}, key: KeyObject = trusted.privateKey): Promise<string> {
  return new SignJWT({ ...payload }).setProtectedHeader({ alg: 'ES256', kid: 'ec-1', ...header }).sign(key);
}

/** A key set of this one key, by the name `own`. */
async function setOf(pair: { publicKey: KeyObject }, more: object = {}): Promise<string> {
  return JSON.stringify({ keys: [{ ...(await jwk(pair, 'own')), ...more }] });
}

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

function verifier(text = keys, changed = {}) {
  const keySet = parseKeySet(text);
  return verifierOf(() => keySet, changed);
}

/** As one caller of one network asks. */
function verifierOf(keySet: () => KeySet, changed = {}, clock = () => performance.now()) {
  const verifier = new JwtVerifier({ ...settings, ...changed }, keySet, clock);
  return {
    identify: (token: string, nowMs: number, network = '192.0.2.1') => verifier.identify(token, network, nowMs),
  };
}

test('a good JWT is its subject, by any asymmetric algorithm', async (t) => {
  t.like(verifier().identify(await sign(claims), Date.now()), { ok: true, source: 'jwt', principal: 'backend' });
  for (const alg of ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']) {
    const token = await sign(claims, { alg, kid: 'rsa-1' }, rsa.privateKey);
    t.like(verifier().identify(token, Date.now()), { ok: true, principal: 'backend' }, alg);
  }
  for (const [alg, namedCurve] of [['ES384', 'P-384'] as const, ['ES512', 'P-521'] as const]) {
    const own = generateKeyPairSync('ec', { namedCurve });
    const token = await sign(claims, { alg, kid: 'own' }, own.privateKey);
    t.like(verifier(await setOf(own)).identify(token, Date.now()), { ok: true }, alg);
  }
  const own = generateKeyPairSync('ed25519');
  for (const alg of ['EdDSA', 'Ed25519']) {
    const token = await sign(claims, { alg, kid: 'own' }, own.privateKey);
    t.like(verifier(await setOf(own)).identify(token, Date.now()), { ok: true }, alg);
  }
});

test('the claim that names the principal is as configured', async (t) => {
  const token = await sign({ ...claims, client_id: 'fleet-7' });
  const identified = verifier(keys, { principalClaim: 'client_id' }).identify(token, Date.now());
  t.like(identified, { ok: true, principal: 'fleet-7' });
});

test('clocks may differ by a little', async (t) => {
  t.true(verifier().identify(await sign({ ...claims, exp: secondsFromNow(-5) }), Date.now()).ok);
  t.true(verifier().identify(await sign({ ...claims, nbf: secondsFromNow(5) }), Date.now()).ok);
});

/** Signed as it is, also where a library would refuse to make it. */
function signRaw(header: object, payload: string | Buffer): string {
  const input = `${base64url(header)}.${Buffer.from(payload).toString('base64url')}`;
  const key = { key: trusted.privateKey, dsaEncoding: 'ieee-p1363' } as const;
  return `${input}.${signBytes('sha256', Buffer.from(input), key).toString('base64url')}`;
}

const { exp: _, ...withoutExpiry } = claims;
const refused: Record<string, () => Promise<string>> = {
  'has expired': () => sign({ ...claims, exp: secondsFromNow(-60) }),
  'never expires': () => sign(withoutExpiry),
  'is not valid yet': () => sign({ ...claims, nbf: secondsFromNow(60) }),
  'is meant for another audience': () => sign({ ...claims, aud: 'another' }),
  'is of another issuer': () => sign({ ...claims, iss: 'https://evil.example.com/' }),
  'has neither audience nor issuer': () => sign({ sub: 'backend', exp: claims.exp }),
  'has no subject': () => sign({ ...claims, sub: undefined }),
  'has an empty subject': () => sign({ ...claims, sub: '' }),
  'has a subject that is no text': () => sign({ ...claims, sub: { $ne: null } }),
  'names a key that is unknown': () => sign(claims, { kid: 'ec-2' }),
  'names a known key and is signed with another': () => sign(claims, {}, stranger.privateKey),
  'brings its own key': async () =>
    sign(claims, { kid: undefined, jwk: await exportJWK(stranger.publicKey) }, stranger.privateKey),
  'is not signed': async () => `${base64url({ alg: 'none' })}.${base64url(claims)}.`,
  'says none and the name of a key': async () => `${base64url({ alg: 'none', kid: 'ec-1' })}.${base64url(claims)}.`,
  'was changed after it was signed': async () => {
    const [header, , signature] = (await sign(claims)).split('.');
    return `${header}.${base64url({ ...claims, sub: 'admin' })}.${signature}`;
  },
  'is signed by HS256 with the public key': async () => {
    const body = `${base64url({ alg: 'HS256', kid: 'rsa-1' })}.${base64url(claims)}`;
    const mac = createHmac('sha256', await exportSPKI(rsa.publicKey))
      .update(body)
      .digest('base64url');
    return `${body}.${mac}`;
  },
  'is a logout token': () => sign(claims, { typ: 'logout+jwt' }),
  'reports an event': () => sign({ ...claims, events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }),
  'is a proof of possession': () => sign(claims, { typ: 'dpop+jwt' }),
  'is bound to a key': () => sign({ ...claims, cnf: { jkt: 'abc' } }),
  'lives too long': () => sign({ ...claims, iat: secondsFromNow(-10), exp: secondsFromNow(3600) }),
  'lives too long from now on': () => sign({ ...claims, exp: secondsFromNow(3700) }),
  'was issued in the future': () => sign({ ...claims, iat: secondsFromNow(60) }),
  'has an expiry that is no number': () => sign({ ...claims, exp: '2099-01-01' }),
  'demands an extension': async () => signRaw({ alg: 'ES256', kid: 'ec-1', crit: ['x'], x: 1 }, JSON.stringify(claims)),
  'has a claim twice': async () =>
    signRaw({ alg: 'ES256', kid: 'ec-1' }, JSON.stringify(claims).replace('{', '{"sub":"admin",')),
  'has a claim twice, written otherwise': async () =>
    signRaw({ alg: 'ES256', kid: 'ec-1' }, JSON.stringify(claims).replace('{', '{"s\\u0075b":"admin",')),
  'has a member twice, deep within': async () =>
    signRaw({ alg: 'ES256', kid: 'ec-1' }, JSON.stringify(claims).replace('{', '{"x":[{"a":1,"a":2}],')),
  'has claims that are no object': async () => signRaw({ alg: 'ES256', kid: 'ec-1' }, '["sub"]'),
  'has claims that are no UTF-8': async () =>
    signRaw({ alg: 'ES256', kid: 'ec-1' }, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])),
  'is encoded in a second way': async () => {
    const token = await sign(claims);
    const last = token.at(-1) ?? '';
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    return `${token.slice(0, -1)}${alphabet[alphabet.indexOf(last) ^ 1]}`;
  },
  'is no JWT': async () => 'a.b.c',
  'is empty': async () => '..',
};

for (const [what, make] of Object.entries(refused)) {
  test(`a JWT is refused that ${what}`, async (t) => {
    const token = await make();
    const identified = verifier().identify(token, Date.now());
    if (identified.ok) return t.fail(`it is ${identified.principal}`);
    t.regex(identified.why, /^The JWT /);
    for (const part of token.split('.').filter((text) => text.length > 1)) t.false(identified.why.includes(part));
  });
}

test('a JWT that was good is asked for its expiry again each time', async (t) => {
  const asked = verifier();
  const token = await sign(claims);
  const expireTimeMs = claims.exp * 1000;
  t.true(asked.identify(token, expireTimeMs - 1000).ok);
  t.true(asked.identify(token, expireTimeMs - 1).ok);
  t.true(asked.identify(token, expireTimeMs + 5000).ok, 'within the tolerance');
  t.false(asked.identify(token, expireTimeMs + 15_000).ok);
});

test('a JWT that was good is refused once its key is gone', async (t) => {
  let keySet = parseKeySet(keys);
  const changing = verifierOf(() => keySet);
  const token = await sign(claims);
  t.true(changing.identify(token, Date.now()).ok);
  keySet = parseKeySet(JSON.stringify({ keys: [await jwk(stranger, 'ec-1')] }));
  t.false(changing.identify(token, Date.now()).ok);
});

test('a key that nobody knows what to do with leaves the others in force', async (t) => {
  const keySet = JSON.stringify({ keys: [{ kty: 'AKP', kid: 'new' }, await jwk(trusted, 'ec-1')] });
  t.true(verifier(keySet).identify(await sign(claims), Date.now()).ok);
});

test('a key set that is wrong is refused, without its text', async (t) => {
  const secret = 'c2VjcmV0LXNlY3JldC1zZWNyZXQ';
  const wrong: [text: string, message: RegExp][] = [
    [`{"keys": [${secret}`, /^It is not valid JSON/],
    [`["${secret}"]`, /^The file /],
    ['{"keys": []}', /^keys must contain at least one/],
    [
      JSON.stringify({ keys: [{ kty: 'EC', crv: 'P-256', x: secret, y: secret }] }),
      /^keys must contain at least one usable key/,
    ],
    [JSON.stringify({ keys: [{ kty: secret }] }), /^keys must contain at least one usable key/],
    [JSON.stringify({ keys: [{ kty: 'oct', k: secret }] }), /^keys\.0 is a symmetric key/],
    [
      JSON.stringify({ keys: [{ ...(await exportJWK(trusted.privateKey)), kid: secret }] }),
      /^keys\.0 is a private key/,
    ],
  ];
  for (const [text, message] of wrong) {
    const error = t.throws(() => parseKeySet(text));
    t.regex(error?.message ?? '', message);
    t.false(error?.message.includes(secret));
  }
});

test('a token names its type as an access token may, in any case', async (t) => {
  for (const typ of ['JWT', 'at+jwt', 'AT+JWT', 'application/at+jwt']) {
    t.true(verifier().identify(await sign(claims, { typ }), Date.now()).ok, typ);
  }
});

test('each key that fits is tried, where a token names none or several have its name', async (t) => {
  const [one, two] = [pair(), pair()];
  const both = async (kids: readonly [string?, string?]) => {
    const listed = await Promise.all([one, two].map(({ publicKey }) => exportJWK(publicKey)));
    return JSON.stringify({ keys: listed.map((key, index) => ({ ...key, kid: kids[index] })) });
  };
  for (const kids of [['a', 'b'], ['a', 'a'], []] as const) {
    const asked = verifier(await both(kids));
    for (const { privateKey } of [one, two]) {
      const kid = kids[0] === kids[1] ? kids[0] : undefined;
      t.true(asked.identify(await sign(claims, { kid }, privateKey), Date.now()).ok, kids.join());
    }
    t.false(asked.identify(await sign(claims, { kid: undefined }, stranger.privateKey), Date.now()).ok);
  }
});

test('a key is used as the set says: for signatures, by its algorithm, and long enough', async (t) => {
  const token = await sign(claims, { alg: 'RS256', kid: 'own' }, rsa.privateKey);
  t.true(verifier(await setOf(rsa, { use: 'sig', alg: 'RS256', key_ops: ['verify'] })).identify(token, Date.now()).ok);
  t.false(verifier(await setOf(rsa, { alg: 'PS256' })).identify(token, Date.now()).ok);
  for (const more of [{ use: 'enc' }, { key_ops: ['encrypt'] }, { alg: 'RSA-OAEP' }]) {
    const text = await setOf(rsa, more);
    t.throws(() => parseKeySet(text), { message: /must contain at least one usable key/ });
  }
  const short = await setOf(generateKeyPairSync('rsa', { modulusLength: 1024 }));
  t.throws(() => parseKeySet(short), { message: /must contain at least one usable key/ });
});

test('who is known by a JWT is so until it expires or its key leaves, however the set is written', async (t) => {
  let keySet = parseKeySet(keys);
  const identified = verifierOf(() => keySet).identify(await sign(claims), Date.now());
  if (!identified.ok) return t.fail(identified.why);
  t.true(identified.holds(Date.now()));
  t.false(identified.holds((claims.exp + 11) * 1000));
  keySet = parseKeySet(JSON.stringify({ keys: [await jwk(rsa, 'rsa-1'), await jwk(trusted, 'renamed')] }));
  t.true(identified.holds(Date.now()));
  keySet = parseKeySet(JSON.stringify({ keys: [await jwk(rsa, 'rsa-1')] }));
  t.false(identified.holds(Date.now()));
});

test('false tokens of one network are soon not looked at, while those of others and known ones are', async (t) => {
  let clockMs = 0;
  const keySet = parseKeySet(keys);
  const asked = verifierOf(
    () => keySet,
    {},
    () => clockMs,
  );
  const known = await sign(claims);
  t.true(asked.identify(known, Date.now()).ok);
  const falseOnes = await Promise.all(
    Array.from({ length: 60 }, (_, index) => sign({ ...claims, jti: index }, {}, stranger.privateKey)),
  );
  const outcomes = falseOnes.map((token) => asked.identify(token, Date.now()));
  const isTooMany = outcomes.map((outcome) => !outcome.ok && outcome.isTooMany === true);
  t.is(isTooMany.indexOf(true), 50);
  t.true(asked.identify(known, Date.now()).ok);
  const another = await sign({ ...claims, sub: 'another' });
  t.like(asked.identify(another, Date.now()), { ok: false, isTooMany: true });
  t.true(asked.identify(another, Date.now(), '192.0.2.2').ok);
  clockMs += 1000;
  t.true(asked.identify(await sign({ ...claims, sub: 'a third' }), Date.now()).ok);
});

test('a token that was found false is not checked again, until there are other keys', async (t) => {
  let keySet = parseKeySet(keys);
  const asked = verifierOf(
    () => keySet,
    {},
    () => 0,
  );
  const token = await sign(claims, {}, stranger.privateKey);
  t.regex(whyOf(asked.identify(token, Date.now())), /signature is invalid\.$/);
  for (let count = 0; count < 100; count += 1) {
    t.regex(whyOf(asked.identify(token, Date.now())), /signature is invalid \(cached result\)\.$/);
  }
  keySet = parseKeySet(JSON.stringify({ keys: [await jwk(stranger, 'ec-1')] }));
  t.true(asked.identify(token, Date.now()).ok);
});

/** What its tokens are signed with is not in the key set. */
const signFalse = (jti: number) => sign({ ...claims, jti }, {}, stranger.privateKey);

test('no more tokens are remembered, good or false, than their bound, and the oldest go first', async (t) => {
  const keySet = parseKeySet(keys);
  let clockMs = 0;
  let lookups = 0;
  // The keys are only looked through for a token that is not remembered.
  const counted = Object.assign([...keySet], {
    filter: (...args: Parameters<typeof keySet.filter>) => {
      lookups += 1;
      return keySet.filter(...args);
    },
  }) as unknown as KeySet;
  const asked = verifierOf(
    () => counted,
    {},
    () => clockMs,
  );
  const lookedUp = (token: string) => {
    const before = lookups;
    asked.identify(token, Date.now());
    return lookups > before;
  };
  for (const make of [(jti: number) => sign({ ...claims, jti }), signFalse]) {
    const first = await make(0);
    t.true(lookedUp(first));
    t.false(lookedUp(first), 'it is remembered');
    for (let jti = 1; jti < 1000; jti += 1) {
      // No network may show so many false ones at once, and none is remembered for long.
      if (make === signFalse && jti % 40 === 0) clockMs += 8000 / 25;
      asked.identify(await make(jti), Date.now(), `192.0.2.${Math.floor(jti / 40)}`);
    }
    t.false(lookedUp(first), 'so many are');
    await asked.identify(await make(1000), Date.now(), '192.0.2.200');
    t.true(lookedUp(first), 'and one more takes its place');
  }
});

test('all networks together may show so many false tokens, and no more', async (t) => {
  const keySet = parseKeySet(keys);
  const asked = verifierOf(
    () => keySet,
    {},
    () => 0,
  );
  for (let jti = 0; jti < 2000; jti += 1) {
    const network = `2001:db8:${Math.floor(jti / 40)}::`;
    t.regex(whyOf(asked.identify(await signFalse(jti), Date.now(), network)), /signature is invalid\.$/);
  }
  t.like(asked.identify(await signFalse(2000), Date.now(), '192.0.2.9'), { ok: false, isTooMany: true });
});

test('each key that a false token is tried with counts', async (t) => {
  const many = Array.from({ length: 25 }, pair);
  const listed = await Promise.all(many.map(({ publicKey }) => exportJWK(publicKey)));
  const keySet = parseKeySet(JSON.stringify({ keys: listed }));
  const asked = verifierOf(
    () => keySet,
    {},
    () => 0,
  );
  const outcomes: boolean[] = [];
  for (let jti = 0; jti < 3; jti += 1) {
    const token = await sign({ ...claims, jti }, { kid: undefined }, stranger.privateKey);
    const outcome = asked.identify(token, Date.now());
    outcomes.push(!outcome.ok && outcome.isTooMany === true);
  }
  t.deepEqual(outcomes, [false, false, true], 'fifty are');
});

test('a false token is looked at anew after a minute', async (t) => {
  let clockMs = 0;
  const keySet = parseKeySet(keys);
  const asked = verifierOf(
    () => keySet,
    {},
    () => clockMs,
  );
  const token = await signFalse(0);
  t.regex(whyOf(asked.identify(token, Date.now())), /signature is invalid\.$/);
  clockMs = 59_999;
  t.regex(whyOf(asked.identify(token, Date.now())), /cached result\)\.$/);
  clockMs = 60_000;
  t.regex(whyOf(asked.identify(token, Date.now())), /signature is invalid\.$/);
});

test('a token may have been issued a little in the future, as clocks differ', async (t) => {
  t.true(verifier().identify(await sign({ ...claims, iat: secondsFromNow(5) }), Date.now()).ok);
  t.false(verifier().identify(await sign({ ...claims, iat: secondsFromNow(15) }), Date.now()).ok);
});

test('a key set has 32 keys at most', async (t) => {
  const { publicKey } = trusted;
  const set = async (count: number) => {
    const key = await exportJWK(publicKey);
    return JSON.stringify({ keys: Array.from({ length: count }, (_, n) => ({ ...key, kid: `key-${n}` })) });
  };
  t.is(parseKeySet(await set(32)).length, 32);
  const tooMany = await set(33);
  t.throws(() => parseKeySet(tooMany), { message: 'keys must contain at most 32 keys.' });
});

test('who is known by a JWT is so no longer when its key is for another algorithm', async (t) => {
  let keySet = parseKeySet(await setOf(rsa, { alg: 'RS256' }));
  const token = await sign(claims, { alg: 'RS256', kid: 'own' }, rsa.privateKey);
  const identified = verifierOf(() => keySet).identify(token, Date.now());
  if (!identified.ok) return t.fail(identified.why);
  t.true(identified.holds(Date.now()));
  keySet = parseKeySet(await setOf(rsa, { alg: 'PS256' }));
  t.false(identified.holds(Date.now()));
});

const whyOf = (identified: Identified) => (identified.ok ? 'it is good' : identified.why);

test('what is judged good and false is what jose judges so', async (t) => {
  const jwks = createLocalJWKSet(JSON.parse(keys) as JSONWebKeySet);
  const options = { issuer: settings.issuer, audience: settings.audience, requiredClaims: ['exp'], clockTolerance: 10 };
  const seed = Date.now();
  t.log(`seed ${seed}`);
  const altered = fc.record({
    claim: fc.constantFrom('iss', 'aud', 'exp', 'nbf', 'iat', 'sub', 'x'),
    value: fc.oneof(
      fc.constantFrom(settings.issuer, settings.audience, 'a'),
      fc.integer(),
      fc.constant([settings.audience]),
    ),
    kid: fc.constantFrom('ec-1', 'rsa-1', 'none', undefined),
    isOurs: fc.boolean(),
    cut: fc.nat(3),
  });
  const property = fc.asyncProperty(altered, async ({ claim, value, kid, isOurs, cut }) => {
    const key = isOurs ? trusted.privateKey : stranger.privateKey;
    const whole = await sign({ ...claims, sub: 'backend', [claim]: value }, { kid }, key);
    const token = cut === 0 ? whole.slice(0, -4) : whole;
    const judged = verifier(keys, { lifetimeMaxMs: Number.MAX_SAFE_INTEGER }).identify(token, Date.now());
    const expected = await jwtVerify(token, jwks, options).then(
      ({ payload }) => typeof payload.sub === 'string' && payload.sub !== '' && !isFuture(payload.iat),
      () => false,
    );
    t.is(judged.ok, expected, `${whyOf(judged)} ${claim} ${JSON.stringify(value)} ${kid}`);
  });
  await fc.assert(property, { seed, numRuns: 500 });
});

/** The one thing that jose lets pass and this host doesn't. */
const isFuture = (iat: number | undefined) => iat !== undefined && iat > secondsFromNow(10);
