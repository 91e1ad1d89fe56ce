/** The requests that are measured, prepared. */

import { SessionEventType } from '../../../proto/gen/wifidirect/v1/session.js';
import {
  CloseSessionRequest,
  GetSessionRequest,
  ListSessionsRequest,
  OpenSessionRequest,
  OpenSessionResponse,
  RenewSessionRequest,
  WatchSessionsRequest,
} from '../../../proto/gen/wifidirect/v1/session_service.js';
import type { ServerProcess } from '../servers/server-process.js';
import type { Connection } from './connection.js';
import { PreparedCall } from './frames.js';

/** One of the devices that the simulator has for the benchmarks, counted from 0. */
export function deviceAddress(device: number): string {
  const octets = [device >> 16, device >> 8, device].map((octet) => (octet & 0xff).toString(16).padStart(2, '0'));
  return `02:be:00:${octets.join(':')}`;
}

const path = (method: string) => `/wifidirect.v1.SessionService/${method}`;
const LEASE = { seconds: 3600n, nanos: 0 };
const SESSIONS_PER_CONNECTION = 100;

export function getSession(sessionId: string): PreparedCall {
  return new PreparedCall(path('GetSession'), GetSessionRequest.encode({ sessionId }).finish());
}

/** One call, one event. */
export function renewSession(sessionId: string): PreparedCall {
  const request = RenewSessionRequest.create({ sessionId });
  return new PreparedCall(path('RenewSession'), RenewSessionRequest.encode(request).finish());
}

export function listSessions(pageSize: number): PreparedCall {
  const request = ListSessionsRequest.create({ pageSize });
  return new PreparedCall(path('ListSessions'), ListSessionsRequest.encode(request).finish());
}

export function watchSessions(): PreparedCall {
  return new PreparedCall(path('WatchSessions'), WatchSessionsRequest.encode(WatchSessionsRequest.create()).finish());
}

export function closeSession(sessionId: string): PreparedCall {
  const request = CloseSessionRequest.create({ sessionId });
  return new PreparedCall(path('CloseSession'), CloseSessionRequest.encode(request).finish());
}

function openSession(sessionId: string, device: number, leaseTtl: typeof LEASE | undefined): PreparedCall {
  const request = OpenSessionRequest.create({ sessionId, deviceAddress: deviceAddress(device), leaseTtl });
  return new PreparedCall(path('OpenSession'), OpenSessionRequest.encode(request).finish());
}

/** Opens a session that outlives its stream, which ends with the connection. */
function open(connection: Connection, sessionId: string, device: number): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.start(openSession(sessionId, device, LEASE), {
      message: (bytes) => {
        if (OpenSessionResponse.decode(bytes).event?.type === SessionEventType.OPENED) resolve();
      },
      end: () => reject(new Error(`session ${sessionId} could not be opened`)),
    });
  });
}

/** Leaves so many sessions open, each to its own device: `held-0` to `held-9999`, say. */
export async function hold(server: ServerProcess, count: number): Promise<void> {
  for (let held = 0; held < count; held += SESSIONS_PER_CONNECTION) {
    // Streams that end with their connection, as a server bears only so many that are cancelled.
    const connection = await server.connect();
    const few = Math.min(count - held, SESSIONS_PER_CONNECTION);
    await Promise.all(
      Array.from({ length: few }, (_, index) => open(connection, `held-${held + index}`, held + index)),
    );
    await connection.close();
  }
}

/** Renews a session again and again: each time is an event. */
export async function makeEvents(server: ServerProcess, count: number): Promise<void> {
  await hold(server, 1);
  const connection = await server.connect();
  const renewal = renewSession('held-0');
  let made = 0;
  const renew = async () => {
    while (made < count) {
      made += 1;
      await connection.answer(renewal);
    }
  };
  await Promise.all(Array.from({ length: 100 }, renew));
}

/**
 * A whole life: open, OPEN, close, CLOSED. `opened` is told when OPEN was received, with the
 * message.
 */
export function cycle(
  connection: Connection,
  sessionId: string,
  device: number,
  opened: (timeNs: bigint, message: OpenSessionResponse) => void = () => {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    let isClosed = false;
    connection.start(openSession(sessionId, device, undefined), {
      message: (bytes) => {
        const timeNs = process.hrtime.bigint();
        const message = OpenSessionResponse.decode(bytes);
        const type = message.event?.type;
        if (type === SessionEventType.CLOSED) isClosed = true;
        if (type !== SessionEventType.OPENED) return;
        opened(timeNs, message);
        connection.start(closeSession(sessionId), { message: () => {}, end: () => {} });
      },
      end: () => (isClosed ? resolve() : reject(new Error(`session ${sessionId} ended without CLOSED`))),
    });
  });
}
