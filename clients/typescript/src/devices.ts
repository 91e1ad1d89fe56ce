/** DeviceService: which devices can be connected to, and are they in reach? See `device_service.proto`. */
import { status } from '@grpc/grpc-js';
import type { Observable } from 'rxjs';
import type { CallOptions, Connection } from './connection.js';
import { toDuration } from './duration.js';
import { GatewayError } from './error.js';
import type { Device, DeviceEvent } from './gen/wifidirect/v1/device.js';
import { DeviceServiceService as service } from './gen/wifidirect/v1/device_service.js';
import { failWhenSilent } from './silence.js';
import { type Backoff, type Bookmark, type Change, type Disconnected, watch } from './watch.js';

export interface DevicePage {
  readonly devices: readonly Device[];
  readonly cursor: string;
}

export interface ListDevicesOptions extends CallOptions {
  /** The most devices of a page: 1 to 1000. Default 50. */
  readonly pageSize?: number | undefined;
}

export interface WatchDevicesOptions {
  /** Resume after this cursor of DeviceService. Default: from now, after a snapshot. */
  readonly cursor?: string | undefined;
  /** Only these devices. Default: all. */
  readonly deviceAddresses?: readonly string[] | undefined;
  /**
   * How long a silence lasts before a bookmark comes: 1,000 to 300,000 ms. Default 10,000 ms. A watch that hears nothing
   * for three of them is disconnected, and resumes.
   */
  readonly bookmarkIntervalMs?: number | undefined;
  readonly backoff?: Backoff | undefined;
}

export interface VisibilityOptions extends CallOptions {
  /** How long the host waits for the discovery: 1,000 to 120,000 ms. Default 15,000 ms. */
  readonly discoveryTimeoutMs?: number | undefined;
}

/** What is known of a device after a discovery. */
export interface DeviceVisibility {
  /** Its `isVisible` is the answer. */
  readonly device: Device;
  /** False: the discovery goes on, and `device` may be stale. */
  readonly discoveryCompleted: boolean;
  readonly cursor: string;
}

/** All devices as they are. Replaces what was known, also when it comes in the middle of a watch. */
export interface DeviceSnapshot {
  readonly kind: 'snapshot';
  readonly devices: readonly Device[];
  readonly cursor: string;
}

export type DeviceWatchItem = DeviceSnapshot | Change<DeviceEvent> | Bookmark | Disconnected;

const DISCOVERY_TIMEOUT_MS_DEFAULT = 15_000;

/** What the answer may take beyond the discovery. */
const ANSWER_MS = 10_000;

export class Devices {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The paired devices page by page, by address. */
  async *list(options: ListDevicesOptions = {}): AsyncGenerator<DevicePage, void, undefined> {
    const { pageSize = 0 } = options;
    let pageToken = '';
    do {
      const request = { pageSize, pageToken };
      const { devices, cursor, nextPageToken } = await this.#connection.unary(service.listDevices, request, options);
      yield { devices, cursor };
      pageToken = nextPageToken;
    } while (pageToken !== '');
  }

  /** Follows the devices, in the way of `Sessions.watch`. */
  watch({
    cursor,
    deviceAddresses = [],
    bookmarkIntervalMs,
    backoff,
  }: WatchDevicesOptions = {}): Observable<DeviceWatchItem> {
    const request = { deviceAddresses: [...deviceAddresses], bookmarkInterval: toDuration(bookmarkIntervalMs) };
    const items = watch({
      attach: (cursor) =>
        this.#connection
          .stream(service.watchDevices, { ...request, cursor })
          .pipe(failWhenSilent({ intervalMs: bookmarkIntervalMs })),
      toSnapshot: (devices: readonly Device[], cursor): DeviceSnapshot => ({ kind: 'snapshot', devices, cursor }),
      cursor,
      backoff,
    });
    return this.#connection.untilClosed(items);
  }

  /** Looks for a paired device by radio. */
  async updateVisibility(deviceAddress: string, options: VisibilityOptions = {}): Promise<DeviceVisibility> {
    const { discoveryTimeoutMs, signal, timeoutMs } = options;
    const patienceMs = (discoveryTimeoutMs ?? DISCOVERY_TIMEOUT_MS_DEFAULT) + ANSWER_MS;
    const request = { deviceAddress, timeout: toDuration(discoveryTimeoutMs) };
    const { device, ...rest } = await this.#connection.unary(service.updateDeviceVisibility, request, {
      signal,
      timeoutMs: timeoutMs ?? patienceMs,
    });
    if (device === undefined) throw new GatewayError(status.INTERNAL, 'The host answered without a device.');
    return { device, ...rest };
  }
}
