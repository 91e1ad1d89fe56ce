/**
 * HTTP/2 as it must not be: each connection or stream that breaks its rules ends with the error
 * that RFC 9113 has for it.
 */
import test, { type ExecutionContext } from 'ava';
import { frameFlag as flag, frame, headers, PreparedCall, frameType as type } from '../bench/load/frames.js';
import { framed, WireClient } from '../harness/grpc-wire.js';
import { RawPeer } from '../harness/raw-peer.js';
import { Siege } from '../harness/siege.js';

// A connection that was told GOAWAY keeps its socket until it is found to be dead.
const siege = new Siege(...['keepalive.timeMs=500', 'keepalive.timeoutMs=15000'].flatMap((set) => ['--set', set]));
/** Waited for together at the end. */
const closing: Promise<void>[] = [];
const getHost = new PreparedCall('/wifidirect.v1.HostService/GetHost', Buffer.alloc(0));
const good = getHost.onStream(1, Buffer.alloc(0)).subarray(9, -14);

/**
 * RFC 9113, section 7. What is found wrong when a frame is read to its end is INTERNAL_ERROR,
 * whatever it is.
 */
const error = { PROTOCOL: 1, INTERNAL: 2, STREAM_CLOSED: 5, FRAME_SIZE: 6, COMPRESSION: 9 } as const;

type Bytes = string | Buffer;
type Wrong = readonly [what: string, code: keyof typeof error, ...frames: Buffer[]];

const bytes = (content: Bytes) => (typeof content === 'string' ? Buffer.from(content, 'hex') : content);
const make = (of: number, flags: number, stream: number, payload: Bytes = '') =>
  frame(of, flags, stream, bytes(payload));
const settings = (payload: string) => make(type.settings, 0, 0, payload);
const begun = (payload: Bytes, flags: number = flag.endHeaders, stream = 1) =>
  make(type.headers, flags, stream, payload);
const more = (fields: Readonly<Record<string, string>>) => Buffer.concat([good, headers(fields)]);
const PUSH_PROMISE = 5;
const CONTINUATION = 9;
const PRIORITY = 2;

const fatal: readonly Wrong[] = [
  ['SETTINGS of five bytes', 'FRAME_SIZE', settings('0000000000')],
  ['SETTINGS of a stream', 'INTERNAL', make(type.settings, 0, 1)],
  ['an acknowledgement of SETTINGS with SETTINGS', 'FRAME_SIZE', make(type.settings, flag.ack, 0, '000000000000')],
  ['a window of 2 GiB', 'INTERNAL', settings('000480000000')],
  ['frames of at most one byte', 'INTERNAL', settings('000500000001')],
  ['ENABLE_PUSH of two', 'INTERNAL', settings('000200000002')],
  ['a PING of seven bytes', 'FRAME_SIZE', make(type.ping, 0, 0, '00000000000000')],
  ['a PING of a stream', 'INTERNAL', make(type.ping, 0, 1, '0000000000000000')],
  ['a window made larger by nothing', 'INTERNAL', make(type.windowUpdate, 0, 0, '00000000')],
  ['a window beyond 2 GiB', 'INTERNAL', make(type.windowUpdate, 0, 0, '7fffffff')],
  ['WINDOW_UPDATE of three bytes', 'FRAME_SIZE', make(type.windowUpdate, 0, 0, '000001')],
  ['WINDOW_UPDATE of a stream that was never begun', 'INTERNAL', make(type.windowUpdate, 0, 7, '00000001')],
  ['DATA of no stream', 'PROTOCOL', make(type.data, 0, 0, '00')],
  ['DATA of a stream that was never begun', 'PROTOCOL', make(type.data, 0, 9, '00')],
  ['DATA with more padding than bytes', 'PROTOCOL', begun(good), make(type.data, flag.padded, 1, 'ff00')],
  ['HEADERS of no stream', 'INTERNAL', begun(good, flag.endHeaders, 0)],
  ["HEADERS of a stream that is the server's to begin", 'INTERNAL', begun(good, flag.endHeaders, 2)],
  ['HEADERS with more padding than bytes', 'PROTOCOL', begun('ff00', flag.endHeaders | flag.padded)],
  ['headers that are no HPACK', 'COMPRESSION', begun('ffffffffffffffff')],
  ['a header with the index zero', 'COMPRESSION', begun('80')],
  ['a header with an index beyond the table', 'COMPRESSION', begun('ff80808001')],
  ['a table of 2 GiB', 'COMPRESSION', begun('3fe1ffffff07')],
  ['CONTINUATION of nothing', 'PROTOCOL', make(CONTINUATION, flag.endHeaders, 1, good)],
  ['a PING amid headers', 'PROTOCOL', begun(good, 0), make(type.ping, 0, 0, '0000000000000000')],
  ['CONTINUATION of another stream', 'PROTOCOL', begun(good, 0), make(CONTINUATION, flag.endHeaders, 3, good)],
  ['RST_STREAM of a stream that was never begun', 'INTERNAL', make(type.rstStream, 0, 1, '00000008')],
  ['RST_STREAM of one byte', 'FRAME_SIZE', make(type.rstStream, 0, 1, '00')],
  [
    'PUSH_PROMISE of a client',
    'INTERNAL',
    make(PUSH_PROMISE, flag.endHeaders, 1, Buffer.concat([bytes('00000002'), good])),
  ],
  ['a stream that depends on itself', 'PROTOCOL', begun(good), make(PRIORITY, 0, 1, '0000000110')],
  ['GOAWAY of one byte', 'FRAME_SIZE', make(type.goAway, 0, 0, '00')],
  ['a frame of 20,000 bytes', 'FRAME_SIZE', make(type.data, 0, 0, Buffer.alloc(20_000))],
  [
    'a frame that is said to have 16 MiB',
    'FRAME_SIZE',
    Buffer.concat([bytes('ffffff000000000001'), Buffer.alloc(100)]),
  ],
];

for (const [what, code, ...frames] of fatal) {
  test.serial(`${what} ends the connection`, async (t) => {
    const peer = await RawPeer.greet(siege.address);
    await peer.send(...frames);
    const told = await peer.frame((each) => each.type === type.goAway);
    t.is(told?.payload.readUInt32BE(4), error[code]);
    closing.push(peer.closed);
    await others(t);
  });
}

const ofOneStream: readonly Wrong[] = [
  ['no headers', 'PROTOCOL', begun('')],
  ['a header in upper case', 'PROTOCOL', begun(more({ 'X-A': 'a' }))],
  ['a header of the connection', 'PROTOCOL', begun(more({ connection: 'close' }))],
  ['a method after the headers', 'PROTOCOL', begun(more({ ':method': 'GET' }))],
  ['no method', 'PROTOCOL', begun(headers({ a: 'b' }))],
  ['a pseudo-header that is unknown', 'PROTOCOL', begun(Buffer.concat([headers({ ':x': 'b' }), good]))],
  ['less content than it says', 'PROTOCOL', begun(more({ 'content-length': '5' }), flag.endHeaders | flag.endStream)],
];

for (const [what, code, ...frames] of ofOneStream) {
  test.serial(`a request with ${what} is reset, and the connection goes on`, async (t) => {
    const peer = await RawPeer.greet(siege.address);
    await peer.send(...frames);
    const told = await peer.frame((each) => each.type === type.rstStream);
    t.is(told?.payload.readUInt32BE(0), error[code]);
    await goesOn(t, peer);
  });
}

const passedOver: Readonly<Record<string, readonly Buffer[]>> = {
  'a frame of an unknown type': [make(0xee, 0xff, 1, '0102')],
  'a setting that is unknown': [settings('ffff00000001')],
  'a header with a zero in it': [begun(more({ a: 'a\0b' }))],
  'a header with a line break in it': [begun(more({ a: 'a\r\nb: c' }))],
  'a header without a name': [begun(more({ '': 'b' }))],
  'a stream below one that was begun': [begun(good, flag.endHeaders, 5), begun(good, flag.endHeaders, 3)],
};

for (const [what, frames] of Object.entries(passedOver)) {
  test.serial(`${what} is passed over`, async (t) => {
    const peer = await RawPeer.greet(siege.address);
    await peer.send(...frames);
    await goesOn(t, peer);
  });
}

const notHttp2: Readonly<Record<string, Bytes>> = {
  garbage: Buffer.alloc(1000, 0xa5),
  'a request of HTTP/1.1': Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
  'an upgrade of HTTP/1.1': Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'),
  'a greeting of TLS': '160301007b0100007703035f3e',
  'the preface and garbage': Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.alloc(100, 0xff)]),
  'the preface and no SETTINGS': Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    make(type.ping, 0, 0, '0000000000000000'),
  ]),
};

for (const [what, sent] of Object.entries(notHttp2)) {
  test.serial(`a connection that begins with ${what} is closed`, async (t) => {
    const peer = await RawPeer.connect(siege.address);
    await peer.send(bytes(sent));
    await peer.closed;
    await others(t);
  });
}

test.serial('no connection that was ended is left open', async (t) => {
  await Promise.all(closing);
  t.true(closing.length >= fatal.length);
});

/** The connection serves a call. */
async function goesOn(t: ExecutionContext, peer: RawPeer): Promise<void> {
  const stream = 101;
  await peer.send(getHost.onStream(stream, Buffer.alloc(0)));
  t.truthy(await peer.frame((each) => each.stream === stream && each.type === type.data));
  peer.destroy();
}

/** Another connection serves a call. */
async function others(t: ExecutionContext): Promise<void> {
  using client = new WireClient(siege.address);
  const { status } = await client.call('wifidirect.v1.HostService/GetHost', framed(Buffer.alloc(0)));
  t.is(status?.code, 0);
}
