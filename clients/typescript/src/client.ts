/**
 * The client library of the Wi-Fi Direct Gateway. It opens, closes and watches sessions of a host.
 *
 * Unary calls return promises. Streams are cold Observables: subscribing starts the call, and
 * unsubscribing cancels it. Every error that is thrown, rejected or emitted is a GatewayError. RxJS
 * has no back-pressure, so a slow subscriber must bound its own queue.
 */
import type { Observable } from 'rxjs';
import { type GetHostResponse, HostServiceDefinition } from '../../../proto/gen/wifidirect/v1/host_service.js';
import { type CallOptions, Connection } from './connection.js';
import { Devices } from './devices.js';
import { check, type HealthStatus, watchStatus } from './health.js';
import { methodsOf } from './methods.js';
import type { ConnectOptions } from './options.js';
import { Sessions } from './sessions.js';

const host = methodsOf(HostServiceDefinition);

/** A client of one host. It connects at the first call, and reconnects when needed. */
export class Client {
  readonly sessions: Sessions;
  readonly devices: Devices;
  readonly #connection: Connection;

  constructor(address: string, options: ConnectOptions = {}) {
    this.#connection = new Connection(address, options);
    this.sessions = new Sessions(this.#connection);
    this.devices = new Devices(this.#connection);
  }

  /** Returns the identity, state, driver and limits of the host. */
  host(options?: CallOptions): Promise<GetHostResponse> {
    return this.#connection.unary(host.getHost, {}, options);
  }

  /**
   * Returns the health of the host, or of one of its services, such as
   * `wifidirect.v1.SessionService`. Load balancers and probes use the same call. Rejects with
   * NOT_FOUND if the host does not have this service.
   */
  health(service = '', options?: CallOptions): Promise<HealthStatus> {
    return this.#connection.unary(check, service, options);
  }

  /**
   * Emits the current health, and the new health after each change. It does not reconnect. When the
   * stream breaks it emits an error; to continue, use `retry` of RxJS with a delay.
   */
  watchHealth(service = ''): Observable<HealthStatus> {
    return this.#connection.stream(watchStatus, service);
  }

  /** Closes the connection. All pending calls and Observables fail with CANCELLED. */
  close(): void {
    this.#connection.close();
  }
}

/**
 * Creates a client of the host at `host:port` or `unix:/path`. It does not wait for the connection;
 * to wait for it, use `await client.host()`.
 *
 * Throws a GatewayError INVALID_ARGUMENT, which names the option, if an option is invalid: an
 * address with a scheme, a token that would be sent in clear text, or a file that can't be read.
 */
export function connect(address: string, options?: ConnectOptions): Client {
  return new Client(address, options);
}

export { status } from '@grpc/grpc-js';
export { type Device, type DeviceEvent, DeviceEventType } from '../../../proto/gen/wifidirect/v1/device.js';
export { ErrorReason, type NativeResult, type SessionError } from '../../../proto/gen/wifidirect/v1/error.js';
export {
  type Driver,
  DriverKind,
  type GetHostResponse,
  HostState,
  type Limits,
  type MissingFunction,
} from '../../../proto/gen/wifidirect/v1/host_service.js';
export {
  DisconnectEvidence,
  type EventCause,
  EventSource,
  type NetworkInterface,
  type Session,
  type SessionEnd,
  SessionEndReason,
  type SessionEvent,
  SessionEventType,
  SessionKind,
  SessionState,
} from '../../../proto/gen/wifidirect/v1/session.js';
export type { CallOptions } from './connection.js';
export type {
  DevicePage,
  DeviceSnapshot,
  Devices,
  DeviceVisibility,
  DeviceWatchItem,
  ListDevicesOptions,
  VisibilityOptions,
  WatchDevicesOptions,
} from './devices.js';
export { toMilliseconds } from './duration.js';
export { nameOf } from './enums.js';
export { type FieldViolation, GatewayError, type Reason } from './error.js';
export type { HealthStatus } from './health.js';
export type { HeldSession } from './held-session.js';
export type { ConnectOptions, Pem, TlsOptions } from './options.js';
export {
  type CloseOptions,
  type ListOptions,
  leaseLeftMs,
  type OpenRequest,
  type RenewOptions,
  type SessionAt,
  type SessionPage,
  type SessionSnapshot,
  type Sessions,
  type SessionWatchItem,
  type WatchOptions,
} from './sessions.js';
export type { Backoff, Bookmark, Change, Disconnected } from './watch.js';
