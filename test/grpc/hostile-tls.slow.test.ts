/**
 * TLS as it must not be spoken. What comes over good TLS with bad certificates, tokens or JWTs is
 * in `test/access`: tls.test.ts, credentials.test.ts, jwt.test.ts (`alg: none` among them).
 */
import { connect as connectTls } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { makeAuthority } from '../access/authority.js';
import { Files } from '../access/files.js';
import { CONNECTION_PREFACE } from '../bench/load/frames.js';
import { call } from '../harness/calls.js';
import { type Clients, Host, misuses, SERVER_NAME, tlsTo } from '../harness/host.js';
import { RawPeer } from '../harness/raw-peer.js';

const servers = makeAuthority('servers');
const clients = makeAuthority('clients');
const strangers = makeAuthority('strangers');
const stranger = strangers.issue({ commonName: 'stranger' });
const backend = clients.issue({ commonName: 'backend' });
const files = new Files();
let host: Host;
let bystander: Clients;

test.before(async () => {
  const server = servers.issue({ dnsNames: [SERVER_NAME], isServer: true });
  host = await Host.start({
    tls: { ...files.writeTls(server, clients), requireClientCertificate: true },
    access: { mode: 'authenticated', roles: [{ role: 'viewer', principals: ['backend'] }] },
  });
  bystander = host.clients(undefined, tlsTo(servers.cert, backend));
});

test.after.always(async () => {
  await host[Symbol.asyncDispose]();
  files[Symbol.dispose]();
});

const isServed = async (t: ExecutionContext) => {
  t.truthy((await call(bystander.host.getHost.bind(bystander.host), {})).hostId);
};
const hello = Buffer.from('16030100f2010000ee0303', 'hex');

const notTls: Readonly<Record<string, Buffer>> = {
  garbage: Buffer.alloc(1000, 0xa5),
  'HTTP/2 without TLS': CONNECTION_PREFACE,
  'HTTP/1.1 without TLS': Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
  'a greeting that is cut off by garbage': Buffer.concat([hello, Buffer.alloc(500, 0xff)]),
};

for (const [what, bytes] of Object.entries(notTls)) {
  test.serial(`a connection that begins with ${what} is closed, and the log says why`, async (t) => {
    const before = host.log.lines('connection-refused').length;
    const peer = await RawPeer.connect(host.address);
    await peer.send(bytes);
    await peer.closed;
    t.regex(host.log.lines('connection-refused')[before]?.msg ?? '', /^TLS refused a connection: [A-Z0-9_]+$/);
    await isServed(t);
  });
}

for (const ALPNProtocols of [['http/1.1'], []]) {
  test.serial(
    `a connection that speaks ${ALPNProtocols[0] ?? 'nothing in particular'} over TLS is refused`,
    async (t) => {
      const [hostname, port] = host.address.split(':');
      const options = { ca: servers.cert, servername: SERVER_NAME, ...backend, ALPNProtocols };
      const socket = connectTls({ host: hostname, port: Number(port), ...options });
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('error', () => {});
      socket.once('secureConnect', () => socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
      await new Promise((resolve) => socket.once('close', resolve));
      t.notRegex(text, /200 OK/);
      await isServed(t);
    },
  );
}

test.serial('who greets and then says nothing is let go', async (t) => {
  t.timeout(30_000);
  const peers = await Promise.all(Array.from({ length: 100 }, () => RawPeer.connect(host.address)));
  for (const [i, peer] of peers.entries()) if (i % 2 === 0) await peer.send(hello);
  await isServed(t);
  await Promise.all(peers.map(({ closed }) => closed));
  await isServed(t);
});

test.serial('bad certificates by the hundred fill the counters, not the log', async (t) => {
  t.timeout(60_000);
  const before = host.log.all.length;
  const startMs = performance.now();
  for (let round = 0; round < 10; round += 1) {
    const tls = { ca: servers.cert, servername: SERVER_NAME, ...stranger, ALPNProtocols: ['h2'] };
    const peers = await Promise.all(Array.from({ length: 50 }, () => RawPeer.connect(host.address, { tls })));
    await Promise.all(peers.map(({ closed }) => closed));
    await isServed(t);
  }
  const seconds = Math.ceil((performance.now() - startMs) / 1000) + 1;
  const lines = host.log.all.slice(before);
  t.true(lines.length <= 20 * seconds, `${lines.length} lines in ${seconds} s`);
});

test.after('nothing was misused', (t) => {
  t.deepEqual(misuses(), []);
});
