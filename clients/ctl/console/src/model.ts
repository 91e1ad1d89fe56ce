/**
 * What the page knows about one host: its sessions, devices and events, and counts of the last
 * hour. Only frames change it. Its size is bounded, however long the page stays open.
 */
import type { HostFrame } from '../../src/console/frames.js';
import { type DeviceShape, type EventShape, type HostShape, type SessionShape, short } from './shapes.js';

export type State = 'OPENING' | 'OPEN' | 'CANCELLING' | 'CLOSING' | 'CLOSED' | 'FAILED' | 'CANCELLED' | 'LOST';

export interface Session {
  readonly id: string;
  readonly state: State;
  readonly shape: SessionShape;
  readonly createMs: number;
  readonly openMs: number | undefined;
  readonly closeMs: number | undefined;
  readonly endMs: number | undefined;
  readonly leaseMs: number | undefined;
  /** The events of this session, newest last. */
  readonly events: Happening[];
}

export interface Happening {
  readonly key: string;
  readonly timeMs: number;
  readonly type: string;
  readonly session: SessionShape;
  readonly shape: EventShape;
}

export const LIVE: ReadonlySet<string> = new Set(['OPENING', 'OPEN', 'CANCELLING', 'CLOSING']);
export const FAILED: ReadonlySet<string> = new Set(['FAILED', 'LOST']);

/** One step of the plots. */
export const SLOT_MS = 30_000;
export const SLOTS = 120;

const ENDED_MAX = 5000;
const EVENTS_MAX = 20_000;
const EVENTS_OF_SESSION_MAX = 200;
const OPEN_TIMES_MAX = 2000;

/** The groups that are counted. CLOSING includes CANCELLING. */
export const GROUPS = ['OPENING', 'OPEN', 'CLOSING'] as const;
export type Group = (typeof GROUPS)[number];

/** The state before an event, if that is the first event of a session that the page gets. */
const PRIOR: Readonly<Record<string, State>> = {
  OPENED: 'OPENING',
  CANCELLING: 'OPENING',
  CLOSING: 'OPEN',
  CLOSED: 'CLOSING',
  FAILED: 'OPENING',
  CANCELLED: 'CANCELLING',
  LOST: 'OPEN',
  LEASE_RENEWED: 'OPEN',
  LEASE_EXPIRED: 'OPEN',
  NETWORK_INTERFACE_CHANGED: 'OPEN',
};

interface Slot {
  readonly changes: Record<Group, number>;
  readonly failures: Map<string, number>;
  ended: number;
}

export class HostModel {
  readonly name: string;
  about: HostShape | undefined;
  readonly sessions = new Map<string, Session>();
  readonly devices = new Map<string, DeviceShape>();
  /** Why there is no list of devices, if so. */
  devicesMessage: string | undefined;
  hasDevices = false;
  hasSessions = false;
  /** Newest last. */
  readonly events: Happening[] = [];
  /** The number of sessions in each group now. */
  readonly counts: Record<Group, number> = { OPENING: 0, OPEN: 0, CLOSING: 0 };
  /** The duration of the last opens, in ms. */
  readonly openTimes: { readonly timeMs: number; readonly tookMs: number }[] = [];
  readonly slots = new Map<number, Slot>();
  lost: { readonly message: string; readonly since: number } | undefined;
  refused: string | undefined;
  /** The clock of the host minus the clock of this browser. */
  aheadMs = 0;
  #epoch = '';
  #sequence = 0;
  #eventCount = 0;
  /** The ids of ended sessions, in the order of their ends. */
  #ended: string[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** The number of events so far, including those that were dropped. */
  get eventCount(): number {
    return this.#eventCount;
  }

  hostNow(): number {
    return Date.now() + this.aheadMs;
  }

  apply(frame: HostFrame): void {
    switch (frame.kind) {
      case 'host':
        this.about = frame.about as HostShape;
        this.refused = undefined;
        break;
      case 'clock':
        this.aheadMs = frame.aheadMs;
        break;
      case 'sessions':
        this.#applySessions(frame.sessions as unknown as SessionShape[], frame.replaces);
        break;
      case 'events':
        this.hasSessions = true;
        for (const event of frame.events as unknown as EventShape[]) this.#applyEvent(event);
        break;
      case 'devices':
        this.hasDevices = true;
        this.devicesMessage = undefined;
        this.devices.clear();
        for (const device of frame.devices as unknown as DeviceShape[]) this.devices.set(device.deviceAddress, device);
        break;
      case 'deviceEvents':
        for (const event of frame.events as readonly { type?: string; device?: DeviceShape }[])
          this.#applyDevice(event);
        break;
      case 'noDevices':
        this.devicesMessage = frame.message;
        break;
      case 'lost':
        this.lost = { message: frame.message, since: frame.since };
        break;
      case 'back':
        this.lost = undefined;
        break;
      case 'refused':
        this.refused = frame.message;
        break;
    }
  }

  nameOf(address: string): string {
    return this.devices.get(address)?.name || address;
  }

  #applySessions(shapes: readonly SessionShape[], replaces: boolean): void {
    this.hasSessions = true;
    if (replaces) {
      this.sessions.clear();
      this.slots.clear();
      this.#ended = [];
      for (const group of GROUPS) this.counts[group] = 0;
    }
    for (const shape of shapes) if (replaces || !this.sessions.has(shape.sessionId)) this.#put(shape, undefined);
  }

  #applyEvent(shape: EventShape): void {
    const sequence = Number(shape.sequence);
    // A watch that resumes can repeat events of the last message.
    if (shape.epoch === this.#epoch && sequence <= this.#sequence) return;
    this.#epoch = shape.epoch;
    this.#sequence = sequence;
    if (shape.session === undefined) return;
    const session = shape.remedy === undefined ? shape.session : { ...shape.session, remedy: shape.remedy };
    const timeMs = time(shape.time) ?? this.hostNow();
    const type = short(shape.type, 'SESSION_EVENT_TYPE_');
    const happening = { key: `${shape.epoch}.${shape.sequence}`, timeMs, type, session, shape };
    this.#put(session, happening);
    this.events.push(happening);
    this.#eventCount += 1;
    if (this.events.length > EVENTS_MAX * 1.25) this.events.splice(0, this.events.length - EVENTS_MAX);
  }

  #put(shape: SessionShape, happening: Happening | undefined): void {
    const before = this.sessions.get(shape.sessionId);
    const state = short(shape.state, 'SESSION_STATE_') as State;
    const events = before?.events ?? [];
    const prior = happening !== undefined && events.length === 0 ? PRIOR[happening.type] : before?.state;
    if (happening !== undefined) events.push(happening);
    if (events.length > EVENTS_OF_SESSION_MAX) events.splice(1, 1);
    const session: Session = {
      id: shape.sessionId,
      state,
      shape,
      createMs: time(shape.createTime) ?? this.hostNow(),
      openMs: time(shape.openTime),
      closeMs: time(shape.closeTime),
      endMs: time(shape.endTime),
      leaseMs: time(shape.leaseExpireTime),
      events,
    };
    this.sessions.set(session.id, session);
    this.#count(session, before, happening, prior);
    if (LIVE.has(state) || (before !== undefined && !LIVE.has(before.state))) return;
    this.#ended.push(session.id);
    while (this.#ended.length > ENDED_MAX) this.sessions.delete(this.#ended.shift() ?? '');
  }

  /** `prior` is the state before the event. `before` is the session as the page knew it. */
  #count(session: Session, before: Session | undefined, happening: Happening | undefined, prior?: State): void {
    const known = groupOf(before?.state);
    const from = groupOf(prior);
    const to = groupOf(session.state);
    if (known !== undefined) this.counts[known] -= 1;
    if (to !== undefined) this.counts[to] += 1;
    if (happening === undefined) return;
    const slot = this.#slotAt(happening.timeMs);
    if (from !== undefined) slot.changes[from] -= 1;
    if (to !== undefined) slot.changes[to] += 1;
    if (happening.type === 'OPENED' && session.openMs !== undefined) {
      this.openTimes.push({ timeMs: happening.timeMs, tookMs: session.openMs - session.createMs });
      if (this.openTimes.length > OPEN_TIMES_MAX) this.openTimes.shift();
    }
    if (LIVE.has(session.state) || (prior !== undefined && !LIVE.has(prior))) return;
    slot.ended += 1;
    if (!FAILED.has(session.state)) return;
    const { error, reason } = session.shape.end ?? {};
    const why = short(error?.reason, 'ERROR_REASON_') || short(reason, 'SESSION_END_REASON_');
    slot.failures.set(why, (slot.failures.get(why) ?? 0) + 1);
  }

  #slotAt(timeMs: number): Slot {
    const at = Math.floor(timeMs / SLOT_MS);
    const known = this.slots.get(at);
    if (known !== undefined) return known;
    const made = { changes: { OPENING: 0, OPEN: 0, CLOSING: 0 }, failures: new Map<string, number>(), ended: 0 };
    this.slots.set(at, made);
    for (const old of this.slots.keys()) if (old < at - SLOTS) this.slots.delete(old);
    return made;
  }

  #applyDevice({ type, device }: { type?: string; device?: DeviceShape }): void {
    if (device === undefined) return;
    if (type === 'DEVICE_EVENT_TYPE_REMOVED') this.devices.delete(device.deviceAddress);
    else this.devices.set(device.deviceAddress, device);
  }
}

function groupOf(state: State | undefined): Group | undefined {
  if (state === 'CANCELLING') return 'CLOSING';
  return GROUPS.find((group) => group === state);
}

function time(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text);
}
