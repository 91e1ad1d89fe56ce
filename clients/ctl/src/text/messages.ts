/**
 * The messages for `-o json` and `-o yaml`: those of the API in ProtoJSON, as other gRPC tools
 * print them. Empty lists are included, so that scripts need not check for them.
 */

import { DeviceEvent as DeviceEvents, Device as Devices } from '../../../../proto/gen/wifidirect/v1/device.js';
import { SessionEvent as SessionEvents, Session as Sessions } from '../../../../proto/gen/wifidirect/v1/session.js';
import type {
  Device,
  DeviceVisibility,
  DeviceWatchItem,
  Disconnected,
  Session,
  SessionAt,
  SessionEvent,
  SessionWatchItem,
} from '../../../typescript/src/client.js';

/** All pages as one ListSessionsResponse. */
export function listSessions(sessions: readonly Session[], cursor: string, hostTime?: Date): unknown {
  return { sessions: sessions.map(Sessions.toJSON), cursor, ...at(hostTime) };
}

/**
 * GetSessionResponse, or the response of Close, CancelOpen or Renew, which have the same fields.
 */
export function sessionAt({ session, cursor, hostTime }: SessionAt): unknown {
  return { session: Sessions.toJSON(session), cursor, ...at(hostTime) };
}

function at(hostTime: Date | undefined): object {
  return hostTime === undefined ? {} : { hostTime: hostTime.toISOString() };
}

/** OpenSessionResponse. */
export function opened(event: SessionEvent): unknown {
  return { event: SessionEvents.toJSON(event) };
}

/** WatchSessionsResponse. */
export function watchedSessions(item: Exclude<SessionWatchItem, Disconnected>): unknown {
  const { cursor } = item;
  switch (item.kind) {
    case 'snapshot':
      return { snapshot: item.sessions.map(Sessions.toJSON), snapshotComplete: true, cursor };
    case 'event':
      return { events: [SessionEvents.toJSON(item.event)], cursor };
    case 'bookmark':
      return { cursor };
  }
}

/** All pages as one ListDevicesResponse. */
export function listDevices(devices: readonly Device[], cursor: string): unknown {
  return { devices: devices.map(Devices.toJSON), cursor };
}

/** WatchDevicesResponse. */
export function watchedDevices(item: Exclude<DeviceWatchItem, Disconnected>): unknown {
  const { cursor } = item;
  switch (item.kind) {
    case 'snapshot':
      return { snapshot: item.devices.map(Devices.toJSON), snapshotComplete: true, cursor };
    case 'event':
      return { events: [DeviceEvents.toJSON(item.event)], cursor };
    case 'bookmark':
      return { cursor };
  }
}

/** UpdateDeviceVisibilityResponse. */
export function visibility({ device, discoveryCompleted, cursor }: DeviceVisibility): unknown {
  return { device: Devices.toJSON(device), discoveryCompleted, cursor };
}
