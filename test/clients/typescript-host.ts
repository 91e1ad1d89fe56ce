/** A host that the tests of the TypeScript client script themselves: a gRPC server of this process, on a free port. */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { DeviceServiceService } from '../../clients/typescript/src/gen/wifidirect/v1/device_service.js';
import {
  type Session,
  type SessionEvent,
  SessionEventType,
  SessionKind,
  SessionState,
} from '../../clients/typescript/src/gen/wifidirect/v1/session.js';
import {
  type SessionServiceServer,
  SessionServiceService,
} from '../../clients/typescript/src/gen/wifidirect/v1/session_service.js';

export interface Host {
  readonly address: string;
  /** At once: running calls break. */
  close(): void;
}

/** The RPCs of SessionService that a test needs; the others answer UNIMPLEMENTED. */
export type Handlers = Partial<Pick<SessionServiceServer, keyof typeof SessionServiceService>>;

export async function startHost(
  handlers: Handlers,
  credentials = ServerCredentials.createInsecure(),
  address = '127.0.0.1:0',
): Promise<Host> {
  const server = new Server();
  server.addService(SessionServiceService, handlers);
  server.addService(DeviceServiceService, {});
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => (error === null ? resolve(port) : reject(error)));
  });
  return { address: `127.0.0.1:${port}`, close: () => server.forceShutdown() };
}

export function session(state: keyof typeof SessionState, sessionId = 'a-session'): Session {
  return {
    sessionId,
    deviceAddress: '02:11:22:33:44:01',
    kind: SessionKind.WIFI_DIRECT,
    state: SessionState[state],
    owner: 'anonymous',
    networkInterface: undefined,
    end: undefined,
    leaseExpireTime: undefined,
    createTime: undefined,
    openTime: undefined,
    closeTime: undefined,
    endTime: undefined,
    requestId: '',
  };
}

export function event(sequence: number, state: keyof typeof SessionState, sessionId?: string): SessionEvent {
  return {
    sequence: BigInt(sequence),
    epoch: 'e1',
    time: undefined,
    type: SessionEventType.UNSPECIFIED,
    session: session(state, sessionId),
    cause: undefined,
    nativeResult: undefined,
  };
}
