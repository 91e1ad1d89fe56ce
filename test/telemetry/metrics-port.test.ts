/** The port of the metrics: whom it answers, and that nobody can hold it. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { servePort } from '../../service/telemetry/metrics-port.js';

const CONNECTIONS_MAX = 20;

async function portFor(t: ExecutionContext, hostNames: readonly string[] = [], host = '127.0.0.1'): Promise<number> {
  const server: Server = await servePort({ host, port: 0, hostNames }, (_, response) => {
    response.end('the metrics');
  });
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function open(port: number, address = '127.0.0.1'): Promise<Socket> {
  const socket = connect(port, address);
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

async function ask(port: number, host: string, address?: string): Promise<string> {
  const socket = await open(port, address);
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.write(`GET /metrics HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  await once(socket, 'close');
  return text;
}

test('loopback names, the address itself and what is configured are answered, other names are 421', async (t) => {
  const port = await portFor(t, ['wfdd-7.Example.com']);
  for (const host of ['localhost', 'LOCALHOST:9464', '127.0.0.1', '127.9.9.9:1', '[::1]:9', 'WFDD-7.example.com:80']) {
    t.regex(await ask(port, host), /^HTTP\/1\.1 200 /, host);
  }
  const foreign = [
    'attacker.example',
    'localhost.attacker.example',
    '127.0.0.1.nip.io',
    '10.0.0.1',
    'wfdd-7',
    '',
    '[::2]',
  ];
  for (const host of foreign) {
    const answer = await ask(port, host);
    t.regex(answer, /^HTTP\/1\.1 421 /, host);
    t.notRegex(answer, /the metrics/, host);
  }
});

test('a scraper finds room however many hold requests that are not whole, and those are closed', async (t) => {
  const port = await portFor(t);
  const halves = await Promise.all(
    Array.from({ length: 3 * CONNECTIONS_MAX }, async () => {
      const socket = await open(port);
      socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n');
      return socket;
    }),
  );
  t.regex(await ask(port, 'localhost'), /^HTTP\/1\.1 200 /);
  // Each ends by itself, if only some seconds later.
  const ended = halves.map(async (socket) => {
    socket.resume();
    if (!socket.closed) await once(socket, 'close');
  });
  await Promise.all(ended);
  t.pass();
});
