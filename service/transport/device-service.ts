/** `wifidirect.v1.DeviceService`: message → request → message. */
import type { LoggedDeviceEvent } from '../device/device.js';
import type { Devices } from '../device/devices.js';
import type { DeviceProperties } from '../driver/driver.js';
import { type Edge, must } from './edge.js';
import { encodeWatchDevices, type WatchMessage } from './encode-once.js';
import {
  DeviceServiceService,
  type ListDevicesRequest,
  type UpdateDeviceVisibilityRequest,
  type WatchDevicesRequest,
} from './gen/wifidirect/v1/device_service.js';
import { toDevice } from './messages.js';
import * as check from './requests.js';
import { serverStream } from './server-stream.js';
import { WatchSource } from './sources.js';
import { unary } from './unary.js';
import { bookmarkInterval, takeWatch, type WatchLimits, watchLimits } from './watch-limits.js';

const DEVICE_ADDRESSES_MAX = 1000;
const VISIBILITY_TIMEOUT_MS = 15_000;
const VISIBILITY_TIMEOUT_MIN_MS = 1000;
const VISIBILITY_TIMEOUT_MAX_MS = 120_000;

const name = (method: string) => `wifidirect.v1.DeviceService/${method}`;

export const deviceServiceDefinition = {
  ...DeviceServiceService,
  watchDevices: { ...DeviceServiceService.watchDevices, responseSerialize: encodeWatchDevices },
};

export function deviceService(edge: Edge, devices: Devices, limits: WatchLimits) {
  const { events } = devices;
  return {
    listDevices: unary(edge, name('ListDevices'), (request: ListDevicesRequest) => {
      const listText = `devices of ${events.log.epoch}`;
      const after = check.fromPageToken(request.pageToken, listText);
      const rest = must(devices.list()).filter(({ address }) => ordinalOf(address) > after);
      const page = rest.slice(0, check.pageSize(request.pageSize));
      const last = page.length < rest.length ? page.at(-1) : undefined;
      return {
        devices: page.map(toDevice),
        nextPageToken: check.toPageToken(last && ordinalOf(last.address), listText),
        cursor: events.cursor,
        hostTime: new Date(),
      };
    }),
    watchDevices: serverStream<WatchDevicesRequest, WatchMessage<LoggedDeviceEvent, DeviceProperties>>(
      edge,
      name('WatchDevices'),
      limits.watcherGraceMs,
      (request, { caller }) => {
        if (request.deviceAddresses.length > DEVICE_ADDRESSES_MAX) {
          const count = `${request.deviceAddresses.length} addresses`;
          throw check.invalid('device_addresses', count, `must be ${DEVICE_ADDRESSES_MAX} at most`);
        }
        const wanted = new Set(
          request.deviceAddresses.map((address, index) => check.deviceAddress(address, `device_addresses[${index}]`)),
        );
        const isWanted = (address: string) => wanted.size === 0 || wanted.has(address);
        const settings = watchLimits(limits, bookmarkInterval(request.bookmarkInterval, limits));
        const isResumed = request.cursor !== '';
        const position = isResumed ? must(events.positionOf(request.cursor)) : events.log.newest;
        const snapshot = must(devices.list()).filter(({ address }) => isWanted(address));
        const release = takeWatch(edge, caller.principal, wanted.size);
        const labels = wanted.size === 0 ? undefined : wanted;
        const reader = events.read(position, ({ deviceAddress }) => isWanted(deviceAddress), labels);
        return new WatchSource(events, reader, isResumed ? undefined : snapshot, settings, release);
      },
    ),
    updateDeviceVisibility: unary(
      edge,
      name('UpdateDeviceVisibility'),
      async (request: UpdateDeviceVisibilityRequest, { caller, signal, trace }) => {
        const address = check.deviceAddress(request.deviceAddress);
        const timeoutMs =
          check.duration('timeout', request.timeout, VISIBILITY_TIMEOUT_MIN_MS, VISIBILITY_TIMEOUT_MAX_MS) ??
          VISIBILITY_TIMEOUT_MS;
        const { device, isComplete } = must(
          await devices.updateVisibility(address, timeoutMs, {
            principal: caller.principal,
            signal,
            place: { parent: trace },
          }),
        );
        return {
          device: toDevice(device),
          discoveryCompleted: isComplete,
          cursor: events.cursor,
          hostTime: new Date(),
        };
      },
    ),
  };
}

/** A page goes on after an address, so that devices may come and go between two pages. */
function ordinalOf(address: string): number {
  return Number.parseInt(address.replaceAll(':', ''), 16);
}
