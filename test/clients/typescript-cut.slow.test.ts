/**
 * A watch of the real daemon whose connection is cut, and whose host is stopped, killed and started
 * again.
 */
import { once } from 'node:events';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import test from 'ava';
import { filter, firstValueFrom, ReplaySubject, take, toArray } from 'rxjs';
import { type Client, connect, type SessionWatchItem } from '../../clients/typescript/src/client.js';
import { startDaemon } from '../harness/daemon.js';

const deviceAddress = '02:11:22:33:44:01';
const backoff = { initialMs: 20, maxMs: 100 };

/** A way to a host that can be cut, and closed for a while. */
class Way {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isOpen = true;

  constructor(address: string) {
    const [host, port] = address.split(':');
    this.#server = createServer((near) => {
      if (!this.#isOpen) return void near.destroy();
      const far = dial(Number(port), host);
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
  }

  async open(): Promise<string> {
    this.#isOpen = true;
    if (!this.#server.listening) await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    const address = this.#server.address();
    return `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  }

  cut(): void {
    this.#isOpen = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}

/** Opens and closes a session; the cursor after it. */
async function oneSession(client: Client): Promise<string> {
  const session = client.sessions.hold({ deviceAddress });
  await session.opened;
  await session.close();
  return (await client.sessions.get(session.sessionId)).cursor;
}

const next = (items: ReplaySubject<SessionWatchItem>, kind: SessionWatchItem['kind']) =>
  firstValueFrom(items.pipe(filter((item) => item.kind === kind)));

const seenTo = (items: ReplaySubject<SessionWatchItem>, cursor: string) =>
  firstValueFrom(items.pipe(filter((item) => 'cursor' in item && item.cursor === cursor)));

test('a watch that is cut again and again sees every event once, in order', async (t) => {
  const daemon = await startDaemon('--driver', 'simulator');
  const way = new Way(daemon.address);
  const direct = connect(daemon.address);
  const cuttable = connect(await way.open(), { channelOptions: { 'grpc.initial_reconnect_backoff_ms': 100 } });
  try {
    const items = new ReplaySubject<SessionWatchItem>();
    const subscription = cuttable.sessions.watch({ backoff }).subscribe(items);
    await next(items, 'snapshot');
    for (let round = 0; round < 3; round++) {
      const cut = firstValueFrom(
        items.pipe(
          filter((item) => item.kind === 'disconnected'),
          take(round + 1),
          toArray(),
        ),
      );
      way.cut();
      await cut;
      const cursor = await oneSession(direct);
      await way.open();
      await seenTo(items, cursor);
    }
    subscription.unsubscribe();
    items.complete();
    const seen = await firstValueFrom(items.pipe(toArray()));
    const sequences = seen.flatMap((item) => (item.kind === 'event' ? [Number(item.event.sequence)] : []));
    t.true(sequences.length >= 12);
    t.deepEqual(
      sequences,
      Array.from(sequences, (_, i) => i + 1),
    );
    t.is(seen.filter(({ kind }) => kind === 'snapshot').length, 1);
  } finally {
    cuttable.close();
    direct.close();
    way.close();
    t.is(await daemon.stop(), 0);
  }
});

test('a host that stops says so, and that it may be back', async (t) => {
  const daemon = await startDaemon('--driver', 'simulator');
  const client = connect(daemon.address);
  const items = new ReplaySubject<SessionWatchItem>();
  const subscription = client.sessions.watch({ backoff }).subscribe(items);
  await next(items, 'snapshot');
  t.is(await daemon.stop(), 0);
  const item = await next(items, 'disconnected');
  t.like(item, { error: { reason: 'HOST_STOPPING', retryDelayMs: 5000 } });
  t.true(item.kind === 'disconnected' && item.retryInMs >= 5000);
  subscription.unsubscribe();
  client.close();
});

test('after the host was killed and started again, the watch goes on with a new snapshot', async (t) => {
  const first = await startDaemon('--driver', 'simulator');
  const client = connect(first.address, { channelOptions: { 'grpc.initial_reconnect_backoff_ms': 100 } });
  const items = new ReplaySubject<SessionWatchItem>();
  const subscription = client.sessions.watch({ backoff }).subscribe(items);
  await next(items, 'snapshot');
  await oneSession(client);
  await first.kill();
  await next(items, 'disconnected');
  const second = await startDaemon('--driver', 'simulator', '--listen', first.address);
  try {
    const snapshots = items.pipe(
      filter((item) => item.kind === 'snapshot'),
      take(2),
      toArray(),
    );
    const [before, after] = await firstValueFrom(snapshots);
    t.not(before?.cursor, after?.cursor);
    const told = await firstValueFrom(
      items.pipe(filter((item) => item.kind === 'disconnected' && item.error.reason === 'CURSOR_EXPIRED')),
    );
    t.truthy(told);
    await seenTo(items, await oneSession(client));
  } finally {
    subscription.unsubscribe();
    client.close();
    t.is(await second.stop(), 0);
  }
});
