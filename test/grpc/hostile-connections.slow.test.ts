/**
 * Connections by the thousand, slow ones, and requests that never end: what they hold is bounded,
 * and the others are served.
 */
import { once } from 'node:events';
import { type ClientHttp2Stream, constants } from 'node:http2';
import { setTimeout as pause } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { CONNECTION_PREFACE, frameFlag as flag, frame, PreparedCall, frameType as type } from '../bench/load/frames.js';
import { display, withGateway } from '../harness/gateway.js';
import { endOf, framed, WireClient } from '../harness/grpc-wire.js';
import { RawPeer } from '../harness/raw-peer.js';
import { Siege } from '../harness/siege.js';

const PER_ADDRESS = 200;
const IN_ALL = 500;
/** The default. */
const UNKNOWN_PER_ADDRESS = 50;
/** Longer than a busy machine takes to send what is too much together. */
const TRANSIT_MS = 5000;
const MEGABYTE = 2 ** 20;

const siege = new Siege(
  ...[
    'keepalive.timeMs=2000',
    // So long can a peer of these tests be kept from answering a PING by a busy machine.
    'keepalive.timeoutMs=20000',
    // A busy machine may take its time for a call.
    'limits.identifyMs=20000',
    `limits.connectionsMax=${IN_ALL}`,
    `limits.connectionsPerAddressMax=${PER_ADDRESS}`,
    `limits.transitMs=${TRANSIT_MS}`,
    `limits.transitBytesMax=${16 * MEGABYTE}`,
  ].flatMap((set) => ['--set', set]),
);
const getHost = 'wifidirect.v1.HostService/GetHost';
const call = new PreparedCall(`/${getHost}`, Buffer.alloc(0));
const good = call.onStream(1, Buffer.alloc(0)).subarray(9, -14);
const CONTINUATION = 9;

/** Those of so many that the daemon has let stand: it has greeted them. */
async function connectMany(count: number, localAddress: string): Promise<RawPeer[]> {
  const standing: RawPeer[] = [];
  const BATCH = 50;
  for (let made = 0; made < count; made += BATCH) {
    const peers = await Promise.all(
      Array.from({ length: BATCH }, () => RawPeer.greet(siege.address, { localAddress })),
    );
    standing.push(...peers.filter(({ isClosed }) => !isClosed));
  }
  return standing;
}

async function release(peers: readonly RawPeer[]): Promise<void> {
  for (const peer of peers) peer.destroy();
  await Promise.all(peers.map(({ closed }) => closed));
}

/** A connection that has made a call: somebody is known on it. */
async function connectKnown(localAddress: string): Promise<RawPeer> {
  const peer = await RawPeer.greet(siege.address, { localAddress });
  peer.stayAlive();
  await peer.send(call.onStream(1, Buffer.alloc(0)));
  await peer.frame(({ type: of }) => of === type.data);
  return peer;
}

const events = () => siege.gateway.daemon.log.filter(({ event }) => event === 'connection-refused');

// On Linux a client may come from any address of 127.0.0.0/8.
test.serial('thousands of connections from one address find room for some, and take none of the others', async (t) => {
  t.timeout(240_000);
  await siege.endure(t, async () => {
    const known = await Promise.all(Array.from({ length: 10 }, () => connectKnown('127.0.0.2')));
    const peers = await connectMany(2000, '127.0.0.2');
    // Who is closed hears of it a moment later.
    while (peers.filter(({ isClosed }) => !isClosed).length > UNKNOWN_PER_ADDRESS) await pause(10);
    t.true(known.every(({ isClosed }) => !isClosed));
    const other = await connectKnown('127.0.0.3');
    t.false(other.isClosed);
    await release([...known, ...peers, other]);
  });
  const [{ msg, client } = { msg: '', client: '' }] = events();
  t.is(msg, 'A connection was given up for a new one: no call on it had been let in.');
  t.regex(String(client), /^127\.0\.0\.2:\d+$/);
});

test.serial(
  'callers who are known have no more connections than their address may have, and all may have',
  async (t) => {
    t.timeout(240_000);
    await siege.endure(t, async () => {
      const peers: RawPeer[] = [];
      for (const address of ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5']) {
        for (let made = 0; made < PER_ADDRESS + 20; made += 20) {
          peers.push(...(await Promise.all(Array.from({ length: 20 }, () => connectKnown(address)))));
        }
      }
      const standing = peers.filter(({ isClosed }) => !isClosed).length;
      t.true(standing < IN_ALL, `${standing} stand`);
      t.true(standing > PER_ADDRESS, `${standing} stand`);
      await release(peers);
    });
    const told = new Set(events().map(({ msg }) => msg));
    t.true(told.has(`A connection was refused: limits.connectionsPerAddressMax is reached, which is ${PER_ADDRESS}.`));
  },
);

test.serial('a thousand silent connections from five addresses shut nobody out', async (t) => {
  t.timeout(240_000);
  await siege.endure(t, async () => {
    let isOn = true;
    const silent: RawPeer[] = [];
    const attack = async (address: string) => {
      while (isOn && silent.length < 3000) {
        const connect = () => RawPeer.connect(siege.address, { localAddress: address });
        silent.push(...(await Promise.all(Array.from({ length: 20 }, connect))));
      }
    };
    const attacks = [2, 3, 4, 5, 6].map((last) => attack(`127.0.0.${last}`));
    while (silent.length < 1000) await pause(10);
    for (let made = 0; made < 20; made += 1) {
      const admin = await connectKnown('127.0.0.9');
      t.false(admin.isClosed, `connection ${made} of a caller who is known`);
      admin.destroy();
    }
    isOn = false;
    await Promise.all(attacks);
    // Also those whom nobody needs the place of are closed: nobody has made a call on them.
    await Promise.all(silent.map(({ closed }) => closed));
    t.log(`${silent.length} silent connections`);
  });
});

test.serial('a place is given back when its connection ends, however it does', async (t) => {
  await withGateway(
    ['--set', 'limits.connectionsPerAddressMax=20', '--set', 'limits.identifyMs=60000'],
    async (gateway) => {
      const { address } = gateway.daemon;
      const ends: ((peer: RawPeer) => void)[] = [
        (peer) => peer.destroy(),
        (peer) => peer.reset(),
        (peer) => peer.socket.end(),
      ];
      for (const end of ends) {
        for (let round = 0; round < 5; round += 1) {
          const peers = await Promise.all(
            Array.from({ length: 10 }, async (_, i) => {
              if (i % 3 === 0) return RawPeer.connect(address, { localAddress: '127.0.0.2' });
              const peer = await RawPeer.greet(address, { localAddress: '127.0.0.2' });
              // A stream that stays open.
              if (i % 3 === 1) await peer.send(frame(type.headers, flag.endHeaders, 1, good));
              return peer;
            }),
          );
          for (const peer of peers) end(peer);
          await Promise.all(peers.map(({ closed }) => closed));
        }
      }
      const peers = await Promise.all(
        Array.from({ length: 18 }, () => RawPeer.greet(address, { localAddress: '127.0.0.2' })),
      );
      t.deepEqual(
        gateway.daemon.log.filter(({ event }) => event === 'connection-refused'),
        [],
      );
      await release(peers);
    },
  );
});

test.serial('a connection whose every call is refused is closed after some twenty', async (t) => {
  await siege.endure(t, async () => {
    const peer = await RawPeer.greet(siege.address);
    const unserved = new PreparedCall('/no.Such/Thing', Buffer.alloc(0));
    for (let stream = 1; stream < 100 && !peer.isClosed; stream += 2) {
      await peer.send(unserved.onStream(stream, Buffer.alloc(0)));
      await peer.frame((each) => each.stream === stream && each.type === type.headers);
    }
    await peer.closed;
    const answered = peer.frames.filter((each) => each.type === type.headers).length;
    t.is(answered, 20);
    t.is(peer.goAwayCode, constants.NGHTTP2_NO_ERROR);
  });
});

test.serial('a thousand quick cancels cost a client its connection, not the calls that stand on it', async (t) => {
  await siege.endure(t, async () => {
    using client = new WireClient(siege.address);
    const goAway = once(client.session, 'goaway');
    const watch = client.start('wifidirect.v1.SessionService/WatchSessions');
    watch.end(framed(Buffer.alloc(0)));
    await once(watch, 'data');
    for (let round = 0; round < 20 && !client.session.closed; round += 1) {
      const calls = Array.from({ length: 50 }, () => client.start('wifidirect.v1.SessionService/WatchSessions'));
      await pause(5);
      for (const each of calls) each.close(constants.NGHTTP2_CANCEL);
      await pause(5);
    }
    const [code] = await goAway;
    t.is(code, constants.NGHTTP2_NO_ERROR);
    t.false(watch.closed);
    const { id } = await siege.gateway.openSession({ deviceAddress: display });
    await once(watch, 'data');
    await siege.gateway.close(id, { waitForDisconnect: true });
  });
  t.true(events().some(({ msg, client }) => /closed to new calls/.test(msg) && /^127\.0\.0\.1:/.test(String(client))));
});

test.serial(
  'a connection without a call is closed after a while; who calls again gets through, and who watches is left',
  async (t) => {
    await withGateway(['--set', 'limits.connectionIdleMs=1000'], async (gateway) => {
      const watcher = gateway.watch();
      await watcher.first(({ snapshotComplete }) => snapshotComplete);
      await gateway.getHost();
      const idle = await RawPeer.greet(gateway.daemon.address);
      const called = await RawPeer.greet(gateway.daemon.address);
      await called.send(call.onStream(1, Buffer.alloc(0)));
      for (const peer of [idle, called]) {
        await peer.closed;
        t.is(peer.goAwayCode, constants.NGHTTP2_NO_ERROR);
      }
      t.is((await gateway.getHost()).limits?.connectionIdleMax?.seconds, 1n);
      const { id } = await gateway.openSession({ deviceAddress: display });
      await watcher.event(id, 'OPENED');
      watcher.cancel();
    });
  },
);

test.serial('a connection that drips its preface is closed, and so is one that drips headers', async (t) => {
  await siege.endure(t, async () => {
    const drips = Array.from({ length: 100 }, async (_, i) => {
      const isGreeted = i % 2 === 0;
      const peer = isGreeted ? await RawPeer.greet(siege.address) : await RawPeer.connect(siege.address);
      if (isGreeted) await peer.send(frame(type.headers, 0, 1, good));
      let sent = 0;
      const drip = setInterval(() => {
        // Never the last byte of the preface.
        const next = CONNECTION_PREFACE.subarray(sent, Math.min(sent + 1, CONNECTION_PREFACE.length - 1));
        void peer.send(isGreeted ? frame(CONTINUATION, 0, 1, Buffer.alloc(0)) : next);
        sent += 1;
      }, 200);
      await peer.closed;
      clearInterval(drip);
    });
    await Promise.all(drips);
  });
});

test.serial('a request that does not come, or comes a byte at a time, is refused after a while', async (t) => {
  await siege.endure(t, async () => {
    using client = new WireClient(siege.address);
    await once(client.session, 'remoteSettings');
    const streams = Array.from({ length: 900 }, () => client.start(getHost));
    const drip = setInterval(() => {
      for (const stream of streams) if (stream.writable) stream.write(Buffer.alloc(1));
    }, TRANSIT_MS / 3);
    for (const { status: told } of await Promise.all(streams.map(endOf))) {
      t.is(told?.code, status.RESOURCE_EXHAUSTED);
      t.is(told?.info?.reason, 'QUOTA_EXCEEDED');
      t.deepEqual(told?.info?.metadata, {
        subject: 'host',
        limit: 'transit_max',
        limit_value: `${TRANSIT_MS / 1000}s`,
      });
    }
    clearInterval(drip);
  });
});

test.serial('requests that are never finished hold no more than their bound, and small ones go on', async (t) => {
  const size = MEGABYTE - 5;
  const unfinished = framed(Buffer.alloc(size - 1), { length: size });
  await siege.endure(
    t,
    async () => {
      using client = new WireClient(siege.address);
      await once(client.session, 'remoteSettings');
      const start = (): ClientHttp2Stream => {
        const stream = client.start(getHost);
        stream.write(unfinished);
        return stream;
      };
      const ends = await Promise.all(Array.from({ length: 300 }, () => endOf(start())));
      const limits = new Map<string, number>();
      for (const { status: told, resetCode } of ends) {
        const limit = told?.info?.metadata['limit'] ?? `reset ${resetCode}`;
        limits.set(limit, (limits.get(limit) ?? 0) + 1);
      }
      t.log(Object.fromEntries(limits));
      t.true(limits.has('transit_bytes_max'));
      t.deepEqual(
        [...limits.keys()].filter((limit) => !['transit_bytes_max', 'transit_max'].includes(limit)),
        [],
      );
    },
    // 16 MiB, and up to 64 KiB of each stream that Node has read before it is refused.
    { grownMegabytesMax: 150 },
  );
});

test.serial('watches by the thousand on one connection stand up to the quota', async (t) => {
  await siege.endure(t, async () => {
    using client = new WireClient(siege.address);
    await once(client.session, 'remoteSettings');
    const watch = 'wifidirect.v1.SessionService/WatchSessions';
    const streams = Array.from({ length: 3000 }, () => {
      const stream = client.start(watch);
      stream.end(framed(Buffer.alloc(0)));
      return stream;
    });
    let standing = 0;
    const refused = streams.map(async (stream) => {
      const began = once(stream, 'data').then(() => 'stands' as const);
      const end = endOf(stream);
      if ((await Promise.race([began, end])) === 'stands') {
        standing += 1;
        // Room for one that waits until the connection has fewer than it may.
        stream.close();
        return;
      }
      const { status: told } = await end;
      t.is(told?.info?.reason, 'QUOTA_EXCEEDED');
    });
    await Promise.all(refused);
    t.true(standing >= 90);
  });
});

test.serial('a call that ends before its request does holds nothing', async (t) => {
  await siege.endure(t, async () => {
    const peer = await RawPeer.greet(siege.address);
    const unserved = new PreparedCall('/no.Such/Thing', Buffer.alloc(0)).onStream(1, Buffer.alloc(0)).subarray(9, -14);
    for (let stream = 1; stream < 4000; stream += 2) {
      await peer.send(
        frame(type.headers, flag.endHeaders, stream, unserved),
        frame(type.data, 0, stream, Buffer.alloc(16_000)),
      );
    }
    // The connection's window is all that its client may send unread.
    peer.destroy();
    await peer.closed;
  });
});
