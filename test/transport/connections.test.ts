/** What counts as one address, and that what leaves makes room. */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import test from 'ava';
import { Connections, networkOf } from '../../service/transport/connections.js';

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

function limited(connectionsMax: number, connectionsPerAddressMax: number) {
  const refused: string[] = [];
  const connections = new Connections({ connectionsMax, connectionsPerAddressMax }, (client, message) =>
    refused.push(`${client} ${message}`),
  );
  const connect = (address: string | undefined) => {
    const socket = new FakeSocket(address);
    return connections.admit(socket as unknown as Socket) ? socket : undefined;
  };
  return { connect, refused };
}

test('an IPv4 address is itself, however it is written, and an IPv6 address its first half', (t) => {
  const networks: Record<string, string> = {
    '192.0.2.1': '192.0.2.1',
    '::ffff:192.0.2.1': '192.0.2.1',
    '2001:db8:1:2:3:4:5:6': '2001:db8:1:2',
    '2001:db8:1:2::1': '2001:db8:1:2',
    '2001:db8::1': '2001:db8:0:0',
    'fe80::1%12': 'fe80:0:0:0',
    '::1': '0:0:0:0',
  };
  for (const [address, network] of Object.entries(networks)) t.is(networkOf(address), network, address);
  t.is(networkOf(undefined), undefined);
});

test('one address has no more than its part, and others find room until all is taken', (t) => {
  const { connect, refused } = limited(3, 2);
  t.truthy(connect('192.0.2.1'));
  t.truthy(connect('::ffff:192.0.2.1'));
  t.falsy(connect('192.0.2.1'));
  t.truthy(connect('2001:db8::1'));
  t.falsy(connect('2001:db8::2'));
  t.falsy(connect(undefined));
  t.deepEqual(refused, [
    '192.0.2.1:4711 A connection was refused: limits.connectionsPerAddressMax is reached, which is 2.',
    '2001:db8::2:4711 A connection was refused: limits.connectionsMax is reached, which is 3.',
    'unknown A connection was refused: limits.connectionsMax is reached, which is 3.',
  ]);
});

test('whoever leaves makes room, and whoever was refused does not', (t) => {
  const { connect } = limited(5, 1);
  const first = connect('192.0.2.1');
  t.falsy(connect('192.0.2.1'));
  first?.emit('close');
  t.truthy(connect('192.0.2.1'));
});

test('local sockets have no address, and only the number in all', (t) => {
  const { connect } = limited(2, 1);
  t.truthy(connect(undefined));
  t.truthy(connect(undefined));
  t.falsy(connect(undefined));
});
