/**
 * `wfdd tls create`: what it makes, what it keeps, and that a host and its clients trust each other
 * by it.
 */
import { X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { makeConfig } from '../../service/config/schema.js';
import { anybodyWith, READ } from '../../service/files/windows-acl.js';
import { examineFiles } from '../../service/named-files.js';
import { createTlsFiles, TlsFilesError, type TlsWish } from '../../service/tls/tls-files.js';
import { tlsText } from '../../service/tls/tls-text.js';
import { keyDescriptor } from '../../service/windows-service/folders.js';
import { makeAuthority } from '../access/authority.js';
import { Files } from '../access/files.js';
import { call, failure } from '../harness/calls.js';
import { type Clients, Host, tlsTo } from '../harness/host.js';

const onPosix = process.platform === 'win32' ? test.skip : test;
const DAY_MS = 86_400_000;
const uri = 'spiffe://example.com/fleet/7';
const names = ['gateway-7.example', 'localhost', '127.0.0.1', '::1'];
const agent = { name: 'agent', principal: uri };
const bob = { name: 'bob', principal: 'bob' };

function create(files: Files, wish: Partial<TlsWish> = {}, nowMs = Date.now()) {
  const all = { folder: files.path('tls'), names, clients: [agent, bob], days: 90, renew: false, ...wish };
  return createTlsFiles(all, () => {}, nowMs);
}

const read = (files: Files, name: string) => readFileSync(files.path(`tls/${name}`), 'utf8');
const certificateOf = (files: Files, name: string) => new X509Certificate(read(files, `${name}.pem`));
const getHost = ({ host }: Clients) => call(host.getHost.bind(host), {});
const tlsOf = (files: Files) => ({
  certFile: files.path('tls/host.pem'),
  keyFile: files.path('tls/host.key'),
  clientCaFile: files.path('tls/ca.pem'),
});

test.serial('a host and its clients trust each other by what it makes, and nothing is to be warned of', async (t) => {
  using files = new Files();
  create(files);
  const tls = tlsOf(files);
  const roles = [{ role: 'viewer' as const, principals: [`cert:${uri}`, 'cert:bob'] }];
  const access = { mode: 'authenticated' as const, roles };
  t.deepEqual([...examineFiles(makeConfig({ tls, access }), undefined)], []);
  await using host = await Host.start({ tls, access });
  for (const name of ['agent', 'bob']) {
    const own = { cert: read(files, `${name}.pem`), key: read(files, `${name}.key`) };
    await getHost(host.clients(undefined, tlsTo(read(files, 'ca.pem'), own), undefined, 'localhost'));
  }
  t.deepEqual(host.log.lines('access-denied'), []);
  // The certificate of the host is none of a client.
  const wrong = { cert: read(files, 'host.pem'), key: read(files, 'host.key') };
  const connection = tlsTo(read(files, 'ca.pem'), wrong);
  t.truthy(await failure(getHost(host.clients(undefined, connection, undefined, 'localhost'))));
});

test('the certificate of the host has the names and addresses that clients call it by', (t) => {
  using files = new Files();
  create(files);
  const certificate = certificateOf(files, 'host');
  for (const name of ['gateway-7.example', 'localhost']) t.is(certificate.checkHost(name), name);
  for (const address of ['127.0.0.1', '::1']) t.is(certificate.checkIP(address), address);
  t.is(certificate.checkHost('elsewhere.example'), undefined);
  t.true(certificate.verify(certificateOf(files, 'ca').publicKey));
  t.false(certificate.ca);
  t.true(certificateOf(files, 'ca').ca);
  t.is(certificateOf(files, 'agent').subjectAltName, `URI:${uri}`);
  t.is(certificateOf(files, 'bob').subject, 'CN=bob');
  t.regex(read(files, 'host.key'), /^-----BEGIN PRIVATE KEY-----/);
});

test('what is there is kept, and clients can be added', (t) => {
  using files = new Files();
  create(files, { clients: [agent] });
  const before = new Map(['ca', 'host', 'agent'].map((name) => [name, read(files, `${name}.key`)]));
  const told = create(files);
  t.deepEqual(
    told.map(({ what, isMade }) => [what, isMade]),
    [
      ['authority', false],
      ['host', false],
      ['client', false],
      ['client', true],
    ],
  );
  for (const [name, key] of before) t.is(read(files, `${name}.key`), key);
  t.true(certificateOf(files, 'bob').verify(certificateOf(files, 'ca').publicKey));
});

test('renewed are the host and the named clients, the authority never', (t) => {
  using files = new Files();
  create(files);
  const [ca = '', host = '', other = ''] = ['ca.key', 'host.key', 'agent.key'].map((name) => read(files, name));
  create(files, { clients: [bob], renew: true });
  t.is(read(files, 'ca.key'), ca);
  t.is(read(files, 'agent.key'), other);
  t.not(read(files, 'host.key'), host);
  t.true(certificateOf(files, 'host').verify(certificateOf(files, 'ca').publicKey));
});

onPosix("a private key is its owner's alone, and so is a new folder; no draft is left", (t) => {
  using files = new Files();
  create(files);
  t.is(statSync(files.path('tls')).mode & 0o777, 0o700);
  for (const name of readdirSync(files.path('tls'))) {
    t.is(statSync(files.path(`tls/${name}`)).mode & 0o777, name.endsWith('.key') ? 0o600 : 0o644, name);
  }
  t.deepEqual(
    readdirSync(files.path('tls')).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('a key is protected while it is still empty', (t) => {
  using files = new Files();
  const seen: [string, boolean][] = [];
  const protect = (file: string, isOfHost: boolean) => {
    t.is(statSync(file).size, 0);
    seen.push([file.replace(/.*\/(\w+\.key).*/, '$1'), isOfHost]);
  };
  createTlsFiles({ folder: files.path('tls'), names, clients: [bob], days: 1, renew: false }, protect);
  t.deepEqual(seen, [
    ['ca.key', false],
    ['host.key', true],
    ['bob.key', false],
  ]);
  for (const isOfHost of [true, false]) t.deepEqual(anybodyWith(READ, keyDescriptor(isOfHost)), []);
});

test('a protection that fails leaves nothing of the key', (t) => {
  using files = new Files();
  const protect = () => {
    throw new Error('no');
  };
  t.throws(() => createTlsFiles({ folder: files.path('tls'), names, clients: [], days: 1, renew: false }, protect));
  t.deepEqual(readdirSync(files.path('tls')), []);
});

test('half of a pair is refused, and nothing is written', (t) => {
  using files = new Files();
  create(files, { clients: [] });
  const key = read(files, 'ca.key');
  rmSync(files.path('tls/ca.key'));
  const error = t.throws(() => create(files), { instanceOf: TlsFilesError });
  t.regex(error?.message ?? '', /ca\.pem exists, but .*ca\.key does not\. Restore/);
  t.false(existsSync(files.path('tls/bob.pem')));
  writeFileSync(files.path('tls/ca.key'), key);
  rmSync(files.path('tls/host.pem'));
  t.throws(() => create(files), { message: /host\.key exists, but .*host\.pem does not/ });
});

test('an authority that can not sign is refused, and none of its key is told', (t) => {
  using files = new Files();
  create(files, { clients: [] });
  const stranger = makeAuthority('stranger').issue({ commonName: 'x' });
  chmodSync(files.path('tls/ca.key'), 0o600);
  writeFileSync(files.path('tls/ca.key'), stranger.key);
  const error = t.throws(() => create(files), { instanceOf: TlsFilesError });
  t.regex(error?.message ?? '', /Its key belongs to another certificate/);
  writeFileSync(files.path('tls/ca.pem'), stranger.cert);
  t.throws(() => create(files), { message: /not the certificate of an authority/ });
  writeFileSync(files.path('tls/ca.key'), 'hunter2');
  t.false(t.throws(() => create(files))?.message.includes('hunter2'));
});

test('nothing lives longer than its authority', (t) => {
  using files = new Files();
  const almostOver = Date.now() - 3640 * DAY_MS;
  create(files, { clients: [] }, almostOver);
  create(files, { clients: [bob], renew: true });
  t.is(certificateOf(files, 'bob').validTo, certificateOf(files, 'ca').validTo);
});

test('what is said names the files, and no secret', (t) => {
  using files = new Files();
  const text = tlsText(create(files), files.path('tls'));
  t.regex(text, /host\.pem, host\.key {3,}created {2}host, until \d{4}-\d\d-\d\d: .*gateway-7\.example/);
  t.true(text.includes(`principals: ["cert:${uri}", "cert:bob"]`));
  for (const name of ['ca', 'host', 'agent', 'bob']) {
    const [, line = 'no key'] = read(files, `${name}.key`).split('\n');
    t.false(text.includes(line));
  }
});
