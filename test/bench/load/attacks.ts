/**
 * What attackers do, each for as long as it is let: one function an attack. The tests have the
 * same, bounded and judged.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { ConnectionOptions } from 'node:tls';
import { GetHostResponse } from '../../../proto/gen/wifidirect/v1/host_service.js';
import { SessionKind } from '../../../proto/gen/wifidirect/v1/session.js';
import {
  CloseSessionRequest,
  OpenSessionRequest,
  WatchSessionsRequest,
} from '../../../proto/gen/wifidirect/v1/session_service.js';
import { RawPeer } from '../../harness/raw-peer.js';
import { Connection } from './connection.js';
import { CONNECTION_PREFACE, frameFlag as flag, frame, headers, PreparedCall, frameType as type } from './frames.js';

export interface Target {
  readonly address: string;
  readonly metricsAddress: string;
  /** Of somebody who has the role operator. */
  readonly token: string;
}

type Attack = (target: Target) => Promise<void>;

// Whoever attacks does not mind whom.
const tls: ConnectionOptions = { rejectUnauthorized: false, ALPNProtocols: ['h2'] };
const DATA_BYTES = 14;
const getHost = new PreparedCall('/wifidirect.v1.HostService/GetHost', Buffer.alloc(0));
const good = getHost.onStream(1, Buffer.alloc(0)).subarray(9, -DATA_BYTES);
const begun = (stream: number) => [
  frame(type.headers, flag.endHeaders, stream, good),
  frame(type.data, 0, stream, Buffer.alloc(5)),
];
const INTERNAL_ERROR = Buffer.of(0, 0, 0, 2);

/**
 * RFC 7541: a field of 4 KB that goes into the table, and fifteen times the index that names it.
 */
const remembered = Buffer.concat([
  Buffer.of(0x40, 1),
  Buffer.from('x'),
  Buffer.from('7fa11e', 'hex'),
  Buffer.alloc(4000, 'a'),
]);
const bomb = Buffer.concat([good, Buffer.alloc(15, 0xbe)]);

const FIVE_ADDRESSES = [2, 3, 4, 5, 6].map((last) => `127.0.0.${last}`);

/** By name. What is to be measured too is added here. */
export const attacks: Readonly<Record<string, Attack>> = {
  'requests reset with an error': async ({ address }) => {
    const peer = await RawPeer.greet(address, { tls });
    for (let index = 0; index < 300 && !peer.isClosed; index += 1) {
      const stream = 1 + 2 * index;
      peer.socket.write(Buffer.concat(begun(stream)));
      if (index % 3 === 0) peer.socket.write(frame(type.rstStream, 0, stream, INTERNAL_ERROR));
      if (index % 4 === 0) await pause(index % 5);
    }
    peer.destroy();
  },
  'silent connections from five addresses': async ({ address }) => {
    const connect = (localAddress: string) => RawPeer.connect(address, { localAddress });
    await Promise.all(FIVE_ADDRESSES.flatMap((each) => Array.from({ length: 20 }, () => connect(each))));
  },
  'headers that unfold to 60 KB': async ({ address }) => {
    const lane = async () => {
      const peer = await RawPeer.connect(address, { tls }, true);
      const begin = [CONNECTION_PREFACE, frame(type.settings, 0, 0, Buffer.alloc(0))];
      await peer.send(...begin, frame(type.headers, flag.endHeaders, 1, Buffer.concat([good, remembered])));
      for (let stream = 3; stream < 400 && !peer.isClosed; stream += 2) {
        await peer.send(frame(type.headers, flag.endHeaders, stream, bomb));
      }
      peer.destroy();
    };
    await Promise.all(Array.from({ length: 10 }, lane));
  },
  'JWTs with false signatures': async ({ address }) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const body = `${part({ alg: 'ES256', typ: 'at+jwt', kid: 'k' })}.${part({ iss: 'i', aud: 'a', sub: 's', exp: 4e9 })}`;
    const metadata = headers({ authorization: `Bearer ${body}.${randomBytes(64).toString('base64url')}` });
    const peer = await RawPeer.greet(address, { tls });
    for (let stream = 1; stream < 40 && !peer.isClosed; stream += 2)
      await peer.send(getHost.onStream(stream, metadata));
    await Promise.race([peer.closed, pause(20)]);
    peer.destroy();
  },
  'half requests for the metrics': async ({ metricsAddress }) => {
    const half = async () => {
      const peer = await RawPeer.connect(metricsAddress);
      await peer.send(Buffer.from('GET /metrics HTTP/1.1\r\nHost: localhost\r\n'));
    };
    await Promise.all(Array.from({ length: 50 }, half));
  },
  "an operator's session ids of a megabyte": async ({ address, token }) => {
    const request = CloseSessionRequest.encode(CloseSessionRequest.create({ sessionId: 'x'.repeat(1_000_000) }));
    await byOperator(address, token, new PreparedCall('/wifidirect.v1.SessionService/CloseSession', request.finish()));
  },
  "an operator's watches of 10,000 ids": async ({ address, token }) => {
    const sessionIds = Array.from({ length: 10_000 }, (_, i) => `session-${i}`);
    const request = WatchSessionsRequest.encode(WatchSessionsRequest.create({ sessionIds }));
    await byOperator(address, token, new PreparedCall('/wifidirect.v1.SessionService/WatchSessions', request.finish()));
  },
  "an operator's watches from the oldest cursor, of a session that is not there": async ({ address, token }) => {
    const cursor = await oldestCursor(address, token);
    const request = WatchSessionsRequest.encode(WatchSessionsRequest.create({ cursor, sessionIds: ['nobody'] }));
    await byOperator(address, token, new PreparedCall('/wifidirect.v1.SessionService/WatchSessions', request.finish()));
  },
  "an operator's legacy opens": async ({ address, token }) => {
    const request = OpenSessionRequest.encode(
      OpenSessionRequest.create({ deviceAddress: LEGACY_DEVICE, kind: SessionKind.LEGACY }),
    );
    await byOperator(address, token, new PreparedCall('/wifidirect.v1.SessionService/OpenSession', request.finish()));
  },
};

/** The label printer that the simulated world has at its start. */
const LEGACY_DEVICE = '02:11:22:33:44:03';

/** The oldest cursor that the operator can watch from, learnt once. */
let oldest: Promise<string> | undefined;
function oldestCursor(address: string, token: string): Promise<string> {
  oldest ??= (async () => {
    const connection = await Connection.open(address, { tls, metadata: { authorization: `Bearer ${token}` } });
    const host = GetHostResponse.decode(await connection.answer(getHost));
    await connection.close();
    return host.oldestCursor;
  })();
  return oldest;
}

/** Twenty calls at once, on a connection of their own, which ends with them. */
async function byOperator(address: string, token: string, call: PreparedCall): Promise<void> {
  const connection = await Connection.open(address, { tls, metadata: { authorization: `Bearer ${token}` } });
  const ends = Array.from(
    { length: 20 },
    () => new Promise<void>((end) => connection.start(call, { message: () => end(), end })),
  );
  await Promise.race([Promise.all(ends), pause(1000)]);
  await connection.close();
}
