/**
 * A daemon that cannot start says why in sentences. Its exit code says what kind of reason it is.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { EXIT } from '../../service/commands/command-line.js';
import { addressFailure, parseExcludedPorts } from '../../service/commands/start-failure.js';
import { write } from '../config/loading.js';
import { launcher } from '../harness/daemon.js';

/** Starts one that ends by itself. */
async function start(...flags: string[]) {
  const words = [launcher, '--driver', 'simulator', '--log-format', 'json', ...flags];
  const daemon = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, error, [exitCode]] = await Promise.all([text(daemon.stdout), text(daemon.stderr), once(daemon, 'exit')]);
  const last = out.trimEnd().split('\n').at(-1) ?? '';
  return {
    exitCode: exitCode as number,
    error,
    out,
    last: (last === '' ? {} : JSON.parse(last)) as Record<string, string>,
  };
}

test('an address in use is a sentence with address, reason and remedy, and no stack', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const address = `127.0.0.1:${port}`;
  for (const flags of [
    ['--listen', address],
    ['--listen', '127.0.0.1:0', '--set', `metrics.listen=${address}`],
  ]) {
    const { exitCode, out, last } = await start(...flags);
    t.is(exitCode, EXIT.address);
    t.like(last, { event: 'start-failed', address, code: 'EADDRINUSE' });
    t.regex(
      last['msg'] ?? '',
      /Cannot listen on .*: another program uses this port \(EADDRINUSE\)\. Stop that program/,
    );
    t.notRegex(out, /"stack"|\\n {4}at /);
  }
  other.close();
});

test('an address that this host does not have, and a name that nobody knows', async (t) => {
  const flags = ['--insecure-non-loopback', '--listen'];
  const { exitCode, last } = await start(...flags, '192.0.2.7:50051');
  t.is(exitCode, EXIT.address);
  t.regex(last['msg'] ?? '', /Cannot listen on 192\.0\.2\.7:50051: this host does not have this address/);
  const unknown = await start(...flags, 'no-such-host.invalid:50051');
  t.is(unknown.exitCode, EXIT.address);
  t.regex(unknown.last['msg'] ?? '', /the host name cannot be resolved/);
});

const wrongFiles: Record<string, readonly string[]> = {
  tokens: ['access.mode=authenticated', 'access.roles=[{"role":"admin","principals":["*"]}]', 'access.tokensFile='],
  'key set': [
    ...['access.mode=authenticated', 'access.roles=[{"role":"admin","principals":["*"]}]'],
    ...['access.jwt.issuer=i', 'access.jwt.audience=a', 'access.jwt.jwksFile='],
  ],
  roles: ['access.mode=authenticated', `access.tokensFile=${write('[]')}`, 'access.rolesFile='],
  certificate: [`tls.keyFile=${write('x', 'key', 0o600)}`, 'tls.certFile='],
  'library of the simulator': ['driver.simulatorLibrary='],
};

for (const [what, settings] of Object.entries(wrongFiles)) {
  test(`the check and the start say the same of a wrong ${what}`, async (t) => {
    const wrong = write('hunter2: hunter2');
    const pairs = settings.map((setting) => (setting.endsWith('=') ? `${setting}${wrong}` : setting));
    const flags = pairs.flatMap((pair) => ['--set', pair]);
    const [started, checked] = [await start(...flags), await start('config', 'check', ...flags)];
    t.is(started.exitCode, EXIT.config);
    t.is(checked.exitCode, EXIT.config);
    t.is(started.error, checked.error);
    t.is(started.out, '');
    t.regex(started.error, /^The configuration has 1 problem\./);
    t.notRegex(started.error, /hunter2|\n {4}at /);
  });
}

const excluded = `
Protokoll tcp - Portausschlussbereiche

Startport  Endport
----------    --------
      5357        5357
     50000       50059
     50060       50159     *

* - Verwaltete Portausschlüsse.
`;

test('the ranges that Windows sets aside are read in any language', (t) => {
  t.deepEqual(parseExcludedPorts(excluded), [
    [5357, 5357],
    [50000, 50059],
    [50060, 50159],
  ]);
  t.deepEqual(parseExcludedPorts('The system cannot find the file specified.'), []);
});

test('each refusal of an address has its reason and remedy', async (t) => {
  const error = (code: string) => Object.assign(new Error(`listen ${code}: refused`), { code });
  const cases: [address: string, code: string, platform: NodeJS.Platform, told: RegExp][] = [
    ['127.0.0.1:443', 'EACCES', 'linux', /cannot use ports below 1024.*CAP_NET_BIND_SERVICE/],
    ['127.0.0.1:50051', 'EACCES', 'linux', /does not allow this account/],
    ['127.0.0.1:50051', 'EACCES', 'win32', /has reserved the ports 50000 to 50059.*netsh interface ipv4 show excluded/],
    [
      '127.0.0.1:60000',
      'EACCES',
      'win32',
      /has reserved this port, or another program.*netsh interface ipv4 show excluded/,
    ],
    ['127.0.0.1:50051', 'EADDRINUSE', 'win32', /netstat -ano/],
    ['127.0.0.1:50051', 'EADDRINUSE', 'linux', /ss -ltnp/],
    ['unix:/run/wfdd/a.sock', 'EADDRINUSE', 'linux', /another program uses this socket/],
    ['unix:/run/wfdd/a.sock', 'EACCES', 'linux', /its folder does not exist, or this account cannot write/],
    ['pipe:wfdd', 'EACCES', 'win32', /another program owns this pipe/],
    ['127.0.0.1:50051', 'EMFILE', 'linux', /the system refuses it \(EMFILE\)/],
  ];
  for (const [address, code, platform, told] of cases) {
    const excludedPorts = async () => parseExcludedPorts(excluded);
    const failure = await addressFailure(address, error(code), { platform, excludedPorts });
    t.regex(failure.message, told);
    t.true(failure.message.startsWith(`Cannot listen on ${address}: `));
    t.is(failure.exitCode, EXIT.address);
  }
});
