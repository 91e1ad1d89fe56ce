/**
 * What lets callers in is taken back while they are inside: streams end, standing connections are
 * refused, others stay.
 */
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { exportJWK, SignJWT } from 'jose';
import { SessionState } from '../../proto/gen/wifidirect/v1/session.js';
import {
  GetSessionRequest,
  OpenSessionRequest,
  WatchSessionsRequest,
} from '../../proto/gen/wifidirect/v1/session_service.js';
import { call, failure, Received, readError } from '../harness/calls.js';
import {
  type Clients,
  type ConfigValues,
  display,
  Host,
  misuses,
  RELOAD_MS,
  SERVER_NAME,
  tlsTo,
} from '../harness/host.js';
import { makeAuthority } from './authority.js';
import { Files } from './files.js';

const jwt = { issuer: 'https://id.example.com/', audience: 'wfdd' };
const tokens = { alice: 'token-of-alice', bob: 'token-of-bob' };
const everybody = [{ role: 'admin' as const, principals: ['*'] }];

const getHost = ({ host }: Clients) => call(host.getHost.bind(host), {});
const codeOf = async (answer: Promise<unknown>) => (await failure(answer)).code;

function start(access: Partial<NonNullable<ConfigValues['access']>>, values: ConfigValues = {}): Promise<Host> {
  return Host.start({
    access: { mode: 'authenticated', roles: everybody, reloadIntervalMs: RELOAD_MS, ...access },
    ...values,
  });
}

/** A watch that stands. */
async function watch({ sessions }: Clients) {
  const received = new Received(sessions.watchSessions(WatchSessionsRequest.fromPartial({})));
  await received.first((message) => message.snapshotComplete);
  return received;
}

/** A session that lives with its stream, open. */
async function open({ sessions }: Clients) {
  const request = OpenSessionRequest.fromPartial({ deviceAddress: display });
  const received = new Received(sessions.openSession(request));
  const { event } = await received.first((message) => message.event?.session?.state === SessionState.OPEN);
  return { received, id: event?.session?.sessionId ?? '' };
}

async function reasonOf(received: { readonly ended: Received<unknown>['ended'] }) {
  const error = await received.ended;
  const { code, info } = error === undefined ? { code: status.OK, info: undefined } : readError(error);
  return { code, reason: info?.reason };
}

const unauthenticated = { code: status.UNAUTHENTICATED, reason: 'UNAUTHENTICATED' };

class Issuer {
  readonly #pair = generateKeyPairSync('ed25519');

  async publicKey() {
    return exportJWK(this.#pair.publicKey);
  }

  issue(subject: string, expires: number | string): Promise<string> {
    return new SignJWT({ sub: subject, iss: jwt.issuer, aud: jwt.audience })
      .setProtectedHeader({ alg: 'EdDSA' })
      .setExpirationTime(expires)
      .sign(this.#pair.privateKey);
  }
}

async function writeKeys(files: Files, ...issuers: Issuer[]): Promise<string> {
  const keys = await Promise.all(issuers.map((issuer) => issuer.publicKey()));
  return files.write('jwks.json', JSON.stringify({ keys }));
}

test.serial('when a key leaves the JWKS, the streams of its callers end, and their sessions with them', async (t) => {
  using files = new Files();
  const [leaving, staying] = [new Issuer(), new Issuer()];
  const jwksFile = await writeKeys(files, leaving, staying);
  await using host = await start({ jwt: { ...jwt, jwksFile } });
  const gone = host.clients(await leaving.issue('carol', '5m'));
  const left = host.clients(await staying.issue('dave', '5m'));
  const [watchOfGone, watchOfLeft, { received, id }] = [await watch(gone), await watch(left), await open(gone)];

  await writeKeys(files, staying);
  t.deepEqual(await reasonOf(watchOfGone), unauthenticated);
  t.deepEqual(await reasonOf(received), unauthenticated);
  await watchOfLeft.first(({ events }) =>
    events.some(({ session }) => session?.sessionId === id && session.state === SessionState.CLOSED),
  );
  t.is(await codeOf(getHost(gone)), status.UNAUTHENTICATED);
  t.false(watchOfLeft.stream.destroyed);
  watchOfLeft.cancel();
});

test.serial('when a JWT expires, the streams of its caller end, though no file has changed', async (t) => {
  using files = new Files();
  const issuer = new Issuer();
  const jwksFile = await writeKeys(files, issuer);
  await using host = await start({ jwt: { ...jwt, jwksFile } });
  // Clocks may differ by ten seconds, so it is good for eight more.
  const brief = host.clients(await issuer.issue('carol', Math.floor(Date.now() / 1000) - 2));
  t.deepEqual(await reasonOf(await watch(brief)), unauthenticated);
});

test.serial('when a token is bound to another principal, the streams of the first end', async (t) => {
  using files = new Files();
  const tokensFile = files.writeTokens(tokens);
  await using host = await start({ tokensFile });
  const alice = host.clients(tokens.alice);
  const [of, other] = [await watch(alice), await watch(host.clients(tokens.bob))];
  files.writeTokens({ mallory: tokens.alice, bob: tokens.bob });
  t.deepEqual(await reasonOf(of), unauthenticated);
  await getHost(alice);
  t.false(other.stream.destroyed);
  other.cancel();
});

test.serial('when a role is taken back, what it allowed ends, and what is still allowed goes on', async (t) => {
  using files = new Files();
  const writeRoles = (...roles: readonly [role: string, pattern: string][]) =>
    files.write('roles.yaml', JSON.stringify(roles.map(([role, pattern]) => ({ role, principals: [pattern] }))));
  const rolesFile = writeRoles(['operator', 'alice'], ['viewer', 'alice'], ['viewer', 'token:bob']);
  await using host = await start({ tokensFile: files.writeTokens(tokens), roles: [], rolesFile });
  const [alice, bob] = [host.clients(tokens.alice), host.clients(tokens.bob)];
  const [watchOfAlice, watchOfBob, { received, id }] = [await watch(alice), await watch(bob), await open(alice)];

  // A watch that showed all doesn't go on with less: its reader would take for standing what it no
  // longer hears of.
  writeRoles(['operator', 'alice'], ['viewer', 'bob']);
  t.deepEqual(await reasonOf(watchOfAlice), unauthenticated);
  const own = await watch(alice);
  const find = ({ sessions }: Clients) =>
    call(sessions.getSession.bind(sessions), GetSessionRequest.fromPartial({ sessionId: id }));
  t.is((await find(bob)).session?.state, SessionState.OPEN);

  writeRoles(['viewer', 'alice'], ['prober', 'bob']);
  t.deepEqual(await reasonOf(watchOfBob), unauthenticated);
  t.deepEqual(await reasonOf(received), unauthenticated);
  t.is(await codeOf(getHost(bob)), status.PERMISSION_DENIED);
  t.false(own.stream.destroyed, 'who sees more than before goes on');
  own.cancel();

  files.write('roles.yaml', '- { role: king, principals: ["*"] }');
  t.regex((await host.log.line('reload-failed')).msg, /0\.role must be one of prober/);
  await getHost(alice);
});

test.serial('while the key set is turned from one key to two, nobody is refused', async (t) => {
  using files = new Files();
  const [first, second] = [new Issuer(), new Issuer()];
  const jwksFile = await writeKeys(files, first);
  await using host = await start({ jwt: { ...jwt, jwksFile } });
  const old = host.clients(await first.issue('carol', '5m'));
  let isOver = false;
  const asking = (async () => {
    let answers = 0;
    for (; !isOver; answers += 1) await getHost(old);
    return answers;
  })();
  await writeKeys(files, first, second);
  await host.log.line('reloaded');
  await getHost(host.clients(await second.issue('carol', '5m')));
  await getHost(host.clients(await first.issue('erin', '5m')));
  isOver = true;
  t.true((await asking) > 0);
});

const servers = makeAuthority('servers');
const [leaving, staying] = [makeAuthority('clients'), makeAuthority('clients')];
const uri = (name: string) => ({ uris: [`spiffe://example.com/${name}`] });

/** TLS with two authorities of clients that have one name. */
function tlsOf(files: Files, values: NonNullable<ConfigValues['tls']> = {}): ConfigValues {
  const identity = files.writeTls(servers.issue({ dnsNames: [SERVER_NAME], isServer: true }));
  const clientCaFile = files.write('clients.pem', leaving.cert + staying.cert);
  return { tls: { ...identity, clientCaFile, reloadIntervalMs: RELOAD_MS, ...values } };
}

for (const requireClientCertificate of [true, false]) {
  const where = requireClientCertificate ? 'where certificates are required' : 'where they are not';
  test.serial(`when an authority is taken away, its clients are out at once, ${where}`, async (t) => {
    using files = new Files();
    const tokensFile = files.writeTokens(tokens);
    await using host = await start({ tokensFile }, tlsOf(files, { requireClientCertificate }));
    const connection = tlsTo(servers.cert, leaving.issue(uri('gone')));
    const gone = host.clients(undefined, connection);
    const left = host.clients(undefined, tlsTo(servers.cert, staying.issue(uri('left'))));
    const [watchOfGone, watchOfLeft] = [await watch(gone), await watch(left)];
    const byToken = host.clients(tokens.alice, connection);
    const watchByToken = await watch(byToken);

    files.write('clients.pem', staying.cert);
    t.deepEqual(await reasonOf(watchOfGone), unauthenticated);
    // A connection that would not come about now is of no use; one that would has no certificate
    // any more.
    const expected = requireClientCertificate ? status.UNAVAILABLE : status.UNAUTHENTICATED;
    t.is(await codeOf(getHost(gone)), expected);
    if (requireClientCertificate) t.deepEqual(await reasonOf(watchByToken), unauthenticated);
    else await getHost(byToken);
    await getHost(left);
    t.false(watchOfLeft.stream.destroyed);
    for (const each of [watchOfLeft, watchByToken]) each.cancel();
  });
}

test.serial(
  'on a connection that stands, calls are refused and, where it needs a certificate, it is closed',
  async (t) => {
    for (const requireClientCertificate of [true, false]) {
      using files = new Files();
      await using host = await start({}, tlsOf(files, { requireClientCertificate }));
      const identity = { ...leaving.issue(uri('gone')), ca: servers.cert, servername: SERVER_NAME };
      const connection = connect(`https://${host.address}`, identity);
      const closed = once(connection, 'close');
      const ask = () => statusOf(connection);
      t.is(await ask(), status.OK);
      files.write('clients.pem', staying.cert);
      if (requireClientCertificate) {
        await closed;
        await host.log.line('reloaded');
      } else {
        await host.log.line('reloaded');
        t.is(await ask(), status.UNAUTHENTICATED);
        connection.close();
      }
    }
  },
);

/** How GetHost ends on this very connection. */
async function statusOf(connection: ClientHttp2Session): Promise<number> {
  const headers = { ':method': 'POST', ':path': '/wifidirect.v1.HostService/GetHost' };
  const stream = connection.request({ ...headers, 'content-type': 'application/grpc', te: 'trailers' });
  const told = new Promise<number>((resolve) => {
    for (const event of ['response', 'trailers'] as const) {
      stream.on(event, (got: IncomingHttpHeaders) => {
        if (got['grpc-status'] !== undefined) resolve(Number(got['grpc-status']));
      });
    }
  });
  stream.resume().end(Buffer.alloc(5));
  return told;
}

test.serial('a certificate that is denied is out, on connections that stand and on new ones', async (t) => {
  using files = new Files();
  const clientDenyFile = files.write('denied', '# none yet\n');
  await using host = await start({}, tlsOf(files, { clientDenyFile }));
  const [byPrint, bySerial, other] = [leaving.issue(uri('a')), leaving.issue(uri('b')), leaving.issue(uri('c'))];
  const clientsOf = (issued: typeof byPrint) => host.clients(undefined, tlsTo(servers.cert, issued));
  const [a, b, c] = [clientsOf(byPrint), clientsOf(bySerial), clientsOf(other)];
  const [watchOfA, watchOfB, watchOfC] = [await watch(a), await watch(b), await watch(c)];
  const { fingerprint256 } = new X509Certificate(byPrint.cert);
  const { serialNumber } = new X509Certificate(bySerial.cert);
  files.write('denied', `sha256 Fingerprint=${fingerprint256}\nserial:${serialNumber.toLowerCase()} # lost\n`);
  t.deepEqual(await reasonOf(watchOfA), unauthenticated);
  t.deepEqual(await reasonOf(watchOfB), unauthenticated);
  for (const clients of [a, clientsOf(byPrint), clientsOf(bySerial)]) {
    t.is(await codeOf(getHost(clients)), status.UNAUTHENTICATED);
  }
  t.regex((await host.log.line('access-denied')).msg, /The certificate is not trusted: CERT_DENIED\./);
  await getHost(c);
  t.false(watchOfC.stream.destroyed);
  watchOfC.cancel();

  files.write('denied', 'AB:CD\n');
  t.regex((await host.log.line('reload-failed')).msg, /Line 1 is neither a SHA-256 fingerprint/);
  t.is(await codeOf(getHost(a)), status.UNAUTHENTICATED);
});

test.serial('a certificate required from everybody counts where everybody is anonymous, too', async (t) => {
  using files = new Files();
  const values = tlsOf(files, { requireClientCertificate: true });
  await using host = await Host.start(values);
  const gone = host.clients(undefined, tlsTo(servers.cert, leaving.issue(uri('gone'))));
  const watching = await watch(gone);
  files.write('clients.pem', staying.cert);
  t.deepEqual(await reasonOf(watching), unauthenticated);
  t.is(await codeOf(getHost(gone)), status.UNAVAILABLE);
});

test.after('nothing was misused', (t) => {
  t.deepEqual(misuses(), []);
});
