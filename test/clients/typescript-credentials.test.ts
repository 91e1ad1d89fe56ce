/** Who the client says it is, whom it believes, and what it never sends in clear text. */
import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerCredentials, status } from '@grpc/grpc-js';
import test from 'ava';
import { firstValueFrom } from 'rxjs';
import { type ConnectOptions, connect, GatewayError, type TlsOptions } from '../../clients/typescript/src/client.js';
import { type Issued, makeAuthority } from '../access/authority.js';
import { authority } from './typescript-certificates.js';
import { type Handlers, type Host, session, startHost } from './typescript-host.js';

const ca = authority('Test Authority');
const server = ca.issue('host.example', ['127.0.0.1']);
const agent = ca.issue('fleet-agent');
const folder = mkdtempSync(join(tmpdir(), 'credentials-'));

/** What the hosts saw: the token of each call, and the name in the client's certificate. */
const seen: { token: string | undefined; principal: string | undefined }[] = [];
const handlers: Handlers = {
  getSession: (call, answer) => {
    const [token] = call.metadata.get('authorization');
    const principal = call.getAuthContext().sslPeerCertificate?.subject.CN;
    seen.push({ token: token?.toString(), principal: principal?.toString() });
    answer(null, { session: session('OPEN'), cursor: 'c1', hostTime: undefined });
  },
  watchSessions: (call) => {
    const [token] = call.metadata.get('authorization');
    seen.push({ token: token?.toString(), principal: undefined });
    call.write({ events: [], cursor: 'c1', snapshot: [], snapshotComplete: true, hostTime: undefined });
  },
};

const hosts: Record<'plain' | 'tls' | 'mutual', Host | undefined> = {
  plain: undefined,
  tls: undefined,
  mutual: undefined,
};
const identity = { private_key: Buffer.from(server.key), cert_chain: Buffer.from(server.cert) };

test.before(async () => {
  hosts.plain = await startHost(handlers);
  hosts.tls = await startHost(handlers, ServerCredentials.createSsl(null, [identity]));
  hosts.mutual = await startHost(handlers, ServerCredentials.createSsl(Buffer.from(ca.cert), [identity], true));
});
test.after.always(() => {
  for (const host of Object.values(hosts)) host?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function seenBy(host: keyof typeof hosts, options?: ConnectOptions) {
  const client = connect(hosts[host]?.address ?? '', options);
  try {
    await client.sessions.get('a-session');
    return seen.at(-1);
  } finally {
    client.close();
  }
}

test.serial('on this machine, nothing needs to be said', async (t) => {
  t.deepEqual(await seenBy('plain'), { token: undefined, principal: undefined });
});

test.serial('a token goes with every call, over TLS', async (t) => {
  const options = { tls: { ca: ca.cert }, token: 'secret' };
  t.deepEqual(await seenBy('tls', options), { token: 'Bearer secret', principal: undefined });
});

test.serial('a token goes with every call on this machine, streams too', async (t) => {
  t.is((await seenBy('plain', { token: 'secret' }))?.token, 'Bearer secret');
  const client = connect(hosts.plain?.address ?? '', { token: 'other' });
  await firstValueFrom(client.sessions.watch());
  t.is(seen.at(-1)?.token, 'Bearer other');
  client.close();
});

test.serial('a token that changes is asked for at each call', async (t) => {
  let count = 0;
  const client = connect(hosts.plain?.address ?? '', { token: async () => `token-${++count}` });
  await client.sessions.get('a-session');
  await client.sessions.get('a-session');
  t.deepEqual(
    seen.slice(-2).map(({ token }) => token),
    ['Bearer token-1', 'Bearer token-2'],
  );
  client.close();
});

test.serial('a token that can not be had fails the call', async (t) => {
  const unlucky = async () => {
    throw new Error('the vault is sealed');
  };
  await t.throwsAsync(seenBy('plain', { token: unlucky }), {
    instanceOf: GatewayError,
    message: /the vault is sealed/,
  });
});

for (const token of ['secret\n', 'sécret', 'sec\u0000ret']) {
  test.serial(`a token that no header can hold is refused, and not shown: ${JSON.stringify(token)}`, async (t) => {
    const isNotShown = (error: Error): boolean => /header/.test(error.message) && !error.message.includes(token);
    t.true(isNotShown(t.throws(() => connect('localhost:1', { token }), { instanceOf: GatewayError })));
    t.true(isNotShown(await t.throwsAsync(seenBy('plain', { token: () => token }), { instanceOf: GatewayError })));
  });
}

for (const address of [
  'host.example:50051',
  '10.0.0.7:50051',
  'dns:///host.example',
  'localhost.example:1',
  '::1:5005',
]) {
  test(`a token never goes to ${address} in clear text`, (t) => {
    t.throws(() => connect(address, { tls: false, token: 'secret' }), {
      instanceOf: GatewayError,
      message: /clear text/,
    });
  });
}

test.serial('a certificate names the client, from text, bytes or files', async (t) => {
  for (const [name, text] of [
    ['ca', ca.cert],
    ['cert', agent.cert],
    ['key', agent.key],
  ] as const) {
    writeFileSync(join(folder, `${name}.pem`), text);
  }
  const file = (name: string) => ({ file: join(folder, `${name}.pem`) });
  for (const tls of [
    { ca: ca.cert, cert: agent.cert, key: agent.key },
    { ca: Buffer.from(ca.cert), cert: Buffer.from(agent.cert), key: Buffer.from(agent.key) },
    { ca: file('ca'), cert: file('cert'), key: file('key') },
  ]) {
    t.is((await seenBy('mutual', { tls }))?.principal, 'fleet-agent');
  }
});

test.serial('a host that asks for a certificate refuses who has none', async (t) => {
  const error = await t.throwsAsync(seenBy('mutual', { tls: { ca: ca.cert } }), { instanceOf: GatewayError });
  t.is(error.code, status.UNAVAILABLE);
});

test.serial('a host whose certificate nobody trusts is refused', async (t) => {
  const error = await t.throwsAsync(seenBy('tls', { tls: true }), { instanceOf: GatewayError });
  t.is(error.code, status.UNAVAILABLE);
});

test.serial('the name in the certificate counts, and can be said', async (t) => {
  t.truthy(await seenBy('tls', { tls: { ca: ca.cert, serverName: 'host.example' } }));
  await t.throwsAsync(seenBy('tls', { tls: { ca: ca.cert, serverName: 'other.example' } }), {
    instanceOf: GatewayError,
    message: /other\.example/,
  });
});

test('an address that is none, a file that can not be read, and a key alone are refused at once', (t) => {
  t.throws(() => connect(''), { instanceOf: GatewayError, message: /address/ });
  const missing = { file: join(folder, 'nowhere.pem') };
  t.throws(() => connect('host.example:1', { tls: { ca: missing } }), { instanceOf: GatewayError, message: /nowhere/ });
  t.throws(() => connect('host.example:1', { tls: { key: agent.key } }), { instanceOf: GatewayError, message: /tls/ });
});

const servers = makeAuthority('servers');
const clients = makeAuthority('clients');
const wanted = { dnsNames: ['localhost'], isServer: true };
const rsa = clients.issue({ commonName: 'agent', keyType: 'rsa' });
const ec = clients.issue({ commonName: 'agent' });
const exported = (key: string, type: 'pkcs1' | 'sec1') =>
  String(createPrivateKey(key).export({ type: type as 'sec1', format: 'pem' }));
/** As `openssl ecparam -genkey` writes before the key. */
const PARAMETERS = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';

/**
 * What a host with this certificate, which wants one of `clients`, sees of a client with these
 * options.
 */
async function greeted({ cert, key }: Issued, tls: TlsOptions): Promise<string | undefined> {
  const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(cert) };
  const host = await startHost(handlers, ServerCredentials.createSsl(Buffer.from(clients.cert), [pair], true));
  const client = connect(host.address.replace('127.0.0.1', 'localhost'), { tls });
  try {
    await client.sessions.get('a-session');
    return seen.at(-1)?.principal;
  } finally {
    client.close();
    host.close();
  }
}

const forms: Readonly<Record<string, Issued>> = {
  'PKCS#8': ec,
  'PKCS#1': { cert: rsa.cert, key: exported(rsa.key, 'pkcs1') },
  SEC1: { cert: ec.cert, key: exported(ec.key, 'sec1') },
  'EC PARAMETERS first': { cert: ec.cert, key: PARAMETERS + exported(ec.key, 'sec1') },
  Ed25519: clients.issue({ commonName: 'agent', keyType: 'ed25519' }),
  'lines of Windows': { cert: ec.cert.replaceAll('\n', '\r\n'), key: ec.key.replaceAll('\n', '\r\n') },
};
for (const [form, own] of Object.entries(forms)) {
  test.serial(`a certificate and its key are taken as ${form}`, async (t) => {
    t.is(await greeted(servers.issue(wanted), { ca: servers.cert, ...own }), 'agent');
  });
}

for (const [what, host, trusted] of [
  ['an Ed25519 certificate of a host', servers.issue({ ...wanted, keyType: 'ed25519' }), servers.cert],
  ['two authorities of one name', servers.issue(wanted), makeAuthority('servers').cert + servers.cert],
  ['two of one name, the other way round', servers.issue(wanted), servers.cert + makeAuthority('servers').cert],
] as const) {
  test.serial(`${what}: trusted`, async (t) => {
    t.is(await greeted(host, { ca: trusted, ...ec }), 'agent');
  });
}

test.serial('the certificate of the host alone can be trusted, and then no other', async (t) => {
  const host = servers.issue(wanted);
  t.is(await greeted(host, { ca: host.cert, ...ec }), 'agent');
  const other = greeted(servers.issue(wanted), { ca: host.cert, ...ec });
  t.like(await t.throwsAsync(other, { instanceOf: GatewayError }), { code: status.UNAVAILABLE });
});

test.serial('an authority that signed itself can be the host', async (t) => {
  const own = authority('localhost');
  t.is(await greeted(own, { ca: own.cert, serverName: 'localhost', ...ec }), 'agent');
});
