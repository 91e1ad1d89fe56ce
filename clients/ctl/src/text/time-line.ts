/** Formats events as lines: time, event, and details. */

import { type Device, type DeviceEvent, DeviceEventType } from '../../../../proto/gen/wifidirect/v1/device.js';
import {
  type EventCause,
  EventSource,
  type Session,
  type SessionEvent,
  SessionEventType,
} from '../../../../proto/gen/wifidirect/v1/session.js';
import { nameOf } from '../../../typescript/src/enums.js';
import { deviceDetail } from './device.js';
import { formatDuration, formatTime } from './duration.js';
import { detailOf, endOf, errorOf, stateOf } from './session.js';
import { paintOf, type Style } from './style.js';
import { type Cell, row } from './table.js';

const TIME_WIDTH = 12;
/** The length of `LEASE_EXPIRED`. */
const EVENT_WIDTH = 13;
const SESSION_WIDTH = 36;
const ADDRESS_WIDTH = 17;

/** On a narrower terminal, a line leaves out the device. */
const COLUMNS_WIDE = 120;

/** The name of an event, shortened if it does not fit its column. */
function nameOfEvent({ type }: SessionEvent): string {
  return type === SessionEventType.NETWORK_INTERFACE_CHANGED ? 'INTERFACE' : nameOf(SessionEventType, type);
}

/** An event of one session. Only the first event names the session. */
export function lineOfLife(event: SessionEvent, style: Style): string {
  const type = nameOfEvent(event);
  const name = { text: type, paint: paintOf(style, type) };
  const { sessionId, deviceAddress } = event.session ?? {};
  const isFirst = event.type === SessionEventType.OPENING;
  const detail = isFirst ? `${sessionId} to ${deviceAddress}` : detailOfEvent(event);
  return row([dimTime(event.time, style), name, detail], [TIME_WIDTH, EVENT_WIDTH]);
}

/** A line of a watch of sessions, without the device if the terminal is narrow. */
function sessionRow(cells: readonly [Cell, Cell, Cell, Cell, Cell], { columns }: Style): string {
  const [time, session, device, event, detail] = cells;
  if (columns === undefined || columns >= COLUMNS_WIDE)
    return row([time, session, device, event, detail], [TIME_WIDTH, SESSION_WIDTH, ADDRESS_WIDTH, EVENT_WIDTH]);
  return row([time, session, event, detail], [TIME_WIDTH, SESSION_WIDTH, EVENT_WIDTH]);
}

export function headerOfSessions(style: Style): string {
  const title = (text: string): Cell => ({ text, paint: style.bold });
  return sessionRow([title('TIME'), title('SESSION'), title('DEVICE'), title('EVENT'), title('DETAIL')], style);
}

/** An event in a watch of sessions. */
export function lineOfSession(event: SessionEvent, style: Style): string {
  const type = nameOfEvent(event);
  const { sessionId = '', deviceAddress = '' } = event.session ?? {};
  const name = { text: type, paint: paintOf(style, type) };
  return sessionRow([dimTime(event.time, style), sessionId, deviceAddress, name, detailOfEvent(event)], style);
}

/** A session in a snapshot. It has no time because it is no event. */
export function lineOfSnapshot(session: Session, style: Style): string {
  const name = { text: 'SNAPSHOT', paint: paintOf(style, 'SNAPSHOT') };
  const state = [stateOf(session), detailOf(session)].filter(Boolean).join(': ');
  return sessionRow([dimTime(undefined, style), session.sessionId, session.deviceAddress, name, state], style);
}

const DEVICE_WIDTHS = [TIME_WIDTH, ADDRESS_WIDTH, 24, EVENT_WIDTH];

export function headerOfDevices(style: Style): string {
  return header(['TIME', 'DEVICE', 'NAME', 'EVENT', 'DETAIL'], DEVICE_WIDTHS, style);
}

/** An event of a device or, without an event, a device in a snapshot. */
export function lineOfDevice(device: Device, event: DeviceEvent | undefined, style: Style): string {
  const type = event === undefined ? 'SNAPSHOT' : nameOf(DeviceEventType, event.type);
  const name = { text: type, paint: paintOf(style, type) };
  const cells = [dimTime(event?.time, style), device.deviceAddress, device.name, name, deviceDetail(device)];
  return row(cells, DEVICE_WIDTHS);
}

/** A bookmark: nothing happened until this cursor. */
export function lineOfBookmark(cursor: string, style: Style): string {
  const name = { text: 'BOOKMARK', paint: paintOf(style, 'BOOKMARK') };
  return row([dimTime(undefined, style), name, cursor], [TIME_WIDTH, EVENT_WIDTH]);
}

function header(titles: readonly string[], widths: readonly number[], style: Style): string {
  return row(
    titles.map((text) => ({ text, paint: style.bold })),
    widths,
  );
}

function dimTime(time: Date | undefined, { dim }: Style) {
  return { text: formatTime(time), paint: dim };
}

function detailOfEvent({ type, session, cause, time }: SessionEvent): string {
  if (session === undefined) return '';
  const { networkInterface: link, end, createTime, openTime, leaseExpireTime } = session;
  switch (type) {
    case SessionEventType.OPENED:
      return [link?.alias && `on ${link.alias}`, since('after', createTime, time)].filter(Boolean).join(', ');
    case SessionEventType.NETWORK_INTERFACE_CHANGED:
      return [named('host', link?.localAddresses), named('peer', link?.peerAddresses)].filter(Boolean).join('; ');
    case SessionEventType.LEASE_RENEWED:
      return since('for', time, leaseExpireTime);
    case SessionEventType.OPENING:
    case SessionEventType.CANCELLING:
    case SessionEventType.CLOSING:
      return causeOf(cause);
    default: {
      const how = end && (end.error === undefined ? endOf(end) : errorOf(end.error));
      return [how, openTime && since('open for', openTime, time)].filter(Boolean).join(', ');
    }
  }
}

function since(words: string, from: Date | undefined, to: Date | undefined): string {
  return from && to ? `${words} ${formatDuration(to.getTime() - from.getTime())}` : '';
}

function named(whose: string, addresses: readonly string[] = []): string {
  return addresses.length === 0 ? '' : `${whose} ${addresses.join(', ')}`;
}

const CAUSES: Readonly<Record<string, string>> = {
  NATIVE: 'reported by Windows',
  LEASE: 'the lease expired',
  STREAM_LOST: 'the stream that held the session ended',
  PEER: 'the link is down',
  TIMEOUT: 'the open timed out',
  DRIVER: 'the host lost its Wi-Fi Direct service',
  SHUTDOWN: 'the host is shutting down',
};

function causeOf(cause: EventCause | undefined): string {
  if (cause === undefined) return '';
  const { source, principal, rpc } = cause;
  if (source === EventSource.CLIENT) return `by ${principal} (${rpc.slice(rpc.lastIndexOf('/') + 1)})`;
  return CAUSES[nameOf(EventSource, source)] ?? nameOf(EventSource, source);
}
