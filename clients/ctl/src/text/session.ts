/** Formats sessions for people: as rows of a list, in full, and in one sentence. */

import { ErrorReason, type NativeResult, type SessionError } from '../../../../proto/gen/wifidirect/v1/error.js';
import {
  DisconnectEvidence,
  type Session,
  type SessionEnd,
  SessionEndReason,
  SessionKind,
  SessionState,
} from '../../../../proto/gen/wifidirect/v1/session.js';
import { nameOf } from '../../../typescript/src/enums.js';
import { formatAge, formatMoment, formatRest } from './duration.js';
import { printable } from './printable.js';
import { paintOf, type Style } from './style.js';
import { type Cell, pairs, table } from './table.js';

export function stateOf({ state }: Session): string {
  return nameOf(SessionState, state);
}

export function listOfSessions(sessions: readonly Session[], style: Style, now: number): string {
  const header = ['SESSION', 'DEVICE', 'STATE', 'AGE', 'LEASE', 'OWNER', 'DETAIL'];
  const rows = sessions.map((session) => [
    session.sessionId,
    session.deviceAddress,
    painted(style, stateOf(session)),
    ageOf(session.createTime, now),
    leaseOf(session, now),
    session.owner,
    { text: detailOf(session), paint: style.dim },
  ]);
  return table(header, rows, style.bold, { columns: style.columns, spare: ['OWNER', 'DETAIL', 'LEASE', 'AGE'] });
}

export function describeSession(session: Session, cursor: string, style: Style, now: number): string {
  const { networkInterface: link, end } = session;
  return pairs(
    [
      ['Session', session.sessionId],
      ['Device', session.deviceAddress],
      ['Kind', nameOf(SessionKind, session.kind)],
      ['State', painted(style, stateOf(session))],
      ['Owner', session.owner],
      [
        'Interface',
        link && [link.alias || link.guid, link.index ? `index ${link.index}` : ''].filter(Boolean).join(', '),
      ],
      ['Interface GUID', link?.guid],
      ['Host addresses', link?.localAddresses.join(', ')],
      ['Peer addresses', link?.peerAddresses.join(', ')],
      ['Lease', leaseOf(session, now)],
      ['Created', moment(session.createTime, now)],
      ['Open', moment(session.openTime, now)],
      ['Closing', moment(session.closeTime, now)],
      ['Ended', moment(session.endTime, now)],
      ['End', end && endOf(end)],
      ['Error', end?.error && errorOf(end.error)],
      ['Request', session.requestId],
      ['Cursor', cursor],
    ],
    style.bold,
  );
}

/** `Session x is CLOSED: REQUESTED, confirmed by DEVICE_DISCONNECTED.` */
export function sentenceOfSession(session: Session, style: Style, now: number): string {
  const { sessionId, end } = session;
  const state = stateOf(session);
  const rest = leaseOf(session, now);
  const lease = rest && `; its lease expires in ${rest}`;
  return `Session ${printable(sessionId)} is ${paintOf(style, state)(state)}${end ? `: ${endOf(end)}` : ''}${lease}.\n`;
}

/** Short, for a list: the network interface, or how the session ended. */
export function detailOf({ networkInterface: link, end }: Session): string {
  if (end !== undefined) return end.error === undefined ? endOf(end) : errorOf(end.error);
  if (link === undefined) return '';
  return link.peerAddresses[0] === undefined ? link.alias : `${link.alias}, peer ${link.peerAddresses[0]}`;
}

export function endOf({ reason, evidence }: SessionEnd): string {
  const why = nameOf(SessionEndReason, reason);
  if (evidence === DisconnectEvidence.UNSPECIFIED) return why;
  if (evidence === DisconnectEvidence.UNCONFIRMED) return `${why}, UNCONFIRMED: the link may still be up`;
  return `${why}, confirmed by ${nameOf(DisconnectEvidence, evidence)}`;
}

export function errorOf({ reason, message, nativeResult }: SessionError): string {
  const name = nameOf(ErrorReason, reason);
  return `${name}: ${nativeResult === undefined ? message : nativeOf(nativeResult)}`;
}

/** `1460 ERROR_TIMEOUT (The network is not available.)` */
export function nativeOf({ code, name, reasonText }: NativeResult): string {
  return [String(code), name, reasonText && `(${reasonText})`].filter(Boolean).join(' ');
}

/** The time left, or empty if there is no lease or the session is closing. */
function leaseOf({ leaseExpireTime, state }: Session, now: number): string {
  const isRunning = state === SessionState.OPENING || state === SessionState.OPEN;
  return leaseExpireTime !== undefined && isRunning ? formatRest(leaseExpireTime.getTime() - now) : '';
}

function ageOf(time: Date | undefined, now: number): string {
  return time === undefined ? '' : formatAge(now - time.getTime());
}

function moment(time: Date | undefined, now: number): string | undefined {
  return time && `${formatMoment(time)} (${ageOf(time, now)} ago)`;
}

function painted(style: Style, name: string): Cell {
  return { text: name, paint: paintOf(style, name) };
}
