/** Which connections find a place, and which make room. */
import { EventEmitter } from 'node:events';
import type { Http2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { Connections, networksOf } from '../../service/grpc/connections.js';

class FakeSocket extends EventEmitter {
  readonly remotePort = 4711;
  readonly remoteAddress: string | undefined;
  isDestroyed = false;

  constructor(remoteAddress: string | undefined) {
    super();
    this.remoteAddress = remoteAddress;
  }

  destroy(): void {
    this.isDestroyed = true;
  }
}

interface Limited {
  readonly max?: number;
  readonly perAddress?: number;
  readonly unidentified?: number;
  readonly unidentifiedPerAddress?: number;
  readonly identifyMs?: number;
}

class FakeSession extends EventEmitter {
  readonly destroyed = false;
  isClosing = false;
  streamsMax: number | undefined;

  settings({ maxConcurrentStreams }: { maxConcurrentStreams: number }): void {
    this.streamsMax = maxConcurrentStreams;
  }

  get closed(): boolean {
    return this.isClosing;
  }

  close(): void {
    this.isClosing = true;
  }
}

/** Every limit that is not named is too large to matter. */
function limited({ max = 1000, perAddress = 1000, unidentified = 1000, ...others }: Limited) {
  const refused: string[] = [];
  const connections = new Connections(
    {
      connectionsMax: max,
      connectionsPerAddressMax: perAddress,
      unidentifiedConnectionsMax: unidentified,
      unidentifiedConnectionsPerAddressMax: others.unidentifiedPerAddress ?? 1000,
      identifyMs: others.identifyMs ?? 60_000,
      streamsPerConnectionMax: 700,
    },
    (client, message) => refused.push(`${client} ${message}`),
  );
  const connect = (address: string | undefined) => {
    const socket = new FakeSocket(address);
    return connections.admit(socket as unknown as Socket) ? socket : undefined;
  };
  const begin = (socket: FakeSocket | undefined) => {
    const session = new FakeSession();
    connections.begin(session as unknown as Http2Session, socket as unknown as Socket);
    return session;
  };
  const identify = (session: FakeSession) => connections.identify(session as unknown as Http2Session);
  const cancelCall = (session: FakeSession) => connections.cancelCall(session as unknown as Http2Session);
  const refuseCall = (session: FakeSession) => connections.refuseCall(session as unknown as Http2Session);
  /** One that somebody is known on. */
  const known = (address: string | undefined) => {
    const socket = connect(address);
    if (socket !== undefined) identify(begin(socket));
    return socket;
  };
  return { connections, connect, begin, identify, known, cancelCall, refuseCall, refused };
}

test('an IPv4 address is itself, however it is written, and an IPv6 address its first 64, 56 and 48 bits', (t) => {
  const ranges = (address: string | undefined) => networksOf(address).map(({ range }) => range);
  t.deepEqual(ranges('192.0.2.1'), ['192.0.2.1']);
  t.deepEqual(ranges('::ffff:192.0.2.1'), ['192.0.2.1']);
  const written = ['2001:db8:1:a1b2:3:4:5:6', '2001:db8:1:a1b2::1', '2001:0DB8:0001:A1B2::1'];
  for (const address of written) {
    t.deepEqual(ranges(address), ['2001:db8:1:a1b2::/64', '2001:db8:1:a100::/56', '2001:db8:1:0::/48'], address);
  }
  t.deepEqual(ranges('2001:db8::1')[0], '2001:db8:0:0::/64');
  t.deepEqual(ranges('fe80::1%12')[0], 'fe80:0:0:0::/64');
  t.deepEqual(ranges('::1')[0], '0:0:0:0::/64');
  t.deepEqual(ranges(undefined), []);
});

test('one address has no more than its part, and others find room until all is taken', (t) => {
  const { known, refused } = limited({ max: 3, perAddress: 2 });
  t.truthy(known('192.0.2.1'));
  t.truthy(known('::ffff:192.0.2.1'));
  t.falsy(known('192.0.2.1'));
  t.truthy(known('2001:db8::1'));
  t.falsy(known('2001:db8::2'));
  t.falsy(known(undefined));
  t.deepEqual(refused, [
    '192.0.2.1:4711 A connection was refused: limits.connectionsPerAddressMax is reached, which is 2.',
    '2001:db8::2:4711 A connection was refused: limits.connectionsMax is reached, which is 3.',
    'unknown A connection was refused: limits.connectionsMax is reached, which is 3.',
  ]);
});

test('whoever has a whole IPv6 network has twice or three times what one address has, not more', (t) => {
  const { known } = limited({ perAddress: 2 });
  const standing = (address: (index: number) => string) =>
    Array.from({ length: 20 }, (_, i) => known(address(i))).filter((socket) => socket !== undefined).length;
  t.is(
    standing((i) => `2001:db8:a:${i.toString(16)}::1`),
    4,
    'of one /56',
  );
  t.is(
    standing((i) => `2001:db8:b:${i.toString(16)}00::1`),
    6,
    'of one /48',
  );
  t.is(
    standing((i) => `2001:db8:${i.toString(16)}f::1`),
    20,
    'of many',
  );
});

test('whoever leaves makes room, once, and whoever was refused does not', (t) => {
  const { known, connections } = limited({ perAddress: 1 });
  const first = known('192.0.2.1');
  t.falsy(known('192.0.2.1'));
  first?.emit('close');
  first?.emit('close');
  t.is(connections.total, 0);
  t.truthy(known('192.0.2.1'));
  t.is(connections.total, 1);
});

test('local sockets have no address, and only the number in all', (t) => {
  const { known } = limited({ max: 2, perAddress: 1 });
  t.truthy(known(undefined));
  t.truthy(known(undefined));
  t.falsy(known(undefined));
});

test('of those that nobody is known on, the oldest from the same address makes room for one more', (t) => {
  const { connect, known, connections, refused } = limited({ unidentifiedPerAddress: 2 });
  const kept = known('192.0.2.1');
  const [first, second, third] = [connect('192.0.2.1'), connect('192.0.2.1'), connect('192.0.2.1')];
  t.true(first?.isDestroyed);
  t.false(second?.isDestroyed);
  t.false(third?.isDestroyed);
  t.false(kept?.isDestroyed);
  t.is(connections.total, 3);
  t.is(connections.unidentified, 2);
  t.deepEqual(refused, ['192.0.2.1:4711 A connection was given up for a new one: no call on it had been let in.']);
});

test('when there are too many of them in all, those from where most come go', (t) => {
  const { connect, known, connections } = limited({ unidentified: 5 });
  const quiet = connect('192.0.2.1');
  const many = Array.from({ length: 4 }, () => connect('192.0.2.2'));
  for (let newcomer = 3; newcomer < 6; newcomer += 1) t.truthy(connect(`192.0.2.${newcomer}`));
  t.false(quiet?.isDestroyed, 'though it is the oldest');
  t.deepEqual(
    many.map((socket) => socket?.isDestroyed),
    [true, true, true, false],
  );
  t.truthy(known('192.0.2.9'), 'who makes a call is known, and needs no place among them');
  t.is(connections.unidentified, 4);
});

test('when all places are taken, somebody unknown makes room, and nobody who is known', (t) => {
  const { connect, known } = limited({ max: 2 });
  const kept = known('192.0.2.1');
  const unknown = connect('192.0.2.2');
  t.truthy(known('192.0.2.3'));
  t.true(unknown?.isDestroyed);
  t.falsy(connect('192.0.2.4'));
  t.false(kept?.isDestroyed);
});

test('a connection without a call that is let in is closed after a while', async (t) => {
  const { connect, begin, connections, known, refused } = limited({ identifyMs: 20 });
  const kept = known('192.0.2.9');
  const silent = connect('192.0.2.1');
  const greeted = connect('192.0.2.2');
  const session = begin(greeted);
  while (refused.length < 2) await pause(5);
  t.true(silent?.isDestroyed);
  t.true(session.isClosing, 'politely first');
  while (greeted?.isDestroyed === false) await pause(20);
  t.false(kept?.isDestroyed);
  for (const socket of [silent, greeted]) socket?.emit('close');
  t.is(connections.total, 1);
  t.is(connections.unidentified, 0);
});

test('a connection has few calls at once until somebody is known on it', (t) => {
  const { connect, begin, identify, connections } = limited({});
  t.is(connections.streamsAtFirst, 50);
  const session = begin(connect('192.0.2.1'));
  t.is(session.streamsMax, undefined);
  identify(session);
  t.is(session.streamsMax, 700);
});

test('a connection whose calls are refused again and again is closed; one call that is let in begins the count anew', (t) => {
  const { connect, begin, identify, refuseCall, refused } = limited({});
  const [bad, mixed] = [begin(connect('192.0.2.1')), begin(connect('192.0.2.2'))];
  for (let call = 0; call < 19; call += 1) {
    refuseCall(bad);
    refuseCall(mixed);
  }
  t.false(bad.isClosing);
  identify(mixed);
  refuseCall(bad);
  refuseCall(mixed);
  t.true(bad.isClosing);
  t.false(mixed.isClosing);
  t.deepEqual(refused, ['192.0.2.1:4711 A connection was closed: 20 calls in a row were refused.']);
});

test('a connection whose calls are cancelled by the hundred is closed to new calls, and to them alone', (t) => {
  const { connect, begin, identify, cancelCall, refused } = limited({});
  const socket = connect('192.0.2.1');
  const session = begin(socket);
  identify(session);
  let cancelled = 0;
  // Some are gained back while this runs.
  for (; cancelled < 2000 && !session.isClosing; cancelled += 1) cancelCall(session);
  t.true(cancelled >= 799 && cancelled < 1000, `${cancelled}`);
  cancelCall(session);
  t.false(socket?.isDestroyed);
  t.deepEqual(refused, [
    '192.0.2.1:4711 A connection was closed to new calls: its client cancelled 800 calls in a row, faster than 30 a second.',
  ]);
});
