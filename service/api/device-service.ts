/** `wifidirect.v1.DeviceService`: requests in, answers and sources of messages out. */

import {
  DeviceServiceDefinition,
  type ListDevicesRequest,
  type UpdateDeviceVisibilityRequest,
  type WatchDevicesRequest,
} from '../../proto/gen/wifidirect/v1/device_service.js';
import { encodeWatchDevices } from '../codec/encode-once.js';
import { toDevice } from '../codec/messages.js';
import type { Devices } from '../device/devices.js';
import { unwrap } from '../fault.js';
import type { CallServices } from './call-services.js';
import { type Context, type Service, serviceOf } from './method.js';
import * as check from './requests.js';
import { WatchSource } from './sources.js';
import { bookmarkInterval, takeWatch, type WatchLimits, watchLimits } from './watch-limits.js';

const DEVICE_ADDRESSES_MAX = 1000;
const VISIBILITY_TIMEOUT_MS = 15_000;
const VISIBILITY_TIMEOUT_MIN_MS = 1000;
const VISIBILITY_TIMEOUT_MAX_MS = 120_000;

export function deviceService(services: CallServices, devices: Devices, limits: WatchLimits): Service {
  const { events } = devices;

  function list(request: ListDevicesRequest) {
    const listText = `devices of ${events.log.epoch}`;
    const after = check.fromPageToken(request.pageToken, listText);
    const rest = unwrap(devices.list()).filter(({ address }) => ordinalOf(address) > after);
    const page = rest.slice(0, check.pageSize(request.pageSize));
    const last = page.length < rest.length ? page.at(-1) : undefined;
    return {
      devices: page.map(toDevice),
      nextPageToken: check.toPageToken(last && ordinalOf(last.address), listText),
      cursor: events.cursor,
      hostTime: new Date(),
    };
  }

  function watch(request: WatchDevicesRequest, { caller }: Context) {
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
    const position = isResumed ? unwrap(events.positionOf(request.cursor)) : events.log.newest;
    const snapshot = unwrap(devices.list()).filter(({ address }) => isWanted(address));
    const release = takeWatch(services, caller.principal, wanted.size);
    const labels = wanted.size === 0 ? undefined : wanted;
    const reader = events.read(position, ({ deviceAddress }) => isWanted(deviceAddress), labels);
    return new WatchSource(events, reader, isResumed ? undefined : snapshot, settings, release);
  }

  async function updateVisibility(request: UpdateDeviceVisibilityRequest, { caller, signal, trace }: Context) {
    const address = check.deviceAddress(request.deviceAddress);
    const timeoutMs =
      check.duration('timeout', request.timeout, VISIBILITY_TIMEOUT_MIN_MS, VISIBILITY_TIMEOUT_MAX_MS) ??
      VISIBILITY_TIMEOUT_MS;
    const asked = { principal: caller.principal, signal, place: { parent: trace } };
    const { device, isComplete } = unwrap(await devices.updateVisibility(address, timeoutMs, asked));
    return { device: toDevice(device), discoveryCompleted: isComplete, cursor: events.cursor, hostTime: new Date() };
  }

  return serviceOf(DeviceServiceDefinition, {
    listDevices: { answer: list },
    watchDevices: { open: watch, encode: encodeWatchDevices, graceMs: limits.watcherGraceMs },
    updateDeviceVisibility: { answer: updateVisibility },
  });
}

/** A page continues after an address, so that devices can come and go between two pages. */
function ordinalOf(address: string): number {
  return Number.parseInt(address.replaceAll(':', ''), 16);
}
