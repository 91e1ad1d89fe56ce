/** What `wfdctl` shows a host of itself, and what it says when that is not enough. */
import { ServerCredentials } from '@grpc/grpc-js';
import test from 'ava';
import { Files } from '../access/files.js';
import { Host as Daemon } from '../harness/host.js';
import { Folder, wfdctl } from './ctl-run.js';
import { authority } from './typescript-certificates.js';
import { startHost } from './typescript-host.js';

const device = '02:11:22:33:44:01';
const environment = { WFDCTL_CONFIG: '/nobody/none.yaml' };

function startDaemon(files: Files): Promise<Daemon> {
  const roles = [{ role: 'viewer' as const, principals: ['fleet'] }];
  const tokensFile = files.writeTokens({ fleet: 'token-of-fleet' });
  return Daemon.start({ access: { mode: 'authenticated', tokensFile, roles } });
}

test.serial('a token is taken from a flag, a file or a context; without one it ends with 77', async (t) => {
  using files = new Files();
  await using daemon = await startDaemon(files);
  const to = ['--address', daemon.address];
  const tokenFile = files.write('token', 'token-of-fleet\n');
  t.like(await wfdctl(['list', ...to, '--token', 'token-of-fleet'], { environment }), { code: 0 });
  t.like(await wfdctl(['list', ...to, '--token-file', tokenFile], { environment }), { code: 0 });
  const named = { WFDCTL_CONFIG: files.path('config.yaml') };
  await wfdctl(['context', 'set', 'fleet', ...to, '--token-file', tokenFile], { environment: named });
  t.like(await wfdctl(['list'], { environment: named }), { code: 0 });
  t.like(await wfdctl(['list'], { environment: { ...named, WFDCTL_CONTEXT: 'none' } }), { code: 78 });
  for (const flags of [to, [...to, '--token', 'wrong']]) {
    const { code, stderr } = await wfdctl(['list', ...flags], { environment });
    t.is(code, 77);
    t.regex(stderr, /^wfdctl: The host can't identify you; give a valid --token-file, or --cert and --key/);
  }
});

test.serial('a file that a context names and that is not there is told of as the fault of the context', async (t) => {
  using files = new Files();
  const named = { WFDCTL_CONFIG: files.path('config.yaml') };
  const ca = files.path('none.pem');
  await wfdctl(['context', 'set', 'lab', '--address', 'lab.test:1', '--ca', ca], { environment: named });
  await wfdctl(['context', 'use', 'lab'], { environment: named });
  const { code, stderr } = await wfdctl(['list'], { environment: named });
  t.is(code, 78);
  t.is(stderr, `wfdctl: Context lab is invalid: ca: can't read ${ca}; correct it with wfdctl context set.\n`);
  t.like(await wfdctl(['list', '--ca', ca], { environment: named }), { code: 64 });
});

test.serial('what is no token is refused, and not shown', async (t) => {
  using files = new Files();
  for (const text of ['', 'top\nsecret\n', 'top secrét']) {
    const file = files.write('token', text);
    const { code, stderr } = await wfdctl(['list', '--token-file', file], { environment });
    t.is(code, 78);
    t.is(stderr, `wfdctl: No token in ${file}; give a file that contains one.\n`);
  }
  const { code, stderr } = await wfdctl(['list', '--token', 'top\nsecret'], { environment });
  t.is(code, 64);
  t.regex(stderr, /^wfdctl: Invalid --token: it contains a character that a header can't have/);
  t.notRegex(stderr, /secret/);
});

test.serial('the token of a context does not go to another address', async (t) => {
  using files = new Files();
  await using daemon = await startDaemon(files);
  const named = { WFDCTL_CONFIG: files.path('config.yaml') };
  await wfdctl(['context', 'set', 'home', '--address', 'home.example', '--token', 'token-of-fleet'], {
    environment: named,
  });
  t.like(await wfdctl(['list', '--address', daemon.address], { environment: named }), { code: 77 });
  t.like(await wfdctl(['list', '--address', daemon.address, '--context', 'home'], { environment: named }), { code: 0 });
});

test.serial('what the role does not allow ends with 77', async (t) => {
  using files = new Files();
  await using daemon = await startDaemon(files);
  const argv = ['open', device, '--address', daemon.address, '--token', 'token-of-fleet'];
  const { code, stderr } = await wfdctl(argv, { environment });
  t.is(code, 77);
  t.regex(stderr, /^wfdctl: No role of \S*fleet allows \S+OpenSession; ask the administrator of the host/);
});

test.serial('TLS: trusted, named, or told what is wrong', async (t) => {
  using folder = new Files();
  const ca = authority('ca');
  const server = ca.issue('localhost');
  const identity = { private_key: Buffer.from(server.key), cert_chain: Buffer.from(server.cert) };
  const host = await startHost({}, ServerCredentials.createSsl(Buffer.from(ca.cert), [identity], true));
  const plain = await startHost({});
  for (const { close } of [host, plain]) t.teardown(close);
  const caFile = folder.write('ca.pem', ca.cert);
  const agent = ca.issue('agent');
  const own = ['--cert', folder.write('agent.pem', agent.cert), '--key', folder.write('agent.key', agent.key)];
  const told = async (address: string, ...flags: string[]) => {
    const argv = ['list', '--address', address.replace('127.0.0.1', 'localhost'), ...flags];
    return (await wfdctl(argv, { environment })).stderr;
  };
  // This host serves nothing, but says so.
  t.regex(await told(host.address, '--ca', caFile, ...own), /too old for this/);
  t.regex(
    await told(host.address, '--tls', ...own),
    /no CA that you trust has signed the certificate of the host; check --ca\.$/m,
  );
  t.regex(
    await told(host.address, '--ca', caFile, '--server-name', 'other.example', ...own),
    /for another name; check the address, or --server-name\.$/m,
  );
  t.regex(await told(host.address, '--ca', caFile), /check --cert and --key\.$|whether it needs --tls\.$/m);
  t.regex(await told(host.address), /whether it needs --tls\.$|ECONNRESET/m);
  t.regex(await told(plain.address, '--tls'), /the host does not use TLS; add --no-tls to use clear text\.$/m);
  t.regex(
    await told('host.example:1', '--no-tls', '--token', 'x'),
    /^wfdctl: Invalid --token: it would be sent to host\.example:1 in clear text; use TLS\.$/m,
  );
  t.regex(await told(plain.address, '--ca', folder.path('none')), /^wfdctl: Invalid --ca: can't read/);
});

test.serial('a wrong address ends with 69, and names what was asked', async (t) => {
  using folder = new Folder();
  const named = { WFDCTL_CONFIG: folder.file('config.yaml') };
  const gone = await startHost({});
  gone.close();
  await wfdctl(['context', 'set', 'gone', '--address', gone.address], { environment: named });
  const { code, stderr } = await wfdctl(['devices'], { environment: named });
  t.is(code, 69);
  t.is(
    stderr,
    `wfdctl: No host answers at ${gone.address} (context gone) (ECONNREFUSED); check the address, and that wfdd is running there.\n`,
  );
  for (const command of [['open', device], ['host'], ['health'], ['watch'], ['close', 'some-session']])
    t.is((await wfdctl(command, { environment: named })).code, 69, command[0]);
});
