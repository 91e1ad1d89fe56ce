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

// And those of the answers to unary calls.
const SESSION = (1 << 3) | 2;
const NEXT_PAGE_TOKEN = (2 << 3) | 2;
const CURSOR_OF_PAGE = (3 << 3) | 2;

/** `OpenSessionResponse { event = 1 }` */
export function encodeOpenSession(event: SessionEvent): Buffer {
  return join(EVENTS, bytesOfEvent(event));
}

/** What a unary call about one session is answered with, before it is encoded. */
export interface SessionAnswer {
  readonly session: Session;
  readonly cursor: string;
}

/** One page of sessions, before it is encoded. */
export interface SessionPage {
  readonly sessions: readonly Session[];
  readonly nextPageToken: string;
  readonly cursor: string;
}

/** `{ session = 1, cursor = 2 }`: the responses of Get-, Close-, Renew- and CancelOpenSession are the same. */
export function encodeAnswer({ session, cursor }: SessionAnswer): Buffer {
  return join(SESSION, bytesOfSession(session), CURSOR, Buffer.from(cursor));
}

/** `ListSessionsResponse { sessions = 1, next_page_token = 2, cursor = 3 }` */
export function encodePage({ sessions: page, nextPageToken, cursor }: SessionPage): Buffer {
  const writer = new BinaryWriter();
  for (const session of page) writer.uint32(SESSION).bytes(bytesOfSession(session));
  if (nextPageToken !== '') writer.uint32(NEXT_PAGE_TOKEN).string(nextPageToken);
  return Buffer.from(writer.uint32(CURSOR_OF_PAGE).string(cursor).finish());
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

/** One or two fields in a buffer of just their size: a BinaryWriter would make a larger one, and copy out of it. */
function join(tag: number, bytes: Uint8Array, tag2 = 0, bytes2: Uint8Array = NONE): Buffer {
  const message = Buffer.allocUnsafe(sizeOf(bytes) + (bytes2 === NONE ? 0 : sizeOf(bytes2)));
  const end = put(message, 0, tag, bytes);
  if (bytes2 !== NONE) put(message, end, tag2, bytes2);
  return message;
}

const NONE = new Uint8Array();

/** With its tag, which is one byte, and its length, a varint. */
function sizeOf({ length }: Uint8Array): number {
  let size = 2 + length;
  for (let rest = length >>> 7; rest > 0; rest >>>= 7) size += 1;
  return size;
}

/** Where the field ends. */
function put(message: Buffer, at: number, tag: number, bytes: Uint8Array): number {
  let to = at;
  message[to++] = tag;
  let rest = bytes.length;
  for (; rest > 127; rest >>>= 7) message[to++] = (rest & 127) | 128;
  message[to++] = rest;
  message.set(bytes, to);
  return to + bytes.length;
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
