/** Lists and watches the devices of a host. `device_service.proto` documents each RPC. */
import { status } from '@grpc/grpc-js';
import type { Observable } from 'rxjs';
import type { Device, DeviceEvent } from '../../../proto/gen/wifidirect/v1/device.js';
import { DeviceServiceDefinition } from '../../../proto/gen/wifidirect/v1/device_service.js';
import type { CallOptions, Connection } from './connection.js';
import { toDuration } from './duration.js';
import { GatewayError } from './error.js';
import { methodsOf } from './methods.js';
import { failWhenSilent } from './silence.js';
import { type Backoff, type Bookmark, type Change, type Disconnected, watch } from './watch.js';

const service = methodsOf(DeviceServiceDefinition);

export interface DevicePage {
  readonly devices: readonly Device[];
  readonly cursor: string;
}

export interface ListDevicesOptions extends CallOptions {
  /** The maximum number of devices per page: 1 to 1000. Default 50. */
  readonly pageSize?: number | undefined;
}

export interface WatchDevicesOptions {
  /** Resume after this cursor of DeviceService. Default: start now, with a snapshot. */
  readonly cursor?: string | undefined;
  /** Only these devices. Default: all devices. */
  readonly deviceAddresses?: readonly string[] | undefined;
  /**
   * How often the host sends a bookmark if there are no events: 1,000 to 300,000 ms. Default 10,000
   * ms. After three intervals of silence the watch disconnects and resumes.
   */
  readonly bookmarkIntervalMs?: number | undefined;
  readonly backoff?: Backoff | undefined;
}

export interface VisibilityOptions extends CallOptions {
  /** How long the host waits for the discovery: 1,000 to 120,000 ms. Default 15,000 ms. */
  readonly discoveryTimeoutMs?: number | undefined;
}

/** The state of a device after a discovery. */
export interface DeviceVisibility {
  /** `isVisible` of this device is the result. */
  readonly device: Device;
  /** False: the discovery has not completed, and `device` may be out of date. */
  readonly discoveryCompleted: boolean;
  readonly cursor: string;
}

/**
 * The current state of all devices. It replaces everything known so far, also in the middle of a
 * watch.
 */
export interface DeviceSnapshot {
  readonly kind: 'snapshot';
  readonly devices: readonly Device[];
  readonly cursor: string;
}

export type DeviceWatchItem = DeviceSnapshot | Change<DeviceEvent> | Bookmark | Disconnected;

const DISCOVERY_TIMEOUT_MS_DEFAULT = 15_000;

/** Added to the discovery for the timeout of the call. */
const ANSWER_MS = 10_000;

export class Devices {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Yields the paired devices page by page, ordered by address. */
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

  /** Watches the devices. Works like `Sessions.watch`. */
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

  /** Searches for a paired device by radio. */
  async updateVisibility(deviceAddress: string, options: VisibilityOptions = {}): Promise<DeviceVisibility> {
    const { discoveryTimeoutMs, signal, timeoutMs } = options;
    const defaultTimeoutMs = (discoveryTimeoutMs ?? DISCOVERY_TIMEOUT_MS_DEFAULT) + ANSWER_MS;
    const request = { deviceAddress, timeout: toDuration(discoveryTimeoutMs) };
    const { device, ...rest } = await this.#connection.unary(service.updateDeviceVisibility, request, {
      signal,
      timeoutMs: timeoutMs ?? defaultTimeoutMs,
    });
    if (device === undefined) throw new GatewayError(status.INTERNAL, 'The response of the host contains no device.');
    return { device, ...rest };
  }
}
