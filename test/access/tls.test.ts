/** TLS as clients meet it: who gets in, as whom, and what a renewal of the files does. */
import { once } from 'node:events';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { ListSessionsRequest, WatchSessionsRequest } from '../../proto/gen/wifidirect/v1/session_service.js';
import { call, failure, Received } from '../harness/calls.js';
import { type Clients, type ConfigValues, Host, misuses, RELOAD_MS, SERVER_NAME, tlsTo } from '../harness/host.js';
import { type Issued, makeAuthority, type Wanted } from './authority.js';
import { Files } from './files.js';

const servers = makeAuthority('servers');
const clients = makeAuthority('clients');
const strangers = makeAuthority('strangers');
const forServer: Wanted = { dnsNames: [SERVER_NAME], isServer: true };
const backend = clients.issue({ commonName: 'no-one', uris: ['spiffe://example.com/backend/1'] });
const tokens = { fleet: 'token-of-fleet' };

type TlsValues = NonNullable<ConfigValues['tls']>;

/** Everybody who is anybody is a viewer. */
function start(files: Files, tls: TlsValues, values: ConfigValues = {}): Promise<Host> {
  const roles = [{ role: 'viewer' as const, principals: ['*'] }];
  const access = { mode: 'authenticated' as const, tokensFile: files.writeTokens(tokens), roles };
  return Host.start({
    access,
    tls: { ...files.writeTls(servers.issue(forServer), clients), reloadIntervalMs: RELOAD_MS, ...tls },
    ...values,
  });
}

const getHost = ({ host }: Clients) => call(host.getHost.bind(host), {});
const codeOf = async (answer: Promise<unknown>) => (await failure(answer)).code;

/** The connection alone, as TLS makes it or fails to. */
async function handshake(address: string, options: ConnectionOptions): Promise<TLSSocket> {
  const [host, port] = address.split(':');
  const socket = connectTls({
    host,
    port: Number(port),
    ca: servers.cert,
    servername: SERVER_NAME,
    ALPNProtocols: ['h2'],
    ...options,
  });
  await once(socket, 'secureConnect');
  return socket;
}

test.serial('a certificate of the right authority is its URI, over TLS 1.3', async (t) => {
  using files = new Files();
  await using host = await start(files, { requireClientCertificate: true });
  const { host: hosts } = host.clients(undefined, tlsTo(servers.cert, backend));
  await getHost({ host: hosts } as Clients);
  const socket = await handshake(host.address, backend);
  t.is(socket.getProtocol(), 'TLSv1.3');
  socket.destroy();
  t.deepEqual(host.log.lines('access-denied'), []);
});

const badCertificates: Record<string, () => Issued | undefined> = {
  'no certificate': () => undefined,
  'a certificate of another authority': () => strangers.issue({ uris: ['spiffe://example.com/backend/1'] }),
  'a certificate that has expired': () =>
    clients.issue({ commonName: 'late', notBefore: new Date(0), notAfter: new Date(Date.now() - 1000) }),
  'a certificate that is not valid yet': () =>
    clients.issue({
      commonName: 'early',
      notBefore: new Date(Date.now() + 3_600_000),
      notAfter: new Date(Date.now() + 7_200_000),
    }),
  'a certificate for servers': () => clients.issue({ commonName: 'server', isServer: true }),
};

for (const [what, make] of Object.entries(badCertificates)) {
  test.serial(`where one is required, a connection with ${what} ends, and the log says why`, async (t) => {
    using files = new Files();
    await using host = await start(files, { requireClientCertificate: true });
    t.is(await codeOf(getHost(host.clients(tokens.fleet, tlsTo(servers.cert, make())))), status.UNAVAILABLE);
    const { msg, client } = await host.log.line('connection-refused');
    t.regex(msg, /^TLS refused a connection: [A-Z_]+$/);
    t.regex(String(client), /^127\.0\.0\.1:\d+$/);
  });

  test.serial(`where none is required, ${what} makes nobody, and a token does`, async (t) => {
    using files = new Files();
    await using host = await start(files, {});
    const connection = tlsTo(servers.cert, make());
    t.is(await codeOf(getHost(host.clients(undefined, connection))), status.UNAUTHENTICATED);
    const { msg, principal } = await host.log.line('access-denied');
    t.regex(msg, make() === undefined ? /The call has no credential/ : /The certificate is not trusted: [A-Z_]+/);
    t.is(principal, undefined);
    await getHost(host.clients(tokens.fleet, connection));
  });
}

test.serial('a token that is no good is not made good by a certificate', async (t) => {
  using files = new Files();
  await using host = await start(files, {});
  t.is(await codeOf(getHost(host.clients('unknown', tlsTo(servers.cert, backend)))), status.UNAUTHENTICATED);
});

test.serial('a certificate that expires while its connection stands no longer counts', async (t) => {
  using files = new Files();
  await using host = await start(files, { requireClientCertificate: true });
  const notAfter = new Date((Math.floor(Date.now() / 1000) + 8) * 1000);
  const brief = host.clients(undefined, tlsTo(servers.cert, clients.issue({ commonName: 'brief', notAfter })));
  await getHost(brief);
  await once(setTimeoutAt(notAfter), 'abort');
  t.is(await codeOf(getHost(brief)), status.UNAUTHENTICATED);
  t.like(await host.log.line('access-denied'), { principal: 'brief' });
});

test.serial('nothing older than the oldest version is spoken, and nothing without TLS', async (t) => {
  using files = new Files();
  await using host = await start(files, { minVersion: 'TLSv1.3' });
  const socket = await handshake(host.address, {});
  t.is(socket.getProtocol(), 'TLSv1.3');
  socket.destroy();
  await t.throwsAsync(handshake(host.address, { maxVersion: 'TLSv1.2' }));
  t.is(await codeOf(getHost(host.clients(tokens.fleet))), status.UNAVAILABLE);
});

test.serial('a new connection sees the new certificate, and those that stand live on', async (t) => {
  using files = new Files();
  await using host = await start(files, {});
  const { sessions } = host.clients(tokens.fleet, tlsTo(servers.cert));
  await using watch = new Received(sessions.watchSessions(WatchSessionsRequest.fromPartial({})));
  await watch.first((message) => message.snapshotComplete);
  const before = await handshake(host.address, {});
  const renewed = makeAuthority('servers of next year');
  files.writeTls(renewed.issue(forServer), clients);
  await host.log.line('reloaded');

  const after = await handshake(host.address, { ca: renewed.cert });
  const told = host.log.lines('certificate').at(-1)?.['fingerprint'];
  t.is(told, after.getPeerCertificate().fingerprint256.replaceAll(':', ''));
  t.not(after.getPeerCertificate().fingerprint256, before.getPeerCertificate().fingerprint256);
  await getHost(host.clients(tokens.fleet, tlsTo(renewed.cert)));
  await t.throwsAsync(handshake(host.address, { ca: servers.cert }));
  t.false(watch.stream.destroyed);
  await call(sessions.listSessions.bind(sessions), ListSessionsRequest.fromPartial({}));
  before.destroy();
  after.destroy();
});

test.serial('a renewal of which half is there is not used until it is whole', async (t) => {
  using files = new Files();
  await using host = await start(files, {});
  const renewed = servers.issue(forServer);
  files.write('server.pem', renewed.cert);
  t.regex((await host.log.line('reload-failed')).msg, /The key does not match the certificate/);
  await getHost(host.clients(tokens.fleet, tlsTo(servers.cert)));
  files.write('server.key', renewed.key);
  await host.log.line('reloaded');
  await getHost(host.clients(tokens.fleet, tlsTo(servers.cert)));
});

test.serial('a certificate of another key type than the key is not put in force, nor started with', async (t) => {
  using files = new Files();
  await using host = await start(files, {});
  const renewed = servers.issue({ ...forServer, keyType: 'rsa' });
  files.write('server.pem', renewed.cert);
  // It may be read while it is being written.
  await host.log.line('reload-failed', ({ msg }) => /The key does not match the certificate/.test(msg));
  (await handshake(host.address, {})).destroy();
  await getHost(host.clients(tokens.fleet, tlsTo(servers.cert)));
  const mixed = { certFile: files.path('server.pem'), keyFile: files.path('server.key') };
  await t.throwsAsync(Host.start({ tls: mixed }), { message: /The key does not match the certificate/ });
  files.write('server.key', renewed.key);
  await host.log.line('reloaded');
  await getHost(host.clients(tokens.fleet, tlsTo(servers.cert)));
});

test.serial('TLS 1.2 has ECDHE with AEAD only, unless the configuration says otherwise', async (t) => {
  using files = new Files();
  const { cert, key } = servers.issue({ ...forServer, keyType: 'rsa' });
  const identity = { certFile: files.write('rsa.pem', cert), keyFile: files.write('rsa.key', key) };
  const tls12 = { maxVersion: 'TLSv1.2' } as const;
  {
    await using host = await start(files, identity);
    const socket = await handshake(host.address, tls12);
    t.regex(socket.getCipher().name, /^ECDHE-RSA-.*(GCM|POLY1305)/);
    socket.destroy();
    for (const ciphers of [
      'AES128-GCM-SHA256',
      'ECDHE-RSA-AES128-SHA',
      'ECDHE-RSA-AES256-SHA384',
      'DHE-RSA-AES128-GCM-SHA256',
    ]) {
      await t.throwsAsync(handshake(host.address, { ...tls12, ciphers }), undefined, ciphers);
    }
    (await handshake(host.address, {})).destroy();
  }
  await using old = await start(files, { ...identity, ciphers: 'ECDHE-RSA-AES128-SHA' });
  const socket = await handshake(old.address, tls12);
  t.is(socket.getCipher().name, 'ECDHE-RSA-AES128-SHA');
  socket.destroy();
  const newest = await handshake(old.address, {});
  t.is(newest.getProtocol(), 'TLSv1.3');
  newest.destroy();
});

test.serial('authorities that are not there yet leave those before them in force', async (t) => {
  using files = new Files();
  await using host = await start(files, { requireClientCertificate: true });
  files.write('clients.pem', '');
  t.regex((await host.log.line('reload-failed')).msg, /^The changed TLS files cannot be used/);
  await getHost(host.clients(undefined, tlsTo(servers.cert, backend)));
});

test.serial('who was trusted before a change of the authorities is not let in by a session that it kept', async (t) => {
  using files = new Files();
  await using host = await start(files, { requireClientCertificate: true });
  const options = { ...backend, maxVersion: 'TLSv1.2' } as const;
  const first = await handshake(host.address, options);
  const session = Buffer.from(first.getSession() ?? '');
  const second = await handshake(host.address, { ...options, session });
  t.true(second.isSessionReused());
  files.write('clients.pem', strangers.cert);
  await host.log.line('reloaded');
  const third = await handshake(host.address, { ...options, session }).catch(() => undefined);
  t.not(third?.isSessionReused(), true);
  await host.log.line('connection-refused');
  for (const socket of [first, second, third]) socket?.destroy();
});

test.serial('files that cannot be used keep the daemon from starting, and the message names them', async (t) => {
  using files = new Files();
  const { key } = servers.issue(forServer);
  const mismatched = { ...files.writeTls(servers.issue(forServer)), keyFile: files.write('other.key', key) };
  await t.throwsAsync(Host.start({ tls: mismatched }), {
    message: /^The TLS files cannot be used: The key does not match the certificate/,
  });
  const garbled = {
    ...files.writeTls(servers.issue(forServer)),
    certFile: files.write('garbled.pem', 'no certificate'),
  };
  await t.throwsAsync(Host.start({ tls: garbled }), { message: /^The TLS files cannot be used: / });
});

test.after('nothing was misused', (t) => {
  t.deepEqual(misuses(), []);
});

/** Aborts once the time has come and a little more. */
function setTimeoutAt(time: Date): AbortSignal {
  return AbortSignal.timeout(time.getTime() - Date.now() + 50);
}
