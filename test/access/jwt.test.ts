import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import test from 'ava';
import { exportJWK, exportSPKI, SignJWT } from 'jose';
import { JwtVerifier, parseKeySet } from '../../service/access/jwt.js';

const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const trusted = pair();
const stranger = pair();
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

const settings = { issuer: 'https://id.example.com/', audience: 'wfdd', principalClaim: 'sub' };
const secondsFromNow = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;
const claims = { iss: settings.issuer, aud: settings.audience, sub: 'backend', exp: secondsFromNow(600) };

async function jwk({ publicKey }: { publicKey: KeyObject }, kid: string) {
  return { ...(await exportJWK(publicKey)), kid };
}

const keys = JSON.stringify({ keys: [await jwk(trusted, 'ec-1'), await jwk(rsa, 'rsa-1')] });

function sign(payload: object, header: object = {}, key: KeyObject = trusted.privateKey): Promise<string> {
  return new SignJWT({ ...payload }).setProtectedHeader({ alg: 'ES256', kid: 'ec-1', ...header }).sign(key);
}

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

function verifier(text = keys, changed = {}): JwtVerifier {
  const keySet = parseKeySet(text);
  return new JwtVerifier({ ...settings, ...changed }, () => keySet);
}

test('a good JWT is its subject, by any asymmetric algorithm', async (t) => {
  t.deepEqual(await verifier().identify(await sign(claims), Date.now()), { ok: true, principal: 'backend' });
  for (const alg of ['RS256', 'PS512']) {
    const token = await sign(claims, { alg, kid: 'rsa-1' }, rsa.privateKey);
    t.deepEqual(await verifier().identify(token, Date.now()), { ok: true, principal: 'backend' }, alg);
  }
});

test('the claim that names the principal is as configured', async (t) => {
  const token = await sign({ ...claims, client_id: 'fleet-7' });
  const identified = await verifier(keys, { principalClaim: 'client_id' }).identify(token, Date.now());
  t.deepEqual(identified, { ok: true, principal: 'fleet-7' });
});

test('clocks may differ by a little', async (t) => {
  t.true((await verifier().identify(await sign({ ...claims, exp: secondsFromNow(-5) }), Date.now())).ok);
  t.true((await verifier().identify(await sign({ ...claims, nbf: secondsFromNow(5) }), Date.now())).ok);
});

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
  'is no JWT': async () => 'a.b.c',
  'is empty': async () => '..',
};

for (const [what, make] of Object.entries(refused)) {
  test(`a JWT is refused that ${what}`, async (t) => {
    const token = await make();
    const identified = await verifier().identify(token, Date.now());
    if (identified.ok) return t.fail(`it is ${identified.principal}`);
    t.regex(identified.why, /^The JWT /);
    for (const part of token.split('.').filter((text) => text.length > 1)) t.false(identified.why.includes(part));
  });
}

test('a JWT that was good is asked for its expiry again each time', async (t) => {
  const asked = verifier();
  const token = await sign(claims);
  const expireTimeMs = claims.exp * 1000;
  t.true((await asked.identify(token, expireTimeMs - 1000)).ok);
  t.true((await asked.identify(token, expireTimeMs - 1)).ok);
  t.true((await asked.identify(token, expireTimeMs + 5000)).ok, 'within the tolerance');
  t.false((await asked.identify(token, expireTimeMs + 15_000)).ok);
});

test('a JWT that was good is refused once its key is gone', async (t) => {
  let keySet = parseKeySet(keys);
  const changing = new JwtVerifier(settings, () => keySet);
  const token = await sign(claims);
  t.true((await changing.identify(token, Date.now())).ok);
  keySet = parseKeySet(JSON.stringify({ keys: [await jwk(stranger, 'ec-1')] }));
  t.false((await changing.identify(token, Date.now())).ok);
});

test('a key that nobody knows what to do with leaves the others in force', async (t) => {
  const keySet = JSON.stringify({ keys: [{ kty: 'AKP', kid: 'new' }, await jwk(trusted, 'ec-1')] });
  t.true((await verifier(keySet).identify(await sign(claims), Date.now())).ok);
});

test('a key set that is wrong is refused, without its text', async (t) => {
  const secret = 'c2VjcmV0LXNlY3JldC1zZWNyZXQ';
  const wrong: [text: string, message: RegExp][] = [
    [`{"keys": [${secret}`, /^It is not valid JSON/],
    [`["${secret}"]`, /^The file /],
    ['{"keys": []}', /^keys must have a key/],
    [
      JSON.stringify({ keys: [{ kty: 'EC', crv: 'P-256', x: secret, y: secret }] }),
      /^keys must have a key that can be/,
    ],
    [JSON.stringify({ keys: [{ kty: secret }] }), /^keys must have a key that can be/],
    [JSON.stringify({ keys: [{ kty: 'oct', k: secret }] }), /^keys\.0 is a shared key/],
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
