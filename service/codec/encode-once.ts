/**
 * Encodes an event or a session once, for all its readers. The bytes are kept as long as the object
 * (those of logged events in the log), and every message is built from them.
 */
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { Timestamp } from '../../proto/gen/google/protobuf/timestamp.js';
import * as devices from '../../proto/gen/wifidirect/v1/device.js';
import * as sessions from '../../proto/gen/wifidirect/v1/session.js';
import type { DeviceEvent } from '../device/device.js';
import type { DeviceProperties } from '../driver/driver.js';
import type { Session, SessionEvent } from '../session/session.js';
import { toDevice, toDeviceEvent, toSession, toSessionEvent } from './messages.js';

/** An encoded event. */
interface Encoded {
  readonly bytes: Uint8Array;
}

/** One message of an OpenSession stream before it is encoded: an event, or a heartbeat. */
export interface OpenMessage {
  readonly event: SessionEvent | undefined;
  readonly cursor: string;
}

/** One message of a watch, before it is encoded. */
export interface WatchMessage<E, S> {
  readonly events: readonly E[];
  readonly cursor: string;
  readonly snapshot: readonly S[];
  readonly snapshotComplete: boolean;
}

export const bytesOfEvent = once((event: SessionEvent) => sessions.SessionEvent.encode(toSessionEvent(event)).finish());
const bytesOfSession = once((session: Session) => sessions.Session.encode(toSession(session)).finish());
export const bytesOfDeviceEvent = once((event: DeviceEvent) =>
  devices.DeviceEvent.encode(toDeviceEvent(event)).finish(),
);
const bytesOfDevice = once((device: DeviceProperties) => devices.Device.encode(toDevice(device)).finish());

// Field numbers and wire types of WatchSessionsResponse and WatchDevicesResponse, which are equal.
const EVENTS = (1 << 3) | 2;
const CURSOR = (2 << 3) | 2;
const SNAPSHOT = (3 << 3) | 2;
const SNAPSHOT_COMPLETE = 4 << 3;
const HOST_TIME_OF_WATCH = (5 << 3) | 2;

// Of OpenSessionResponse and of answers about one session: event or session, cursor, time.
const SUBJECT = (1 << 3) | 2;
const HOST_TIME = (3 << 3) | 2;

// Of ListSessionsResponse.
const NEXT_PAGE_TOKEN = (2 << 3) | 2;
const CURSOR_OF_PAGE = (3 << 3) | 2;
const HOST_TIME_OF_PAGE = (4 << 3) | 2;

/** `OpenSessionResponse { event = 1, cursor = 2, host_time = 3 }` */
export function encodeOpenSession({ event, cursor }: OpenMessage, nowMs = Date.now()): Buffer {
  const rest: Field[] = [
    [CURSOR, Buffer.from(cursor)],
    [HOST_TIME, bytesOfTime(nowMs)],
  ];
  return join(event === undefined ? rest : [[SUBJECT, bytesOfEvent(event)], ...rest]);
}

/** The answer to a unary call about one session, before it is encoded. */
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

/**
 * `{ session = 1, cursor = 2, host_time = 3 }`: the answer of GetSession, CloseSession,
 * RenewSession and CancelOpenSession.
 */
export function encodeAnswer({ session, cursor }: SessionAnswer, nowMs = Date.now()): Buffer {
  return join([
    [SUBJECT, bytesOfSession(session)],
    [CURSOR, Buffer.from(cursor)],
    [HOST_TIME, bytesOfTime(nowMs)],
  ]);
}

/** `ListSessionsResponse { sessions = 1, next_page_token = 2, cursor = 3, host_time = 4 }` */
export function encodePage({ sessions: page, nextPageToken, cursor }: SessionPage, nowMs = Date.now()): Buffer {
  const writer = new BinaryWriter();
  for (const session of page) writer.uint32(SUBJECT).bytes(bytesOfSession(session));
  if (nextPageToken !== '') writer.uint32(NEXT_PAGE_TOKEN).string(nextPageToken);
  writer.uint32(CURSOR_OF_PAGE).string(cursor);
  return Buffer.from(writer.uint32(HOST_TIME_OF_PAGE).bytes(bytesOfTime(nowMs)).finish());
}

export function encodeWatchSessions(message: WatchMessage<Encoded, Session>, nowMs = Date.now()): Buffer {
  return encodeWatch(message, bytesOfSession, nowMs);
}

export function encodeWatchDevices(message: WatchMessage<Encoded, DeviceProperties>, nowMs = Date.now()): Buffer {
  return encodeWatch(message, bytesOfDevice, nowMs);
}

function encodeWatch<S>(
  { events, cursor, snapshot, snapshotComplete }: WatchMessage<Encoded, S>,
  bytesOfItem: (item: S) => Uint8Array,
  nowMs: number,
): Buffer {
  const writer = new BinaryWriter();
  for (const { bytes } of events) writer.uint32(EVENTS).bytes(bytes);
  if (cursor !== '') writer.uint32(CURSOR).string(cursor);
  for (const item of snapshot) writer.uint32(SNAPSHOT).bytes(bytesOfItem(item));
  if (snapshotComplete) writer.uint32(SNAPSHOT_COMPLETE).bool(true);
  return Buffer.from(writer.uint32(HOST_TIME_OF_WATCH).bytes(bytesOfTime(nowMs)).finish());
}

/** `google.protobuf.Timestamp` */
function bytesOfTime(ms: number): Uint8Array {
  const nanos = (ms % 1000) * 1_000_000;
  return Timestamp.encode({ seconds: BigInt(Math.floor(ms / 1000)), nanos }).finish();
}

/** A length-delimited field: its tag, which is one byte, and its contents. */
type Field = readonly [tag: number, bytes: Uint8Array];

/** Joins fields in a buffer of the exact size. A BinaryWriter would allocate more, and copy. */
function join(fields: readonly Field[]): Buffer {
  const size = fields.reduce((sum, [, bytes]) => sum + sizeOf(bytes), 0);
  const message = Buffer.allocUnsafe(size);
  fields.reduce((at, [tag, bytes]) => put(message, at, tag, bytes), 0);
  return message;
}

/** The size of the field, with its tag (one byte) and its length (a varint). */
function sizeOf({ length }: Uint8Array): number {
  let size = 2 + length;
  for (let rest = length >>> 7; rest > 0; rest >>>= 7) size += 1;
  return size;
}

/** Returns the end of the field. */
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
