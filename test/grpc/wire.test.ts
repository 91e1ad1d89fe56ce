/** What lies beneath grpc-js, on a real HTTP/2 server of Node. */
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  createServer,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { interceptConnections, isGone } from '../../service/grpc/wire.js';

/** A server whose requests are handled by this alone, in the turn in which they come. */
async function serve(onRequest: (stream: ServerHttp2Stream) => void): Promise<{
  client: ClientHttp2Session;
  close(): Promise<void>;
}> {
  const server = createServer();
  const hooks = {
    onConnection: () => true,
    onSession: () => {},
    onRequest: (stream: ServerHttp2Stream) => {
      onRequest(stream);
      return false;
    },
    onTlsRefused: () => {},
    onAcceptFailed: () => {},
  };
  interceptConnections({ http2Servers: new Map([[server, {}]]) } as never, hooks);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const close = async () => {
    client.close();
    server.close();
    await once(server, 'close');
  };
  return { client, close };
}

function closed(call: ClientHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    call.on('error', () => {}).once('close', resolve);
  });
}

/** The codes by which streams are reset, as they come to the native half of Node. */
const resets: number[] = [];

test.before('resets are recorded', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const call = client.request();
  const [stream] = (await once(server, 'stream')) as [Record<symbol, object>];
  const key = Object.getOwnPropertySymbols(stream).find(({ description }) => description === 'kHandle') as symbol;
  const handles = Object.getPrototypeOf(stream[key]) as { rstStream(code: number): void };
  const { rstStream } = handles;
  handles.rstStream = function (code) {
    resets.push(code);
    rstStream.call(this, code);
  };
  client.destroy();
  await closed(call);
  server.close();
});

test('a stream that is answered and reset in the turn in which it came is reset in the next one', async (t) => {
  let wasClosed: boolean | undefined;
  let wasGone: boolean | undefined;
  const { client, close } = await serve((stream) => {
    stream.respond({ 'grpc-status': '13' }, { endStream: true });
    stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    wasClosed = stream.closed;
    wasGone = isGone(stream);
  });
  const call = client.request({ ':method': 'POST' }, { endStream: false });
  await closed(call);
  t.false(wasClosed, 'Node may still be within a frame of it');
  t.true(wasGone, 'nothing is answered on it any more');
  t.is(call.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  await close();
});

test('neither do ticks and microtasks of that turn destroy a stream', async (t) => {
  const seen: boolean[] = [];
  const { client, close } = await serve((stream) => {
    const end = () => {
      stream.destroy();
      seen.push(stream.destroyed);
    };
    stream.respond({ 'grpc-status': '13' }, { endStream: true });
    queueMicrotask(end);
    process.nextTick(end);
  });
  const call = client.request({ ':method': 'POST' }, { endStream: true });
  await closed(call.resume());
  t.deepEqual(seen, [false, false]);
  await close();
});

test('a request that meets a closed session is passed over, and GOAWAY tells its client', async (t) => {
  const seen: number[] = [];
  const { client, close } = await serve((stream) => {
    seen.push(stream.id ?? 0);
    stream.session?.close();
    stream.respond({ 'grpc-status': '0' }, { endStream: true });
  });
  const goaway = once(client, 'goaway');
  const first = client.request({ ':method': 'POST' }, { endStream: true });
  // In the same packet, so within the same read of the server.
  const second = client.request({ ':method': 'POST' }, { endStream: true });
  const [[code, lastStream]] = await Promise.all([goaway, closed(first.resume()), closed(second.resume())]);
  t.deepEqual([code, lastStream], [constants.NGHTTP2_NO_ERROR, 1]);
  t.deepEqual(seen, [1]);
  t.is(first.rstCode, constants.NGHTTP2_NO_ERROR);
  t.false(resets.includes(constants.NGHTTP2_REFUSED_STREAM), 'a reset would send the GOAWAY within the frame');
  await close();
});
