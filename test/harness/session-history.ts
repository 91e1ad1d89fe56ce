/**
 * The life of sessions as clients see it: which event may follow which, and what must be true of
 * each.
 */
import {
  DisconnectEvidence,
  EventSource,
  type Session,
  SessionEndReason,
  type SessionEvent,
  SessionEventType,
  SessionState,
} from '../../proto/gen/wifidirect/v1/session.js';

type Name<Enum> = Exclude<keyof Enum, 'UNSPECIFIED' | 'UNRECOGNIZED'>;
export type StateName = Name<typeof SessionState>;
type EventName = Name<typeof SessionEventType>;

/** The contract's diagram: the states that an event can come in, and the state that it leads to. */
export const edges: Readonly<Record<EventName, readonly [from: readonly StateName[], to: StateName | 'same']>> = {
  OPENING: [[], 'OPENING'],
  OPENED: [['OPENING'], 'OPEN'],
  CANCELLING: [['OPENING'], 'CANCELLING'],
  CLOSING: [['OPEN', 'CANCELLING'], 'CLOSING'],
  CLOSED: [['CLOSING'], 'CLOSED'],
  FAILED: [['OPENING'], 'FAILED'],
  CANCELLED: [['CANCELLING'], 'CANCELLED'],
  LOST: [['OPENING', 'OPEN', 'CANCELLING', 'CLOSING'], 'LOST'],
  LEASE_RENEWED: [['OPENING', 'OPEN'], 'same'],
  LEASE_EXPIRED: [['OPENING', 'OPEN'], 'same'],
  NETWORK_INTERFACE_CHANGED: [['OPEN'], 'same'],
};

const FINAL: readonly StateName[] = ['CLOSED', 'FAILED', 'CANCELLED', 'LOST'];

const stateName = nameOf<StateName>(SessionState);
const eventName = nameOf<EventName>(SessionEventType);

/**
 * What a client knows of the sessions of a host. Each method says what was wrong with what it was
 * told.
 */
export class SessionHistory {
  #sessions = new Map<string, Session>();
  /** Every session that there is, is known: one that is not must begin. */
  #isWhole = false;

  /** Nothing is known any more. */
  forget(): void {
    this.#sessions.clear();
    this.#isWhole = false;
  }

  /** All sessions as they are at a time; `isNow`: nothing has happened since what is known. */
  snapshot(sessions: readonly Session[], isNow: boolean): string[] {
    const wrong: string[] = [];
    const before = this.#sessions;
    const wasWhole = this.#isWhole;
    this.#sessions = new Map(sessions.map((session) => [session.sessionId, session]));
    this.#isWhole = true;
    if (this.#sessions.size < sessions.length) wrong.push('the snapshot shows a session twice');
    for (const session of sessions) {
      const known = before.get(session.sessionId);
      wrong.push(...inItself(session));
      if (isNow && wasWhole && known?.state !== session.state) {
        wrong.push(
          `the snapshot shows ${told(session)}, which was ${known ? stateName(known.state) : 'never heard of'}`,
        );
      } else if (known !== undefined && isFinal(known) && !isFinal(session) && isSame(known, session)) {
        wrong.push(`the snapshot shows ${told(session)}, which had ended`);
      }
    }
    if (!isNow) return wrong;
    // Ended sessions are forgotten in time, live ones never.
    const lost = [...before.values()].filter((known) => !isFinal(known) && !this.#sessions.has(known.sessionId));
    return [...wrong, ...lost.map((known) => `the snapshot lacks ${told(known)}`)];
  }

  event({ type, session, cause, time }: SessionEvent): string[] {
    const name = eventName(type);
    if (session === undefined || name === undefined) return [`an event of type ${type} without a session or a name`];
    const before = this.#sessions.get(session.sessionId);
    this.#sessions.set(session.sessionId, session);
    const wrong = inItself(session);
    if (time === undefined) wrong.push('no time');
    if (cause === undefined || cause.source === EventSource.UNSPECIFIED) wrong.push('no cause');
    if ((cause?.source === EventSource.CLIENT) !== (cause?.rpc !== ''))
      wrong.push('an RPC as cause and no client, or the reverse');
    const [from, to] = edges[name];
    const state = stateName(session.state);
    const came = before === undefined ? undefined : stateName(before.state);
    if (to !== 'same' && state !== to) wrong.push(`it leaves the session ${state}`);
    if (to === 'same' && came !== undefined && state !== came) wrong.push(`it turns ${came} into ${state}`);
    if (before === undefined) {
      if (this.#isWhole && name !== 'OPENING') wrong.push('the session has not begun');
    } else if (name === 'OPENING') {
      if (!isFinal(before)) wrong.push(`the session begins again while it is ${came}`);
      else if (isSame(before, session)) wrong.push('the session begins again after its end');
    } else {
      if (came === undefined || !from.includes(came)) wrong.push(`it can't come in ${came}`);
      wrong.push(...kept(before, session));
    }
    return wrong.map((what) => `${name} of ${session.sessionId}: ${what}`);
  }
}

export function hasEnded(event: SessionEvent | undefined): boolean {
  return event?.session !== undefined && isFinal(event.session);
}

/** What must be true of a session whatever came before. */
function inItself(session: Session): string[] {
  const { end, endTime, openTime, networkInterface } = session;
  const state = stateName(session.state);
  const wrong: string[] = [];
  if (state === undefined) wrong.push('no state');
  if (session.createTime === undefined) wrong.push('no create_time');
  if ((end !== undefined) !== isFinal(session)) wrong.push(`${state} and the end don't agree`);
  if ((endTime !== undefined) !== isFinal(session)) wrong.push(`${state} and end_time don't agree`);
  if (end !== undefined && end.reason === SessionEndReason.UNSPECIFIED) wrong.push('it ended for no reason');
  const hasEvidence = end !== undefined && end.evidence !== DisconnectEvidence.UNSPECIFIED;
  if (hasEvidence !== (state === 'CLOSED')) wrong.push(`${state} and the evidence don't agree`);
  if (state === 'OPEN' && (openTime === undefined || networkInterface === undefined)) {
    wrong.push('OPEN without open_time or network_interface');
  }
  return wrong;
}

/** What an event may not change. */
function kept(before: Session, after: Session): string[] {
  const wrong: string[] = [];
  for (const field of ['deviceAddress', 'kind', 'owner', 'requestId'] as const) {
    if (before[field] !== after[field]) wrong.push(`${field} was ${before[field]} and is ${after[field]}`);
  }
  if (!isSame(before, after)) wrong.push('create_time has changed');
  for (const field of ['openTime', 'closeTime'] as const) {
    if (before[field] !== undefined && before[field].getTime() !== after[field]?.getTime())
      wrong.push(`${field} has changed`);
  }
  if (before.networkInterface !== undefined && after.networkInterface === undefined)
    wrong.push('network_interface is gone');
  return wrong;
}

/** A session id may be used again once its session is forgotten. */
function isSame(a: Session, b: Session): boolean {
  return a.createTime?.getTime() === b.createTime?.getTime();
}

function isFinal({ state }: Session): boolean {
  const name = stateName(state);
  return name !== undefined && FINAL.includes(name);
}

function told({ sessionId, state }: Session): string {
  return `${sessionId} as ${stateName(state)}`;
}

function nameOf<Known extends string>(numbers: Readonly<Record<string, number>>): (value: number) => Known | undefined {
  const known = Object.entries(numbers).filter(([name]) => name !== 'UNSPECIFIED' && name !== 'UNRECOGNIZED');
  const names = new Map(known.map(([name, value]) => [value, name as Known]));
  return (value) => names.get(value);
}
