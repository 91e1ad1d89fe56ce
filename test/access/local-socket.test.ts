/** Unix sockets: who may connect, and what becomes of a file that is there already. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { call, failure } from '../harness/calls.js';
import { type Clients, type ConfigValues, Host, misuses } from '../harness/host.js';
import { Files } from './files.js';

const tokens = { fleet: 'token-of-fleet' };
const getHost = ({ host }: Clients) => call(host.getHost.bind(host), {});
const codeOf = async (answer: Promise<unknown>) => (await failure(answer)).code;

function start(files: Files, values: ConfigValues): Promise<Host> {
  const roles = [{ role: 'viewer' as const, principals: ['*'] }];
  return Host.start({ access: { mode: 'authenticated', tokensFile: files.writeTokens(tokens), roles }, ...values });
}

const onUnix = process.platform === 'win32' ? test.serial.skip : test.serial;
onUnix('a local socket is served without TLS beside it, and asks for a token all the same', async (t) => {
  using files = new Files();
  const socket = `unix:${files.path('wfdd.sock')}`;
  await using host = await start(files, { listen: ['127.0.0.1:0', socket] });
  t.is(host.addresses[1], socket);
  await getHost(host.clients(tokens.fleet, undefined, socket));
  t.is(await codeOf(getHost(host.clients(undefined, undefined, socket))), status.UNAUTHENTICATED);
});

onUnix('a local socket that a killed daemon left behind is in the way of nobody', async (t) => {
  using files = new Files();
  const path = files.path('wfdd.sock');
  const left = spawnSync(process.execPath, ['-e', `net.createServer().listen(${JSON.stringify(path)}, process.abort)`]);
  t.is(left.signal, 'SIGABRT');
  await using host = await start(files, { listen: [`unix:${path}`] });
  await getHost(host.clients(tokens.fleet));
});

onUnix('a local socket that another process serves is left to it', async (t) => {
  using files = new Files();
  const path = files.path('wfdd.sock');
  const other = createServer().listen(path);
  await once(other, 'listening');
  await t.throwsAsync(start(files, { listen: [`unix:${path}`] }), { message: /EADDRINUSE|address already in use/ });
  t.true(existsSync(path));
  other.close();
});

onUnix('a socket has the mode of the configuration, whatever the umask is', async (t) => {
  using files = new Files();
  const path = files.path('wfdd.sock');
  const modeOf = () => statSync(path).mode & 0o777;
  const before = process.umask(0);
  try {
    {
      await using _ = await start(files, { listen: [`unix:${path}`] });
      t.is(modeOf(), 0o660);
    }
    process.umask(0o077);
    await using host = await start(files, { listen: [`unix:${path}`], socketMode: '0666' });
    t.is(modeOf(), 0o666);
    t.is(process.umask(), 0o077, 'what else is made has the mode that it had');
    await getHost(host.clients(tokens.fleet));
  } finally {
    process.umask(before);
  }
});

onUnix('a socket that a living program has bound and does not serve yet is left to it, with its mode', async (t) => {
  using files = new Files();
  const path = files.path('wfdd.sock');
  const program = `
import socket, sys
held = socket.socket(socket.AF_UNIX)
held.bind(sys.argv[1])
print("bound", flush=True)
sys.stdin.read()`;
  const other = spawn('python3', ['-c', program, path], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(other.stdout, 'data');
  chmodSync(path, 0o600);
  await t.throwsAsync(start(files, { listen: [`unix:${path}`] }), { message: /another program uses this socket/ });
  t.is(statSync(path).mode & 0o777, 0o600);
  other.stdin.end();
  await once(other, 'exit');
  await using host = await start(files, { listen: [`unix:${path}`] });
  await getHost(host.clients(tokens.fleet));
});

test.after('nothing was misused', (t) => {
  t.deepEqual(misuses(), []);
});
