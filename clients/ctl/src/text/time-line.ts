/** Events as lines of a time line: when, what, and what more there is to say. */
import { nameOf } from '../../../typescript/src/enums.js';
import { type Device, type DeviceEvent, DeviceEventType } from '../../../typescript/src/gen/wifidirect/v1/device.js';
import {
  type EventCause,
  EventSource,
  type Session,
  type SessionEvent,
  SessionEventType,
} from '../../../typescript/src/gen/wifidirect/v1/session.js';
import { deviceDetail } from './device.js';
import { formatDuration, formatTime } from './duration.js';
import { detailOf, endOf, errorOf, stateOf } from './session.js';
import { paintOf, type Style } from './style.js';
import { type Cell, row } from './table.js';

const TIME_WIDTH = 12;
/** Of `LEASE_EXPIRED`. */
const EVENT_WIDTH = 13;
const SESSION_WIDTH = 36;
const ADDRESS_WIDTH = 17;

/** Below this a line of a watch leaves out the device, which the session stands for. */
const COLUMNS_WIDE = 120;

/** The name of an event. A longer one would push the rest of its line aside. */
function nameOfEvent({ type }: SessionEvent): string {
  return type === SessionEventType.NETWORK_INTERFACE_CHANGED ? 'INTERFACE' : nameOf(SessionEventType, type);
}

/** A line of the life of one session. Which session that is stands in the first of them alone. */
export function lineOfLife(event: SessionEvent, style: Style): string {
  const type = nameOfEvent(event);
  const name = { text: type, paint: paintOf(style, type) };
  const { sessionId, deviceAddress } = event.session ?? {};
  const isFirst = event.type === SessionEventType.OPENING;
  const detail = isFirst ? `${sessionId} to ${deviceAddress}` : detailOfEvent(event);
  return row([dimTime(event.time, style), name, detail], [TIME_WIDTH, EVENT_WIDTH]);
}

/** A line of a watch of sessions, without the device where there is no room. */
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

/** A line of what happens to all sessions. */
export function lineOfSession(event: SessionEvent, style: Style): string {
  const type = nameOfEvent(event);
  const { sessionId = '', deviceAddress = '' } = event.session ?? {};
  const name = { text: type, paint: paintOf(style, type) };
  return sessionRow([dimTime(event.time, style), sessionId, deviceAddress, name, detailOfEvent(event)], style);
}

/** A line of a snapshot: no event, so no time. */
export function lineOfSnapshot(session: Session, style: Style): string {
  const name = { text: 'SNAPSHOT', paint: paintOf(style, 'SNAPSHOT') };
  const state = [stateOf(session), detailOf(session)].filter(Boolean).join(': ');
  return sessionRow([dimTime(undefined, style), session.sessionId, session.deviceAddress, name, state], style);
}

const DEVICE_WIDTHS = [TIME_WIDTH, ADDRESS_WIDTH, 24, EVENT_WIDTH];

export function headerOfDevices(style: Style): string {
  return header(['TIME', 'DEVICE', 'NAME', 'EVENT', 'DETAIL'], DEVICE_WIDTHS, style);
}

/** A line of what happens to the devices; without an event, of a snapshot. */
export function lineOfDevice(device: Device, event: DeviceEvent | undefined, style: Style): string {
  const type = event === undefined ? 'SNAPSHOT' : nameOf(DeviceEventType, event.type);
  const name = { text: type, paint: paintOf(style, type) };
  const cells = [dimTime(event?.time, style), device.deviceAddress, device.name, name, deviceDetail(device)];
  return row(cells, DEVICE_WIDTHS);
}

/** Nothing happened, up to here. */
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
  NATIVE: 'Windows said so',
  LEASE: 'the lease lapsed',
  STREAM_LOST: 'nobody holds it any more',
  PEER: 'the link was found down',
  TIMEOUT: 'the open took too long',
  DRIVER: 'the host lost its Wi-Fi Direct service',
  SHUTDOWN: 'the host is stopping',
};

function causeOf(cause: EventCause | undefined): string {
  if (cause === undefined) return '';
  const { source, principal, rpc } = cause;
  if (source === EventSource.CLIENT) return `by ${principal} (${rpc.slice(rpc.lastIndexOf('/') + 1)})`;
  return CAUSES[nameOf(EventSource, source)] ?? nameOf(EventSource, source);
}
