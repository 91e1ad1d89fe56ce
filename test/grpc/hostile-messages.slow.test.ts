/**
 * Calls that are no calls: each is told what is wrong with it, with the details of the contract,
 * and costs the others nothing.
 */
import { constants, type OutgoingHttpHeaders } from 'node:http2';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { CONNECTION_PREFACE, frameFlag as flag, frame, frameType, PreparedCall } from '../bench/load/frames.js';
import { endOf, framed, WireClient, type WireEnd } from '../harness/grpc-wire.js';
import { type Frame, RawPeer } from '../harness/raw-peer.js';
import { Siege } from '../harness/siege.js';

const siege = new Siege();
const getHost = 'wifidirect.v1.HostService/GetHost';
const openSession = 'wifidirect.v1.SessionService/OpenSession';
const nothing = framed(Buffer.alloc(0));
const LIMIT = 1_048_576;
/** The end of a prepared call without a message: a DATA frame of five bytes. */
const DATA_BYTES = 14;

interface Refusal {
  readonly what: string;
  readonly rpc?: string;
  readonly body?: Uint8Array;
  readonly headers?: OutgoingHttpHeaders;
  readonly code: keyof typeof status;
  readonly reason: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

const invalid = { code: 'INVALID_ARGUMENT', reason: 'INVALID_FIELD', metadata: {} } as const;
const compressed = { code: 'UNIMPLEMENTED', reason: 'NOT_IMPLEMENTED', metadata: { rpc: getHost } } as const;
const tooLarge = {
  code: 'RESOURCE_EXHAUSTED',
  reason: 'QUOTA_EXCEEDED',
  metadata: { subject: 'host', limit: 'request_bytes_max', limit_value: String(LIMIT) },
} as const;

const refusals: readonly Refusal[] = [
  { what: 'a message that is not of Protocol Buffers', body: framed(Buffer.from('ffffff', 'hex')), ...invalid },
  { what: 'a message whose field ends before its length', body: framed(Buffer.from('0a7f61', 'hex')), ...invalid },
  { what: 'a message that is cut short', body: framed(Buffer.alloc(3), { length: 10 }), ...invalid },
  { what: 'half a length', body: Buffer.from('0000', 'hex'), ...invalid },
  { what: 'no message', body: Buffer.alloc(0), ...invalid },
  { what: 'two messages', body: Buffer.concat([nothing, nothing]), ...invalid },
  {
    what: 'a message that is said to be larger than allowed',
    body: framed(Buffer.alloc(9), { length: LIMIT + 1 }),
    ...tooLarge,
  },
  { what: 'a message that is said to have 4 GiB', body: framed(Buffer.alloc(9), { length: 2 ** 32 - 1 }), ...tooLarge },
  { what: 'a message that is larger than allowed', body: framed(Buffer.alloc(LIMIT + 1)), ...tooLarge },
  {
    what: 'a message compressed as nobody knows',
    body: framed(Buffer.alloc(9), { flag: 1 }),
    headers: { 'grpc-encoding': 'snappy' },
    ...compressed,
  },
  {
    what: 'a message compressed to a thousandth of its size',
    body: framed(gzipSync(Buffer.alloc(LIMIT)), { flag: 1 }),
    headers: { 'grpc-encoding': 'gzip' },
    ...compressed,
  },
  {
    what: 'a method that nobody serves',
    rpc: 'wifidirect.v1.HostService/GetEverything%00',
    code: 'UNIMPLEMENTED',
    reason: 'NOT_IMPLEMENTED',
    metadata: { rpc: 'wifidirect.v1.HostService/GetEverything%00' },
  },
  { what: 'a service that nobody serves', rpc: 'no.Such/Thing', code: 'UNIMPLEMENTED', reason: 'NOT_IMPLEMENTED' },
  { what: 'a path of 8,000 characters', rpc: 'x'.repeat(8000), code: 'UNIMPLEMENTED', reason: 'NOT_IMPLEMENTED' },
  ...['soon', '-5S', '5', '123456789S', '5s', '1e3S', '0x5S', '5S,5S', ''].map((timeout) => ({
    what: `the deadline "${timeout}"`,
    headers: { 'grpc-timeout': timeout },
    ...invalid,
  })),
  {
    what: 'a text that is no UTF-8',
    rpc: openSession,
    body: framed(Buffer.from('1204fffec080', 'hex')),
    code: 'INVALID_ARGUMENT',
    reason: 'INVALID_FIELD',
    metadata: { field: 'device_address' },
  },
];

for (const { what, rpc = getHost, body = nothing, headers, code, reason, metadata } of refusals) {
  test.serial(`${what} is ${code}, ${reason}`, async (t) => {
    using client = new WireClient(siege.address);
    const { status: told } = await client.call(rpc, body, headers);
    t.is(told?.code, status[code]);
    t.is(told?.info?.domain, 'wifidirect.v1');
    t.is(told?.info?.reason, reason);
    if (metadata !== undefined) t.deepEqual(told?.info?.metadata, metadata);
    t.true((told?.message.length ?? 0) > 0);
    await isServed(t, client);
  });
}

test.serial('a deadline that has passed is DEADLINE_EXCEEDED, one beyond all measure is none', async (t) => {
  using client = new WireClient(siege.address);
  const watch = 'wifidirect.v1.SessionService/WatchSessions';
  for (const timeout of ['0S', '0n', '1n', '1u', '1m']) {
    const { status: told } = await client.call(watch, nothing, { 'grpc-timeout': timeout });
    t.is(told?.code, status.DEADLINE_EXCEEDED, timeout);
  }
  for (const timeout of ['99999999H', '99999999M', '2147484S', '596524H', '99999999m']) {
    const stream = client.start(watch, { 'grpc-timeout': timeout });
    stream.end(nothing);
    // Its snapshot; one that had ended would send none.
    await new Promise((resolve) => stream.once('data', resolve));
    stream.close();
    t.is((await endOf(stream)).status, undefined, timeout);
  }
});

test.serial('a request that is not of gRPC is 415', async (t) => {
  using client = new WireClient(siege.address);
  const others = ['application/grpc-web', 'application/grpc-web+proto', 'application/grpc+json', 'application/grpcfoo'];
  for (const type of ['text/plain', 'application/json', '', ...others, 'xapplication/grpc', 'application/grpc+']) {
    t.is((await client.call(getHost, nothing, { 'content-type': type })).http, 415, type);
  }
  await isServed(t, client);
});

test.serial('the case of the content type does not matter, and parameters may follow', async (t) => {
  using client = new WireClient(siege.address);
  const types = [
    'Application/GRPC',
    'application/grpc+proto',
    'application/grpc; charset=utf-8',
    'application/grpc ;a=b',
  ];
  for (const type of types) await isServed(t, client, { 'content-type': type });
});

test.serial('odd headers are dropped or passed over, and none of them is in the log', async (t) => {
  using client = new WireClient(siege.address);
  const odd: OutgoingHttpHeaders[] = [
    { authorization: 'Bearer s3cr3t-\u00e9' },
    { authorization: `Basic ${'s3cr3t'.repeat(1000)}` },
    { 'x!s3cr3t': 'a' },
    { 'x-s3cr3t': 'caf\u00e9' },
    { 'x-s3cr3t-bin': '!!! no base64 !!!' },
    { 'grpc-status': '0', 'grpc-message': 's3cr3t' },
    { 'grpc-accept-encoding': 's3cr3t' },
    { 'x-a': 'a'.repeat(8000), 'x-b': 'b'.repeat(7000) },
    Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`x-${i}`, 's3cr3t'])),
  ];
  for (const headers of odd) await isServed(t, client, headers);
});

test.serial(
  'headers of more than 16 KB together are refused, also those of a client that does not know the limit',
  async (t) => {
    using client = new WireClient(siege.address);
    // On its way before the SETTINGS of the server are there.
    const { status: told } = await client.call(getHost, nothing, { 'x-a': 'a'.repeat(8000), 'x-b': 'b'.repeat(9000) });
    t.is(told?.code, status.RESOURCE_EXHAUSTED);
    t.deepEqual(told?.info?.metadata, {
      subject: 'host',
      limit: 'SETTINGS_MAX_HEADER_LIST_SIZE',
      limit_value: '16384',
    });
    t.is(client.session.remoteSettings.maxHeaderListSize, 16_384);
    await isServed(t, client);
  },
);

/** The beginning of a request that is said to be too large, so it is refused at once. */
const tooLargeSoFar = (stream: number, rpc = getHost) => {
  const prepared = new PreparedCall(`/${rpc}`, Buffer.alloc(0)).onStream(1, Buffer.alloc(0));
  const header = Buffer.from('0000200000', 'hex');
  return [
    frame(frameType.headers, flag.endHeaders, stream, prepared.subarray(9, -DATA_BYTES)),
    frame(frameType.data, 0, stream, Buffer.concat([header, Buffer.alloc(10_000)])),
  ];
};
const isRefusal = (stream: number) => (each: Frame) => each.stream === stream && each.type === frameType.headers;
const isReset = (stream: number) => (each: Frame) => each.stream === stream && each.type === frameType.rstStream;

for (const rpc of [getHost, 'no.Such/Thing']) {
  test.serial(`a request of ${rpc} that is refused may end by itself: a reset would overtake the status`, async (t) => {
    const peer = await RawPeer.greet(siege.address);
    await peer.send(...tooLargeSoFar(1, rpc));
    t.truthy(await peer.frame(isRefusal(1)));
    await peer.send(frame(frameType.data, 0, 1, Buffer.alloc(10_000)));
    await peer.send(frame(frameType.data, flag.endStream, 1, Buffer.alloc(10_000)));
    await peer.send(new PreparedCall(`/${getHost}`, Buffer.alloc(0)).onStream(3, Buffer.alloc(0)));
    t.truthy(await peer.frame(isRefusal(3)));
    t.is(peer.frames.find(isReset(1)), undefined);
    peer.destroy();
  });
}

test.serial(
  'a refused request that does not end is reset after a while, and so is one that goes on without an end',
  async (t) => {
    t.timeout(60_000);
    const peer = await RawPeer.greet(siege.address);
    await peer.send(...tooLargeSoFar(1));
    using client = new WireClient(siege.address);
    const endless = client.start(getHost);
    endless.write(framed(Buffer.alloc(20 * LIMIT)));
    const { status: told, resetCode } = await endOf(endless);
    t.is(told?.code, status.RESOURCE_EXHAUSTED);
    t.is(resetCode, constants.NGHTTP2_NO_ERROR);
    const reset = await peer.frame(isReset(1));
    t.is(reset?.payload.readUInt32BE(0), constants.NGHTTP2_NO_ERROR);
    peer.destroy();
  },
);

/**
 * RFC 7541: a field that goes into the table of the connection, and the index by which the newest
 * is named again.
 */
const remembered = Buffer.concat([
  Buffer.of(0x40, 1),
  Buffer.from('x'),
  Buffer.from('7fa11e', 'hex'),
  Buffer.alloc(4000, 'a'),
]);
const AGAIN = 0xbe;

test.serial('headers that name a large entry of the table again and again cost the others little', async (t) => {
  t.timeout(120_000);
  const prepared = new PreparedCall(`/${getHost}`, Buffer.alloc(0)).onStream(1, Buffer.alloc(0));
  const block = prepared.subarray(9, -DATA_BYTES);
  const bomb = Buffer.concat([block, Buffer.alloc(15, AGAIN)]);
  await siege.endure(
    t,
    async () => {
      for (let round = 0; round < 5; round += 1) {
        const lanes = Array.from({ length: 40 }, async () => {
          // It never acknowledges the SETTINGS, so that none but the daemon's own look at the
          // headers bounds them.
          const peer = await RawPeer.connect(siege.address, {}, true);
          const begin = [CONNECTION_PREFACE, frame(frameType.settings, 0, 0, Buffer.alloc(0))];
          await peer.send(...begin, frame(frameType.headers, flag.endHeaders, 1, Buffer.concat([block, remembered])));
          for (let stream = 3; stream < 600 && !peer.isClosed; stream += 2) {
            await peer.send(frame(frameType.headers, flag.endHeaders, stream, bomb));
          }
          await Promise.race([peer.closed, pause(2000)]);
          peer.destroy();
        });
        await Promise.all(lanes);
      }
      // What has been read of a connection when it is closed is garbage, but is looked at.
    },
    { grownMegabytesMax: 400 },
  );
});

const floods: Readonly<Record<string, OutgoingHttpHeaders>> = {
  'a hundred headers': many(100, 10),
  'two hundred headers': many(200, 10),
  'two thousand headers': many(2000, 10),
  'headers of 100 KB': many(10, 10_000),
  'one header of 64 KB': many(1, 65_536),
};

for (const [what, headers] of Object.entries(floods)) {
  test.serial(`a call with ${what} is reset, and costs nothing`, async (t) => {
    await siege.endure(t, async () => {
      for (let round = 0; round < 10; round += 1) {
        using client = new WireClient(siege.address);
        const { status: told, resetCode } = await client.call(getHost, nothing, headers);
        t.is(told, undefined);
        t.true(
          [constants.NGHTTP2_REFUSED_STREAM, constants.NGHTTP2_ENHANCE_YOUR_CALM].includes(resetCode),
          `${resetCode}`,
        );
      }
    });
  });
}

test.serial('what is compressed is refused before it unfolds, however much comes at once', async (t) => {
  const bomb = framed(gzipSync(Buffer.alloc(LIMIT)), { flag: 1 });
  const bombs = Buffer.concat(new Array<Buffer>(14).fill(bomb));
  await siege.endure(t, async () => {
    using client = new WireClient(siege.address);
    const calls = Array.from({ length: 500 }, () => client.call(getHost, bombs, { 'grpc-encoding': 'gzip' }));
    for (const { status: told } of await Promise.all(calls)) t.is(told?.code, status.UNIMPLEMENTED);
  });
});

test.serial('refused calls by the thousand leave few lines in the log', async (t) => {
  await siege.endure(t, async () => {
    using client = new WireClient(siege.address);
    for (let round = 0; round < 20; round += 1) {
      const bad = [
        client.call(openSession, nothing),
        client.call(openSession, framed(Buffer.from('ff', 'hex'))),
        client.call('wifidirect.v1.SessionService/CloseSession', framed(Buffer.from('0a0461626364', 'hex'))),
      ];
      const calls = Array.from({ length: 30 }, () => bad).flat();
      for (const { status: told } of await Promise.all(calls)) t.truthy(told?.info);
    }
  });
});

/** The same connection goes on as if nothing had been. */
async function isServed(t: ExecutionContext, client: WireClient, headers: OutgoingHttpHeaders = {}): Promise<void> {
  const end: WireEnd = await client.call(getHost, nothing, headers);
  t.is(end.status?.code, status.OK, JSON.stringify(headers).slice(0, 100));
}

function many(count: number, length: number): OutgoingHttpHeaders {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, 's3cr3t'.padEnd(length, 'x')]));
}
