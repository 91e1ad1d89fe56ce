/** Tokens and JWTs as a daemon takes them, from files that change while it runs. */
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { Metadata, status } from '@grpc/grpc-js';
import test from 'ava';
import { exportJWK, SignJWT } from 'jose';
import { call, failure } from '../harness/calls.js';
import { endOf, framed, WireClient } from '../harness/grpc-wire.js';
import { type Clients, Host, misuses, RELOAD_MS } from '../harness/host.js';
import { Files } from './files.js';

const roles = [{ role: 'viewer' as const, principals: ['*'] }];
const tokens = { alice: 'token-of-alice', bob: 'token-of-bob' };
const jwt = { issuer: 'https://id.example.com/', audience: 'wfdd' };

const getHost = ({ host }: Clients) => call(host.getHost.bind(host), {});

class Issuer {
  readonly #pair = generateKeyPairSync('ed25519');
  readonly #kid: string;

  constructor(kid: string) {
    this.#kid = kid;
  }

  async publicKey() {
    return { ...(await exportJWK(this.#pair.publicKey)), kid: this.#kid };
  }

  issue(subject: string, expires: string, audience = jwt.audience): Promise<string> {
    return new SignJWT({ sub: subject, iss: jwt.issuer, aud: audience })
      .setProtectedHeader({ alg: 'EdDSA', kid: this.#kid })
      .setExpirationTime(expires)
      .sign(this.#pair.privateKey);
  }
}

test.serial('a JWT lets in whom its issuer names, beside tokens, until its key is taken out', async (t) => {
  using files = new Files();
  const issuer = new Issuer('k1');
  const writeKeys = async (...issuers: Issuer[]) =>
    files.write('jwks.json', JSON.stringify({ keys: await Promise.all(issuers.map((each) => each.publicKey())) }));
  const jwksFile = await writeKeys(issuer);
  const access = { mode: 'authenticated' as const, tokensFile: files.writeTokens(tokens), roles };
  await using host = await Host.start({
    access: { ...access, reloadIntervalMs: RELOAD_MS, jwt: { ...jwt, jwksFile } },
  });
  const good = host.clients(await issuer.issue('carol', '5m'));
  await getHost(good);
  await getHost(good);
  await getHost(host.clients(tokens.alice));

  const bad = [
    issuer.issue('carol', '-1m'),
    issuer.issue('carol', '5m', 'another'),
    issuer.issue('', '5m'),
    new Issuer('k1').issue('carol', '5m'),
    new Issuer('k9').issue('carol', '5m'),
  ];
  for (const token of bad) t.is((await failure(getHost(host.clients(await token)))).code, status.UNAUTHENTICATED);
  t.is(host.log.lines('access-denied').length, bad.length);

  const next = new Issuer('k2');
  await writeKeys(next);
  await host.log.line('reloaded');
  t.is((await failure(getHost(good))).code, status.UNAUTHENTICATED);
  await getHost(host.clients(await next.issue('carol', '5m')));
  t.false(/eyJ|token-of/.test(JSON.stringify(host.log.all)));
});

test.serial('a flood of false JWTs is refused unlooked at, and callers who are known go on', async (t) => {
  using files = new Files();
  const issuer = new Issuer('k1');
  const jwksFile = files.write('jwks.json', JSON.stringify({ keys: [await issuer.publicKey()] }));
  await using host = await Host.start({ access: { mode: 'authenticated', roles, jwt: { ...jwt, jwksFile } } });
  const known = host.clients(await issuer.issue('carol', '5m'));
  await getHost(known);
  const stranger = new Issuer('k1');
  const attackers = Array.from({ length: 4 }, () => host.clients());
  const codes = new Map<number, number>();
  const attack = async ({ host: service }: Clients) => {
    for (let count = 0; count < 100; count += 1) {
      const metadata = new Metadata();
      metadata.set('authorization', `Bearer ${await stranger.issue(`mallory-${Math.random()}`, '5m')}`);
      const { code, quota } = await failure(call(service.getHost.bind(service), {}, undefined, metadata));
      codes.set(code, (codes.get(code) ?? 0) + 1);
      if (code === status.RESOURCE_EXHAUSTED) t.truthy(quota);
    }
  };
  const startMs = performance.now();
  await Promise.all([...attackers.map(attack), ...Array.from({ length: 20 }, () => getHost(known))]);
  const checked = codes.get(status.UNAUTHENTICATED) ?? 0;
  t.true(checked >= 50, 'the first are looked at');
  t.true(checked <= 50 + 5 * Math.ceil((performance.now() - startMs) / 1000), `${checked} were looked at`);
  t.true((codes.get(status.RESOURCE_EXHAUSTED) ?? 0) > 0);
  t.is(codes.get(status.OK), undefined);
  await getHost(known);
});

test.serial('who is refused keeps no stream, though the request never ends', async (t) => {
  using files = new Files();
  await using host = await Host.start({
    access: { mode: 'authenticated', tokensFile: files.writeTokens(tokens), roles },
  });
  using client = new WireClient(host.address);
  const { status: told } = await endOf(client.start('wifidirect.v1.HostService/GetHost'));
  t.is(told?.code, status.UNAUTHENTICATED);
});

test.serial('a stream of reflection ends when the token of its caller is taken back', async (t) => {
  using files = new Files();
  const tokensFile = files.writeTokens(tokens);
  await using host = await Host.start({
    access: { mode: 'authenticated', tokensFile, reloadIntervalMs: RELOAD_MS, roles },
  });
  using client = new WireClient(host.address);
  const headers = { authorization: `Bearer ${tokens.bob}` };
  const stream = client.start('grpc.reflection.v1.ServerReflection/ServerReflectionInfo', headers);
  const answered = once(stream, 'data');
  const ended = endOf(stream);
  const listServices = Buffer.from('3a012a', 'hex');
  stream.write(framed(listServices));
  await answered;
  files.writeTokens({ alice: tokens.alice });
  t.is((await ended).status?.code, status.UNAUTHENTICATED);
});

test.serial('a file of tokens that is wrong leaves the former ones in force, and the log says so once', async (t) => {
  using files = new Files();
  const tokensFile = files.writeTokens(tokens);
  await using host = await Host.start({
    access: { mode: 'authenticated', tokensFile, reloadIntervalMs: RELOAD_MS, roles },
  });
  files.write('tokens', '- principal: alice\n  hash: token-of-alice\n');
  const { level, msg } = await host.log.line('reload-failed');
  t.is(level, 'error');
  t.regex(msg, /0\.hash must be "sha256:"/);
  await getHost(host.clients(tokens.alice));
  files.writeTokens({ alice: tokens.alice });
  await host.log.line('reloaded');
  t.is(host.log.lines('reload-failed').length, 1);
  await getHost(host.clients(tokens.alice));
  t.is((await failure(getHost(host.clients(tokens.bob)))).code, status.UNAUTHENTICATED);
});

test.serial('why a credential is refused stands in the log, and the caller always hears the same', async (t) => {
  using files = new Files();
  const tokensFile = files.writeTokens(tokens, { bob: '2020-01-01T00:00:00Z' });
  await using host = await Host.start({ access: { mode: 'authenticated', tokensFile, roles } });
  const expired = await failure(getHost(host.clients(tokens.bob)));
  t.is(expired.code, status.UNAUTHENTICATED);
  t.like(expired.info, { reason: 'UNAUTHENTICATED', metadata: {} });
  t.deepEqual(await failure(getHost(host.clients('unknown-token'))), expired);
  t.deepEqual(await failure(getHost(host.clients())), expired);
  const reasons = host.log.lines('access-denied').map(({ msg, principal }) => [msg.split(': ')[1], principal]);
  t.deepEqual(reasons, [
    ['The token has expired.', 'bob'],
    ['The token is unknown.', undefined],
    ['The call has no credential.', undefined],
  ]);
});

test.serial('a principal without a role may do nothing, and hears which RPC it was', async (t) => {
  using files = new Files();
  const tokensFile = files.writeTokens(tokens);
  const bound = [{ role: 'viewer' as const, principals: ['alice'] }];
  await using host = await Host.start({ access: { mode: 'authenticated', tokensFile, roles: bound } });
  await getHost(host.clients(tokens.alice));
  const denied = await failure(getHost(host.clients(tokens.bob)));
  t.is(denied.code, status.PERMISSION_DENIED);
  t.like(denied.info, { reason: 'PERMISSION_DENIED', metadata: { rpc: 'wifidirect.v1.HostService/GetHost' } });
});

test.serial('a daemon whose tokens cannot be used does not start, and does not quote them', async (t) => {
  using files = new Files();
  const tokensFile = files.write('tokens', 'token-of-alice');
  const error = await t.throwsAsync(Host.start({ access: { mode: 'authenticated', tokensFile, roles } }));
  t.is(error?.message, 'The tokens cannot be used: The file must be a list of tokens.');
});

test.after('nothing was misused', (t) => {
  t.deepEqual(misuses(), []);
});
