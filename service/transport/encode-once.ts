/**
 * Encodes an event or a session once, however many read it: its bytes are kept for as long as the object itself lives, and every
 * message to every reader is put together from them.
 */
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { DeviceEvent } from '../device/device.js';
import type { DeviceProperties } from '../driver/driver.js';
import type { Session, SessionEvent } from '../session/session.js';
import * as devices from './gen/wifidirect/v1/device.js';
import * as sessions from './gen/wifidirect/v1/session.js';
import { toDevice, toDeviceEvent, toSession, toSessionEvent } from './messages.js';

/** One message of a watch, before it is encoded. */
export interface WatchMessage<E, S> {
  readonly events: readonly E[];
  readonly cursor: string;
  readonly snapshot: readonly S[];
  readonly snapshotComplete: boolean;
}

const bytesOfEvent = once((event: SessionEvent) => sessions.SessionEvent.encode(toSessionEvent(event)).finish());
const bytesOfSession = once((session: Session) => sessions.Session.encode(toSession(session)).finish());
const bytesOfDeviceEvent = once((event: DeviceEvent) => devices.DeviceEvent.encode(toDeviceEvent(event)).finish());
const bytesOfDevice = once((device: DeviceProperties) => devices.Device.encode(toDevice(device)).finish());

// Field numbers and wire types of WatchSessionsResponse and WatchDevicesResponse, which are the same.
const EVENTS = (1 << 3) | 2;
const CURSOR = (2 << 3) | 2;
const SNAPSHOT = (3 << 3) | 2;
const SNAPSHOT_COMPLETE = 4 << 3;

/** `OpenSessionResponse { event = 1 }` */
export function encodeOpenSession(event: SessionEvent): Buffer {
  return Buffer.from(new BinaryWriter().uint32(EVENTS).bytes(bytesOfEvent(event)).finish());
}

export function encodeWatchSessions(message: WatchMessage<SessionEvent, Session>): Buffer {
  return encodeWatch(message, bytesOfEvent, bytesOfSession);
}

export function encodeWatchDevices(message: WatchMessage<DeviceEvent, DeviceProperties>): Buffer {
  return encodeWatch(message, bytesOfDeviceEvent, bytesOfDevice);
}

function encodeWatch<E, S>(
  { events, cursor, snapshot, snapshotComplete }: WatchMessage<E, S>,
  bytesOf: (event: E) => Uint8Array,
  bytesOfItem: (item: S) => Uint8Array,
): Buffer {
  const writer = new BinaryWriter();
  for (const event of events) writer.uint32(EVENTS).bytes(bytesOf(event));
  if (cursor !== '') writer.uint32(CURSOR).string(cursor);
  for (const item of snapshot) writer.uint32(SNAPSHOT).bytes(bytesOfItem(item));
  if (snapshotComplete) writer.uint32(SNAPSHOT_COMPLETE).bool(true);
  return Buffer.from(writer.finish());
}

function once<T extends object>(encode: (value: T) => Uint8Array): (value: T) => Uint8Array {
  const known = new WeakMap<T, Uint8Array>();
  return (value) => {
    let bytes = known.get(value);
    if (bytes === undefined) {
      bytes = encode(value);
      known.set(value, bytes);
    }
    return bytes;
  };
}
