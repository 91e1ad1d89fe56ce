/**
 * What programs rely on in the types of the TypeScript client. The build checks this file on the
 * sources, and `typescript-package.slow.test.ts` on the package, with the newest and the oldest
 * TypeScript that it supports: whatever is wrong here does not compile.
 */
import type { Observable } from 'rxjs';
import {
  type Client,
  connect,
  type Device,
  type DeviceEvent,
  ErrorReason,
  GatewayError,
  type HeldSession,
  type Reason,
  type Session,
  type SessionAt,
  type SessionEvent,
  SessionState,
  type SessionWatchItem,
  status,
  toMilliseconds,
} from '../../clients/typescript/src/client.js';

/** Compiles only where each claim is `true`. */
const holds = <Claim extends true>(..._values: readonly Claim[]): void => {};
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Connecting takes what is documented, and gives promises and Observables. */
function connecting(held: HeldSession): Client {
  const client = connect('localhost:50051', { tls: { ca: { file: 'ca.pem' } }, token: async () => 'secret' });
  connect('localhost:50051', { tls: true, timeoutMs: 1000, metadata: () => ({ tenant: 'a' }) });
  // @ts-expect-error An address is always needed.
  connect();
  // @ts-expect-error An option that does not exist is a mistake.
  connect('localhost:50051', { timeout: 1000 });
  // @ts-expect-error A client is not configured after it was made.
  client.sessions = connect('localhost:50051').sessions;
  // @ts-expect-error A device is needed to open a session.
  client.sessions.open({});
  // @ts-expect-error A duration is a number of milliseconds.
  client.sessions.open({ deviceAddress: '02:11:22:33:44:01', openTimeoutMs: '60s' });
  holds<Same<ReturnType<typeof client.sessions.open>, Observable<SessionEvent>>>();
  holds<Same<ReturnType<typeof client.sessions.hold>, HeldSession>>();
  holds<Same<ReturnType<typeof client.sessions.close>, Promise<SessionAt>>>();
  holds<Same<ReturnType<typeof client.sessions.watch>, Observable<SessionWatchItem>>>();
  holds<Same<ReturnType<typeof held.close>, Promise<Session>>>();
  holds<Same<typeof held.opened, Promise<Session>>>();
  client.devices.watch().subscribe((item) => {
    if (item.kind === 'snapshot') holds<Same<typeof item.devices, readonly Device[]>>();
    if (item.kind === 'event') holds<Same<typeof item.event, DeviceEvent>>();
  });
  // @ts-expect-error Only the library holds sessions: the class is exported as a type.
  new HeldSession('id', undefined, undefined);
  return client;
}

/** An item of a watch is told apart by its kind, and nothing is left over. */
function watching(item: SessionWatchItem): readonly (Session | SessionEvent | GatewayError)[] {
  switch (item.kind) {
    case 'snapshot':
      holds<Same<typeof item.sessions, readonly Session[]>>();
      return item.sessions;
    case 'event':
      holds<Same<typeof item.event, SessionEvent>>();
      return [item.event];
    case 'disconnected':
      return [item.error];
    case 'bookmark':
      // @ts-expect-error A bookmark has a cursor, and no event.
      return [item.event];
    default:
      holds<Same<typeof item, never>>();
      return [];
  }
}

/** Errors have a code of gRPC and a reason, which may be one that only a newer host knows. */
function failing(error: unknown): Reason | undefined {
  if (!(error instanceof GatewayError)) return undefined;
  holds<Same<typeof error.code, status>>();
  const known: Reason = 'SESSION_NOT_FOUND';
  // @ts-expect-error Not a reason of the contract.
  const unknown: Reason = 'NO_SUCH_REASON';
  // @ts-expect-error A reason can be one that this version does not know.
  const exact: Reason | undefined = error.reason;
  if (error.code === status.NOT_FOUND && error.reason === known) return known;
  return exact ?? unknown;
}

/** Values of the contract are enums with a number for a value. */
function reading(session: Session): boolean {
  holds<Same<typeof session.state, SessionState>>();
  const reason: ErrorReason = ErrorReason.SESSION_NOT_FOUND;
  const lasts: number = toMilliseconds({ seconds: 1n, nanos: 0 });
  return session.state === SessionState.OPEN && reason > 0 && lasts > 0;
}

export default [connecting, watching, failing, reading];
