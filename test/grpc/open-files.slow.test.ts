/**
 * A process that may open few files: it says so, serves fewer connections, and goes on with
 * everything else.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import test from 'ava';
import { connectionsWithin } from '../../service/config/open-files.js';
import { frameType, PreparedCall } from '../bench/load/frames.js';
import { type LogLine, launcher } from '../harness/daemon.js';
import { RawPeer } from '../harness/raw-peer.js';

const OPEN_FILES = 256;
const getHost = new PreparedCall('/wifidirect.v1.HostService/GetHost', Buffer.alloc(0));

function startWithin(files: number): { child: ChildProcess; line: (event: string, msg?: string) => Promise<LogLine> } {
  const args = [
    '--listen',
    '127.0.0.1:0',
    '--driver',
    'simulator',
    '--log-format',
    'json',
    '--set',
    'metrics.listen=127.0.0.1:0',
  ];
  const script = `ulimit -n ${files}; exec "$0" "$@"`;
  const child = spawn('bash', ['-c', script, process.execPath, launcher, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const lines: LogLine[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on('line', (text) => {
    lines.push(JSON.parse(text) as LogLine);
    for (const wake of waiting) wake();
  });
  const line = async (event: string, msg?: string): Promise<LogLine> => {
    for (;;) {
      const found = lines.find((each) => each.event === event && (msg === undefined || each.msg === msg));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => waiting.add(resolve));
    }
  };
  return { child, line };
}

/** True: a call on a new connection was answered. */
async function connectAndCall(address: string, localAddress: string): Promise<{ peer: RawPeer; isServed: boolean }> {
  const peer = await RawPeer.greet(address, { localAddress });
  await peer.send(getHost.onStream(1, Buffer.alloc(0)));
  return { peer, isServed: (await peer.frame(({ type }) => type === frameType.data)) !== undefined };
}

test('with files for few connections the start says so, those served go on, and the rest is refused, counted and logged', async (t) => {
  const { child, line } = startWithin(OPEN_FILES);
  t.teardown(() => child.kill('SIGKILL'));
  const room = connectionsWithin(1000, OPEN_FILES);
  t.is(room, 176);
  t.like(await line('config-warning'), {
    path: 'limits.connectionsMax',
    msg: `limits.connectionsMax: The limit on open files is 256, so the daemon serves 176 connections at once, not 1000. Raise the limit (ulimit -n, or LimitNOFILE in systemd) to 1080 or more, or lower limits.connectionsMax.`,
  });
  const [address = ''] = (await line('serving'))['addresses'] as string[];
  const metrics = `http://${String((await line('metrics-serving'))['address'])}/metrics`;

  const peers: RawPeer[] = [];
  let served = 0;
  for (let made = 0; made < 300; made += 20) {
    const connect = () => connectAndCall(address, made % 40 === 0 ? '127.0.0.2' : '127.0.0.3');
    for (const { peer, isServed } of await Promise.all(Array.from({ length: 20 }, connect))) {
      peers.push(peer);
      if (isServed) served += 1;
    }
  }
  t.is(served, room);
  t.false((await connectAndCall(address, '127.0.0.4')).isServed);
  await line('connection-refused', `A connection was refused: limits.connectionsMax is reached, which is ${room}.`);
  const figures = await (await fetch(metrics)).text();
  t.true(Number(/^wfdd_connections_refused_total (\d+)$/m.exec(figures)?.[1]) >= 301 - room);
  const standing = peers.find(({ isClosed }) => !isClosed);
  const before = standing?.frames.length ?? 0;
  await standing?.send(getHost.onStream(3, Buffer.alloc(0)));
  t.truthy(await standing?.frame((frame) => frame.stream === 3 && frame.type === frameType.data));
  t.true((standing?.frames.length ?? 0) > before);

  for (const peer of peers) peer.destroy();
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  t.is(code, 0);
});
