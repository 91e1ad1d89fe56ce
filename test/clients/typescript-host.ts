/**
 * A host that the tests of the TypeScript client script themselves: a gRPC server of this process,
 * on a free port.
 */
import { Server, ServerCredentials, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { DeviceServiceDefinition } from '../../proto/gen/wifidirect/v1/device_service.js';
import {
  type Session,
  type SessionEvent,
  SessionEventType,
  SessionKind,
  SessionState,
} from '../../proto/gen/wifidirect/v1/session.js';
import { SessionServiceDefinition } from '../../proto/gen/wifidirect/v1/session_service.js';
import { grpcDefinition, type HandlersOf } from '../harness/grpc-services.js';

export interface Host {
  readonly address: string;
  /** At once: running calls break. */
  close(): void;
}

/** The RPCs of SessionService that a test needs; the others answer UNIMPLEMENTED. */
export type Handlers = Partial<HandlersOf<typeof SessionServiceDefinition>>;

export async function startHost(
  handlers: Handlers,
  credentials = ServerCredentials.createInsecure(),
  address = '127.0.0.1:0',
): Promise<Host> {
  const server = new Server();
  server.addService(grpcDefinition(SessionServiceDefinition), handlers as UntypedServiceImplementation);
  server.addService(grpcDefinition(DeviceServiceDefinition), {});
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
