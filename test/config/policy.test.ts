import test from 'ava';
import { chooseDriver } from '../../service/config/driver.js';
import { makeConfig } from '../../service/config/schema.js';
import { load, problemsOf, type Written, write } from './loading.js';

const certificate = write('', 'pem');
const TLS = `{ certFile: ${certificate}, keyFile: ${certificate}, clientCaFile: ${certificate} }`;
const AUTHENTICATED = '{ mode: authenticated, roles: [{ role: admin, principals: ["*"] }] }';
const OPEN_TO_ALL = 'listen: ["0.0.0.0:1"]\n';

/** The configuration is refused: key, what its message has in it, what its remedy has in it. */
const refuses = test.macro(async (t, written: Written, path: string, message: RegExp, remedy: RegExp) => {
  const problems = await problemsOf(written);
  t.deepEqual(
    problems.map((problem) => problem.path),
    [path],
  );
  t.regex(problems[0]?.message ?? '', message);
  t.regex(problems[0]?.remedy ?? '', remedy);
});

const accepts = test.macro(async (t, written: Written) => {
  t.deepEqual(await problemsOf(written), []);
});

for (const address of ['0.0.0.0:1', '[::]:1', '192.168.0.7:1', 'host.example.com:1']) {
  const yaml = `listen: ["127.0.0.1:1", "${address}"]`;
  test(`${address} without TLS`, refuses, { yaml }, 'listen', /requires TLS/, /tls.certFile.*--insecure-non-loopback/);
}

test(
  'an address beyond loopback, TLS, and nobody asked who calls',
  refuses,
  { yaml: `${OPEN_TO_ALL}tls: ${TLS}` },
  'listen',
  /requires authentication/,
  /access.mode.*requireClientCertificate/,
);

test('an address beyond loopback with TLS and authentication', accepts, {
  yaml: `${OPEN_TO_ALL}tls: ${TLS}\naccess: ${AUTHENTICATED}`,
});

test('an address beyond loopback where TLS itself asks for a certificate', accepts, {
  yaml: `${OPEN_TO_ALL}tls: ${TLS.replace('}', ', requireClientCertificate: true }')}`,
});

for (const address of ['127.0.0.1:1', '127.8.9.10:1', '[::1]:1', 'localhost:1', 'LOCALHOST:1', 'unix:/run/wfdd.sock']) {
  test(`${address} needs no TLS`, accepts, { yaml: `listen: ["${address}"]` });
}

test(
  'a socket for everybody where nobody is asked who they are',
  refuses,
  { yaml: 'listen: ["unix:/run/wfdd.sock"]\nsocketMode: "0666"\n' },
  'socketMode',
  /Every account on this host can connect/,
  /authenticated/,
);

test('a socket for everybody who shows who they are', accepts, {
  yaml: `listen: ["unix:/run/wfdd.sock"]\nsocketMode: "666"\ntls: ${TLS}\naccess: ${AUTHENTICATED}`,
});

test('a role for whoever has a name is warned of where several sources give names', async (t) => {
  const withRoles = (principals: string, sources: string) =>
    load({
      yaml: `tls: ${TLS}\naccess: { mode: authenticated, roles: [{ role: admin, principals: ${principals} }], ${sources} }`,
    });
  const tokens = `tokensFile: ${certificate}`;
  const { warnings } = await withRoles('["adm", "cert:spiffe://a/*"]', tokens);
  t.like(warnings, [{ path: 'access.roles' }]);
  t.regex(warnings[0]?.message ?? '', /"adm" matches callers of 2 kinds of credential/);
  t.regex(warnings[0]?.remedy ?? '', /"token:adm" \(token:, cert:\)/);
  t.deepEqual((await withRoles('["token:adm", "cert:spiffe://a/*"]', tokens)).warnings, []);
  t.deepEqual((await withRoles('["adm"]', '')).warnings, [], 'there are certificates only');
});

test('a pattern that names a source and nobody is refused', async (t) => {
  const yaml = `tls: ${TLS}\naccess: { mode: authenticated, roles: [{ role: admin, principals: ["jwt:"] }] }`;
  t.regex((await problemsOf({ yaml }))[0]?.message ?? '', /must name a principal, such as jwt:\*/);
});

test('a laboratory may do without, and is warned at every start', async (t) => {
  const plain = await load({ yaml: `${OPEN_TO_ALL}insecureNonLoopback: true` });
  t.like(plain.warnings, [{ path: 'insecureNonLoopback', value: 'true' }]);
  t.regex(plain.warnings[0]?.message ?? '', /without TLS/);
  const anonymous = await load({ yaml: `${OPEN_TO_ALL}insecureNonLoopback: true\ntls: ${TLS}` });
  t.regex(anonymous.warnings[0]?.message ?? '', /without authentication/);
  const metrics = await load({ yaml: 'insecureNonLoopback: true\nmetrics: { listen: "0.0.0.0:9464" }' });
  t.like(metrics.warnings, [{ path: 'metrics.listen', value: '"0.0.0.0:9464"' }]);
});

test('the laboratory flag alone, with nothing open, is no reason to warn', async (t) => {
  t.deepEqual((await load({ yaml: 'insecureNonLoopback: true' })).warnings, []);
});

test(
  'metrics for the network',
  refuses,
  { yaml: 'metrics: { listen: "0.0.0.0:9464" }' },
  'metrics.listen',
  /loopback only/,
  /127.0.0.1/,
);

test(
  'wlanapi.dll where there is none',
  refuses,
  { yaml: 'driver: { kind: wlanapi }' },
  'driver.kind',
  /on Windows only/,
  /simulator/,
);

test(
  'the service of the simulator without the simulator',
  refuses,
  { yaml: 'driver: { kind: wlanapi, simulatorService: true }', platform: 'win32' },
  'driver.simulatorService',
  /needs the simulator/,
  /--driver simulator/,
);

test(
  'the service of the simulator on Windows, where auto is wlanapi',
  refuses,
  { yaml: 'driver: { simulatorService: true }', platform: 'win32' },
  'driver.simulatorService',
  /needs the simulator/,
  /--driver simulator/,
);

test('the service of the simulator elsewhere, where auto is the simulator', accepts, {
  yaml: 'driver: { simulatorService: true }',
});

test(
  'a Unix socket on Windows',
  refuses,
  { yaml: 'listen: ["unix:/x"]', platform: 'win32' },
  'listen',
  /does not support Unix sockets/,
  /pipe:name/,
);
test('a named pipe elsewhere', refuses, { yaml: 'listen: ["pipe:x"]' }, 'listen', /on Windows only/, /unix:/);
test('a named pipe on Windows', accepts, { yaml: 'listen: ["pipe:x"]', platform: 'win32' });

for (const [group, lower, upper] of [
  ['session', 'openTimeoutMs', 'openTimeoutMaxMs'],
  ['session', 'leaseTtlMinMs', 'leaseTtlMaxMs'],
  ['limits', 'sessionsPerPrincipalMax', 'sessionsMax'],
  ['limits', 'watchersPerPrincipalMax', 'watchersMax'],
  ['limits', 'requestsPerPrincipalMax', 'requestsInFlightMax'],
  ['limits', 'callsPerPrincipalMax', 'callsMax'],
  ['limits', 'connectionsPerAddressMax', 'connectionsMax'],
  ['events', 'batchEventsMax', 'watcherQueueEventsMax'],
  ['events', 'watcherQueueEventsMax', 'logEventsMax'],
  ['driver', 'reopenBackoffMinMs', 'reopenBackoffMaxMs'],
] as const) {
  const bounds = { batchEventsMax: 2, watcherQueueEventsMax: 2, logEventsMax: 2, [lower]: 9, [upper]: 8 };
  const keys = group === 'events' ? bounds : { [lower]: 9, [upper]: 8 };
  test(`${lower} above ${upper}`, async (t) => {
    const problem = (await problemsOf({ yaml: JSON.stringify({ [group]: keys }) })).find(
      ({ path }) => path === `${group}.${lower}`,
    );
    t.is(problem?.message, `${group}.${lower} (9) is above ${group}.${upper} (8).`);
    t.is(problem?.remedy, `Lower ${group}.${lower}, or raise ${group}.${upper}.`);
  });
}

for (const [yaml, path, low, high] of [
  ['driver: { slowCallsMax: 10 }', 'driver.slowCallsMax', 10, 12],
  ['driver: { nativeCallsMax: 6 }', 'driver.nativeCallsMax', 4, 6],
] as const) {
  test(
    `native calls of which too few are not slow, by ${path}`,
    refuses,
    { yaml },
    path,
    new RegExp(`slowCallsMax \\(${low}\\) must be at least 3 below driver.nativeCallsMax \\(${high}\\)`),
    /Lower driver.slowCallsMax/,
  );
}
test('native calls of which just enough are not slow', accepts, { yaml: 'driver: { slowCallsMax: 9 }' });

test(
  'where only the upper of two keys was written, it is the one to blame',
  refuses,
  { yaml: 'limits: { sessionsMax: 10 }' },
  'limits.sessionsMax',
  /sessionsPerPrincipalMax \(64\) is above limits.sessionsMax \(10\)/,
  /Lower/,
);

for (const [yaml, path, needed] of [
  [`tls: { certFile: ${certificate} }`, 'tls.certFile', 'tls.keyFile'],
  [`tls: { keyFile: ${certificate} }`, 'tls.keyFile', 'tls.certFile'],
  ['tls: { keyPassphrase: x }', 'tls.keyPassphrase', 'tls.keyFile'],
  [`tls: { clientCaFile: ${certificate} }`, 'tls.clientCaFile', 'tls.certFile'],
  [`tls: { clientDenyFile: ${certificate} }`, 'tls.clientDenyFile', 'tls.clientCaFile'],
  ['tls: { requireClientCertificate: true }', 'tls.requireClientCertificate', 'tls.clientCaFile'],
  ['access: { jwt: { issuer: x } }', 'access.jwt.issuer', 'access.jwt.jwksFile'],
  ['access: { jwt: { audience: x } }', 'access.jwt.audience', 'access.jwt.jwksFile'],
] as const) {
  test(`${path} without ${needed}`, refuses, { yaml }, path, /has no effect without/, new RegExp(needed));
}

test('a key set needs the issuer and the audience of its tokens', async (t) => {
  const yaml = `access: ${AUTHENTICATED.replace('}', `}`).replace('{ mode', `{ jwt: { jwksFile: ${certificate} }, mode`)}`;
  const needed = (await problemsOf({ yaml })).map(({ message }) => message);
  t.deepEqual(
    needed,
    ['issuer', 'audience'].map((name) => `access.jwt.jwksFile has no effect without access.jwt.${name}.`),
  );
});

test(
  'credentials that anonymous access would ignore',
  refuses,
  { yaml: `access: { tokensFile: ${certificate} }` },
  'access.tokensFile',
  /gives every caller all rights/,
  /authenticated/,
);

test(
  'roles that anonymous access would ignore',
  refuses,
  { yaml: AUTHENTICATED.replace('authenticated', 'anonymous').replace(/^/, 'access: ') },
  'access.roles',
  /gives every caller all rights/,
  /authenticated/,
);

test(
  'authentication without any credential to accept',
  refuses,
  { yaml: `access: ${AUTHENTICATED}` },
  'access.mode',
  /no kind of credential/,
  /tokensFile/,
);

test(
  'authentication where nobody has a role',
  refuses,
  { yaml: `access: { mode: authenticated, tokensFile: ${certificate} }` },
  'access.mode',
  /every call would be refused/,
  /access.roles/,
);

test(
  'a file that is not there',
  refuses,
  { yaml: `tls: { certFile: /nowhere.pem, keyFile: ${certificate} }` },
  'tls.certFile',
  /does not exist/,
  /It holds: the certificate/,
);

test(
  'a rule about a key that is wrong by itself waits until that is right',
  refuses,
  { yaml: 'limits: { sessionsMax: 0, sessionsPerPrincipalMax: 9999 }' },
  'limits.sessionsMax',
  /whole number/,
  /whole number/,
);

test('a limit of calls that keeps the others from being reached is worth a warning', async (t) => {
  const { warnings } = await load({ yaml: 'limits: { callsPerPrincipalMax: 363 }' });
  t.is(warnings[0]?.path, 'limits.callsPerPrincipalMax');
  t.regex(warnings[0]?.message ?? '', /can have 363 calls, but .* together can be 364 calls/);
  t.regex(warnings[0]?.remedy ?? '', /Raise it to 364/);
  t.deepEqual((await load({ yaml: 'limits: { callsPerPrincipalMax: 364 }' })).warnings, []);
});

test('more native calls than the pool of threads bears are worth a warning', async (t) => {
  const { warnings } = await load({ environment: { UV_THREADPOOL_SIZE: '12' } });
  t.is(warnings[0]?.path, 'driver.nativeCallsMax');
  t.regex(warnings[0]?.remedy ?? '', /Lower it to 10, or start with UV_THREADPOOL_SIZE=14/);
});

test('auto is wlanapi on Windows and the built simulator elsewhere; a library that is named is used', (t) => {
  t.deepEqual(chooseDriver(makeConfig(), 'win32'), { kind: 'wlanapi' });
  const simulator = chooseDriver(makeConfig(), 'linux');
  t.regex(simulator.kind === 'simulator' ? simulator.library : '', /dist.native.simulator.libwfdsim\.so$/);
  const named = makeConfig({ driver: { kind: 'simulator', simulatorLibrary: 'C:\\x.dll' } });
  t.deepEqual(chooseDriver(named, 'win32'), { kind: 'simulator', library: 'C:\\x.dll' });
});
