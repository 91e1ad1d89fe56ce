/**
 * Frames and streams by the hundred thousand on one connection: it is ended, or they cost little;
 * the others are served all the while.
 */
import test from 'ava';
import {
  cancelStream,
  frameFlag as flag,
  frame,
  headers,
  PreparedCall,
  frameType as type,
} from '../bench/load/frames.js';
import { RawPeer } from '../harness/raw-peer.js';
import { Siege } from '../harness/siege.js';

// So long can a bystander be kept from answering a PING by a busy machine.
const siege = new Siege(...['keepalive.timeMs=2000', 'keepalive.timeoutMs=20000'].flatMap((set) => ['--set', set]));
const none = Buffer.alloc(0);
const getHost = new PreparedCall('/wifidirect.v1.HostService/GetHost', none);
const openSession = new PreparedCall('/wifidirect.v1.SessionService/OpenSession', none);
const unserved = new PreparedCall('/no.Such/Thing', none);
/** `:method: POST`, `:scheme: http`, `:path: /` of the static table. */
const notGrpc = Buffer.concat([
  Buffer.of(0x83, 0x86, 0x84),
  headers({ ':authority': 'a', 'content-type': 'text/plain' }),
]);
const good = getHost.onStream(1, none).subarray(9, -14);
const CONTINUATION = 9;
const PRIORITY = 2;

const BATCH = 500;
const ROUNDS = 400;

const repeated = (of: Buffer) => Buffer.concat(new Array<Buffer>(BATCH).fill(of));
/** Something of each of so many new streams. */
const streams =
  (of: (stream: number) => Buffer, count = BATCH) =>
  (round: number) =>
    Buffer.concat(Array.from({ length: count }, (_, i) => of(1 + 2 * (round * count + i))));
const begun = (stream: number, payload = good, flags: number = flag.endHeaders) =>
  frame(type.headers, flags, stream, payload);
const afterHeaders = (flags: number, then: (round: number) => Buffer) => (round: number) =>
  round === 0 ? begun(1, good, flags) : then(round);
const ping = repeated(frame(type.ping, 0, 0, Buffer.alloc(8)));
const maxStreams = Buffer.from('000300000064', 'hex');
const settings = repeated(frame(type.settings, 0, 0, maxStreams));

interface Flood {
  readonly make: (round: number) => Buffer;
  /** The client reads none of the answers. */
  readonly isUnread?: boolean;
  /** Costs too little to be ended for. */
  readonly isBorne?: boolean;
}

const floods: Readonly<Record<string, Flood>> = {
  PING: { make: () => ping },
  'PING whose answers are not read': { make: () => ping, isUnread: true },
  SETTINGS: { make: () => settings },
  'SETTINGS whose answers are not read': { make: () => settings, isUnread: true },
  'SETTINGS of two thousand': {
    make: () => frame(type.settings, 0, 0, Buffer.concat(new Array<Buffer>(2000).fill(maxStreams))),
  },
  'acknowledged SETTINGS that were never sent': { make: () => repeated(frame(type.settings, flag.ack, 0, none)) },
  WINDOW_UPDATE: { make: () => repeated(frame(type.windowUpdate, 0, 0, Buffer.from([0, 0, 0, 1]))), isBorne: true },
  PRIORITY: { make: () => repeated(frame(PRIORITY, 0, 1, Buffer.from('0000000310', 'hex'))), isBorne: true },
  'unknown frames': { make: () => repeated(frame(0xee, 0, 0, Buffer.from('0102', 'hex'))), isBorne: true },
  'DATA without bytes': { make: afterHeaders(flag.endHeaders, () => repeated(frame(type.data, 0, 1, none))) },
  'CONTINUATION without bytes': { make: afterHeaders(0, () => repeated(frame(CONTINUATION, 0, 1, none))) },
  'CONTINUATION with a thousand headers and more': {
    make: afterHeaders(0, (round) => {
      const fields = Array.from({ length: 100 }, (_, i) => [`x-${round}-${i}`, 'a'.repeat(100)]);
      return frame(CONTINUATION, 0, 1, headers(Object.fromEntries(fields)));
    }),
  },
  'calls, each reset at once (CVE-2023-44487)': {
    make: streams((stream) => Buffer.concat([getHost.onStream(stream, none), cancelStream(stream)])),
  },
  'opens, each reset at once': {
    make: streams((stream) => Buffer.concat([openSession.onStream(stream, none), cancelStream(stream)])),
  },
  'calls that nobody serves, each reset at once': {
    make: streams((stream) => Buffer.concat([unserved.onStream(stream, none), cancelStream(stream)])),
  },
  'requests that are not of gRPC, each reset at once': {
    make: streams((stream) => Buffer.concat([begun(stream, notGrpc), cancelStream(stream)])),
  },
  'headers, each reset at once': { make: streams((stream) => Buffer.concat([begun(stream), cancelStream(stream)])) },
  'streams that make the server reset them (CVE-2025-8671)': {
    make: streams((stream) => Buffer.concat([begun(stream), frame(type.windowUpdate, 0, stream, Buffer.alloc(4))])),
  },
  'requests without a method': {
    make: streams((stream) => begun(stream, headers({ a: 'b' }), flag.endHeaders | flag.endStream)),
  },
  'streams with 16 KB of headers each': {
    make: streams(
      (stream) => begun(stream, Buffer.concat([good, headers({ a: 'x'.repeat(16_000 - good.length) })])),
      10,
    ),
  },
  'streams beyond the limit': { make: streams((stream) => begun(stream)) },
};

for (const [what, { make, isUnread = false, isBorne = false }] of Object.entries(floods)) {
  test.serial(`a flood of ${what} is ${isBorne ? 'borne' : 'ended'}`, async (t) => {
    await siege.endure(t, async () => {
      const peer = await RawPeer.greet(siege.address);
      if (isUnread) peer.socket.pause();
      for (let round = 0; round < ROUNDS && !peer.isClosed; round += 1) {
        await Promise.race([peer.send(make(round)), peer.closed]);
      }
      if (!isBorne) await peer.closed;
      peer.destroy();
    });
  });
}
