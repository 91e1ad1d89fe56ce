/**
 * Keys and certificates as people have them: by the manual's recipe, and in each form that other
 * tools write.
 */
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test from 'ava';
import { makeConfig } from '../../service/config/schema.js';
import { examineFiles } from '../../service/named-files.js';
import { call } from '../harness/calls.js';
import { type Clients, type ConfigValues, Host, misuses, SERVER_NAME, tlsTo } from '../harness/host.js';
import { makeAuthority } from './authority.js';
import { Files } from './files.js';
import { issueAsTold } from './recipe.js';

type TlsValues = NonNullable<ConfigValues['tls']>;

const onPosix = process.platform === 'win32' ? test.serial.skip : test.serial;
const servers = makeAuthority('servers');
const clients = makeAuthority('clients');
const access = { mode: 'authenticated' as const, roles: [{ role: 'viewer' as const, principals: ['cert:*'] }] };
const getHost = ({ host }: Clients) => call(host.getHost.bind(host), {});

onPosix(
  'the recipe of the manual makes a host and a client that trust each other, and nothing is to be warned of',
  async (t) => {
    using files = new Files();
    issueAsTold(files);
    const read = (name: string) => readFileSync(files.path(name), 'utf8');
    const tls = {
      certFile: files.path('host.pem'),
      keyFile: files.path('host.key'),
      clientCaFile: files.path('agents-ca.pem'),
    };
    const config = makeConfig({ tls, access });
    t.deepEqual([...examineFiles(config, undefined)], []);
    const certificate = new X509Certificate(read('host.pem'));
    t.is(certificate.checkHost('localhost'), 'localhost');
    t.is(certificate.checkIP('127.0.0.1'), '127.0.0.1');
    t.regex(read('host.key'), /^-----BEGIN PRIVATE KEY-----/);

    await using host = await Host.start({ tls, access });
    const agent = { cert: read('agent.pem'), key: read('agent.key') };
    const connection = tlsTo(read('servers-ca.pem'), agent);
    await getHost(host.clients(undefined, connection, undefined, 'localhost'));
    t.deepEqual(host.log.lines('access-denied'), []);
  },
);

const issued = { dnsNames: [SERVER_NAME], isServer: true };
const [ec, rsa] = [servers.issue(issued), servers.issue({ ...issued, keyType: 'rsa' })];
const edwards = servers.issue({ ...issued, keyType: 'ed25519' });
const exported = (key: string, type: 'pkcs1' | 'sec1') =>
  String(createPrivateKey(key).export({ type: type as 'sec1', format: 'pem' }));
/** As `openssl ecparam -genkey` writes it: the parameters (the OID of P-256) before the key. */
const PARAMETERS = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
const passphrase = 'of the tests';
const sealed = String(
  createPrivateKey(ec.key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }),
);

const forms: Record<string, { cert: string; key: string; tls?: TlsValues }> = {
  'PKCS#8': ec,
  'PKCS#1': { cert: rsa.cert, key: exported(rsa.key, 'pkcs1') },
  SEC1: { cert: ec.cert, key: exported(ec.key, 'sec1') },
  'EC PARAMETERS first': { cert: ec.cert, key: PARAMETERS + exported(ec.key, 'sec1') },
  'encrypted PKCS#8': { cert: ec.cert, key: sealed, tls: { keyPassphrase: passphrase } },
  Ed25519: edwards,
  'lines of Windows': { cert: ec.cert.replaceAll('\n', '\r\n'), key: ec.key.replaceAll('\n', '\r\n') },
  'text before the certificate': { cert: `Subject: host\n    M\u00fcnchen\n${ec.cert}`, key: ec.key },
};

for (const [form, { cert, key, tls }] of Object.entries(forms)) {
  test.serial(`the host takes ${form}, and clients connect`, async (t) => {
    using files = new Files();
    await using host = await Host.start({ tls: { ...files.writeTls({ cert, key }), ...tls } });
    await getHost(host.clients(undefined, tlsTo(servers.cert)));
    t.pass();
  });
}

test.serial('of two authorities of one name, in any order, the one that signed is found', async (t) => {
  using files = new Files();
  const other = makeAuthority('clients');
  const identity = files.writeTls(ec);
  for (const order of [other.cert + clients.cert, clients.cert + other.cert]) {
    const clientCaFile = files.write('clients.pem', order);
    await using host = await Host.start({ tls: { ...identity, clientCaFile }, access });
    for (const authority of [clients, other]) {
      await getHost(host.clients(undefined, tlsTo(servers.cert, authority.issue({ commonName: 'agent' }))));
    }
  }
  t.pass();
});

test.serial('an authority that is a leaf is warned of, and one that signed itself is taken', (t) => {
  using files = new Files();
  const warningsFor = (authority: string) => {
    const tls = { ...files.writeTls(ec), clientCaFile: files.write('authority.pem', authority) };
    return [...examineFiles(makeConfig({ tls }), undefined)].filter(({ keys }) => keys.includes('tls.clientCaFile'));
  };
  t.deepEqual(warningsFor(clients.cert), []);
  t.regex(warningsFor(clients.issue({ commonName: 'agent' }).cert)[0]?.message ?? '', /CN=agent is not an authority/);
});

test.serial('a key in a form that nobody knows is refused with what to do', (t) => {
  using files = new Files();
  const { publicKey } = generateKeyPairSync('ed25519');
  const wrong: [key: string, message: RegExp][] = [
    [String(publicKey.export({ type: 'spki', format: 'pem' })), /contains no private key/],
    ['-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n', /is damaged/],
    [PARAMETERS, /contains no private key/],
    [rsa.key, /does not match the certificate/],
  ];
  for (const [key, message] of wrong) {
    const tls = files.writeTls({ cert: ec.cert, key });
    const [finding] = [...examineFiles(makeConfig({ tls }), undefined)].filter(({ severity }) => severity === 'error');
    t.regex(finding?.message ?? '', message);
    t.not(finding?.remedy, '');
  }
});

test.after('nothing was misused', (t) => {
  t.deepEqual(misuses(), []);
});
