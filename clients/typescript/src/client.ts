/**
 * The client library of the Wi-Fi Direct Gateway: a host's sessions and devices for programs anywhere.
 *
 * Unary calls are promises, streams are cold Observables whose unsubscribing cancels the call, and everything that is
 * thrown, rejected or emitted as an error is a GatewayError. RxJS has no back-pressure: a subscriber that can't keep up
 * bounds its own queue.
 */
import type { Observable } from 'rxjs';
import { type CallOptions, Connection } from './connection.js';
import { Devices } from './devices.js';
import { type GetHostResponse, HostServiceService } from './gen/wifidirect/v1/host_service.js';
import { check, type HealthStatus, watchStatus } from './health.js';
import type { ConnectOptions } from './options.js';
import { Sessions } from './sessions.js';

/** One host. Cheap to keep: it connects when it is first used, and again when it has to. */
export class Client {
  readonly sessions: Sessions;
  readonly devices: Devices;
  readonly #connection: Connection;

  constructor(address: string, options: ConnectOptions = {}) {
    this.#connection = new Connection(address, options);
    this.sessions = new Sessions(this.#connection);
    this.devices = new Devices(this.#connection);
  }

  /** Which host this is, whether it can do its work, on what it runs, and its limits. */
  host(options?: CallOptions): Promise<GetHostResponse> {
    return this.#connection.unary(HostServiceService.getHost, {}, options);
  }

  /**
   * What the host tells load balancers and probes, of itself or of one of its services (`wifidirect.v1.SessionService`).
   * NOT_FOUND for a service that it doesn't know.
   */
  health(service = '', options?: CallOptions): Promise<HealthStatus> {
    return this.#connection.unary(check, service, options);
  }

  /**
   * The health now, and again each time it changes. It doesn't attach again by itself: it errors when the stream breaks,
   * and then `retry` of RxJS, with a delay, goes on.
   */
  watchHealth(service = ''): Observable<HealthStatus> {
    return this.#connection.stream(watchStatus, service);
  }

  /** Ends every call and Observable with CANCELLED, and the connection. */
  close(): void {
    this.#connection.close();
  }
}

/**
 * A client of the host at `host:port`, or `unix:/path`. Does not wait for the connection: `await client.host()` does.
 * Throws INVALID_ARGUMENT where an option can't be right (an address with a scheme, a token in clear text, a file that
 * can't be read), and names it.
 */
export function connect(address: string, options?: ConnectOptions): Client {
  return new Client(address, options);
}

export { status } from '@grpc/grpc-js';
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
export { type Device, type DeviceEvent, DeviceEventType } from './gen/wifidirect/v1/device.js';
export { ErrorReason, type NativeResult, type SessionError } from './gen/wifidirect/v1/error.js';
export {
  type Driver,
  DriverKind,
  type GetHostResponse,
  HostState,
  type Limits,
  type MissingFunction,
} from './gen/wifidirect/v1/host_service.js';
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
} from './gen/wifidirect/v1/session.js';
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
