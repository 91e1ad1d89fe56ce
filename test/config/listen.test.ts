import test from 'ava';
import { bindTarget, isLocal, parseListenAddress } from '../../service/config/listen.js';

test('addresses are read, and given to grpc-js in its own form', (t) => {
  const read = (text: string) => {
    const address = parseListenAddress(text);
    return [address, bindTarget(address)];
  };
  t.deepEqual(read('127.0.0.1:0'), [{ kind: 'tcp', host: '127.0.0.1', port: 0 }, '127.0.0.1:0']);
  t.deepEqual(read('wfd.example.com:65535'), [
    { kind: 'tcp', host: 'wfd.example.com', port: 65_535 },
    'wfd.example.com:65535',
  ]);
  t.deepEqual(read('[::1]:50051'), [{ kind: 'tcp', host: '::1', port: 50_051 }, '[::1]:50051']);
  t.deepEqual(read('unix:/run/wfdd.sock'), [{ kind: 'unix', path: '/run/wfdd.sock' }, 'unix:/run/wfdd.sock']);
  t.deepEqual(read('pipe:wfdd'), [{ kind: 'pipe', name: 'wfdd' }, 'unix:\\\\.\\pipe\\wfdd']);
});

for (const [text, message] of [
  ['', /Expected "host:port"/],
  ['localhost', /Expected "host:port"/],
  ['localhost:', /Expected "host:port"/],
  [':50051', /neither a name nor an IP address/],
  ['a b:1', /neither a name nor an IP address/],
  ['127.0.0.1:65536', /above 65535/],
  ['127.0.0.1:-1', /Expected "host:port"/],
  ['::1', /an IPv6 address in brackets/],
  ['::1:50051', /an IPv6 address in brackets/],
  ['[127.0.0.1]:1', /not an IPv6 address/],
  ['http://127.0.0.1:1', /in brackets|Expected/],
  ['unix:wfdd.sock', /must be absolute/],
  [`unix:/${'x'.repeat(103)}`, /103 bytes/],
  ['pipe:', /A pipe name/],
  ['pipe:\\\\.\\pipe\\x', /A pipe name/],
] as const) {
  test(`"${text.slice(0, 30)}" is no address`, (t) => {
    t.throws(() => parseListenAddress(text), { message });
  });
}

test('only what this host alone can reach is local', (t) => {
  const local = ['127.0.0.1:1', '127.255.0.1:1', '[::1]:1', 'localhost:1', 'unix:/x', 'pipe:x'];
  const open = [
    '0.0.0.0:1',
    '[::]:1',
    '10.0.0.1:1',
    '127.example.com:1',
    'localhost.example.com:1',
    '[::ffff:10.0.0.1]:1',
  ];
  t.deepEqual(
    local.filter((text) => !isLocal(parseListenAddress(text))),
    [],
  );
  t.deepEqual(
    open.filter((text) => isLocal(parseListenAddress(text))),
    [],
  );
});
