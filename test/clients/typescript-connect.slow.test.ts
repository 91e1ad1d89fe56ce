/**
 * An address that takes no connection: TCP itself gets no answer. What comes after TCP is in
 * `test/conformance`.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as dial, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { firstValueFrom } from 'rxjs';
import { connect, GatewayError } from '../../clients/typescript/src/client.js';
import { startDaemon } from '../harness/daemon.js';

const onLinux = process.platform === 'linux' ? test : test.skip;

/** Passes connections on, and has room for hardly any that it has not accepted. */
const passesOn = `
  const { connect, createServer } = require('node:net');
  const [host, port] = process.argv[1].split(':');
  createServer((near) => {
    const far = connect(Number(port), host);
    for (const socket of [near, far]) socket.on('error', () => {}).on('close', () => { near.destroy(); far.destroy(); });
    near.pipe(far).pipe(near);
  }).listen({ host: '127.0.0.1', port: 0, backlog: 1 }, function () { console.log(this.address().port); });
`;

/**
 * Connections until the kernel takes no more: those that the process does not accept fill its
 * queue.
 */
async function fill(port: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (;;) {
    const socket = dial(port, '127.0.0.1').on('error', () => {});
    sockets.push(socket);
    const isTaken = await Promise.race([once(socket, 'connect').then(() => true), pause(500, false)]);
    if (!isTaken) return sockets;
  }
}

onLinux('where TCP gets no answer calls fail in time, and work once there is one', async (t) => {
  t.timeout(180_000);
  const daemon = await startDaemon('--driver', 'simulator');
  const way: ChildProcessByStdio<null, Readable, null> = spawn(process.execPath, ['-e', passesOn, daemon.address], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(way.stdout, 'data');
  const port = Number(line);
  way.kill('SIGSTOP');
  const sockets = await fill(port);
  const client = connect(`127.0.0.1:${port}`, { connectTimeoutMs: 500, timeoutMs: 60_000 });
  try {
    const stream = firstValueFrom(client.sessions.watch());
    for (const call of [client.host(), client.health(), client.host()]) {
      const error = await t.throwsAsync(call, { instanceOf: GatewayError });
      t.is(error.code, status.UNAVAILABLE);
      t.regex(error.message, /127\.0\.0\.1:\d+ gave no answer within 500 ms/);
    }
    t.like(await stream, { kind: 'disconnected', error: { code: status.UNAVAILABLE } });
    way.kill('SIGCONT');
    for (;;) {
      const isAnswered = await client.host().then(
        () => true,
        (error: GatewayError) => t.is(error.code, status.UNAVAILABLE) && false,
      );
      if (isAnswered) break;
      await pause(50);
    }
    t.pass();
  } finally {
    client.close();
    for (const socket of sockets) socket.destroy();
    way.kill('SIGKILL');
    await daemon.stop();
  }
});
