/**
 * The sessions of this host, live or ended recently. They are found by id and by request, counted
 * by owner, and forgotten some time after their end.
 */
import { ok, quotaExceeded, type Result, refuse } from '../fault.js';
import { isFinal, type Session, type SessionEvent, type SessionState, type TimerName } from './session.js';
import type { SessionRecord } from './transition.js';

/** One session with everything that belongs to it. Only `lifecycle.ts` changes it. */
export interface Entry {
  readonly id: string;
  /** Larger than that of every earlier session. Sessions are listed in this order. */
  readonly ordinal: number;
  readonly owner: string;
  readonly requestKey: string | undefined;
  readonly fingerprint: string;
  record: SessionRecord;
  lastEvent: SessionEvent;
  /** How many streams are attached. */
  streams: number;
  /** A function for each timer that is set, which clears it. */
  readonly timers: Map<TimerName, () => void>;
  /** Called after each input. */
  readonly waiters: Set<() => void>;
}

export interface RegistryLimits {
  readonly sessionsMax: number;
  readonly sessionsPerPrincipalMax: number;
  readonly endedSessionsMax: number;
  readonly retentionMs: number;
}

export interface SessionFilter {
  readonly states: readonly SessionState[];
  readonly deviceAddress: string | undefined;
  readonly isVisible: (session: Session) => boolean;
}

export class Registry {
  readonly #limits: RegistryLimits;
  readonly #entries = new Map<string, Entry>();
  readonly #byRequest = new Map<string, Entry>();
  readonly #liveByOwner = new Map<string, number>();
  /** Ended sessions in the order of their end: a Set keeps the order of insertion. */
  readonly #ended = new Set<Entry>();
  #live = 0;
  #ordinals = 0;

  constructor(limits: RegistryLimits) {
    this.#limits = limits;
  }

  /** How many sessions have not ended. */
  get live(): number {
    return this.#live;
  }

  nextOrdinal(): number {
    this.#ordinals += 1;
    return this.#ordinals;
  }

  find(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  findByRequest(key: string): Entry | undefined {
    return this.#byRequest.get(key);
  }

  entries(): Iterable<Entry> {
    return this.#entries.values();
  }

  /** Refuses if this owner, or the host, has as many live sessions as are allowed. */
  admit(owner: string): Result<void> {
    const { sessionsMax, sessionsPerPrincipalMax } = this.#limits;
    if ((this.#liveByOwner.get(owner) ?? 0) >= sessionsPerPrincipalMax) {
      return refuse(quotaExceeded(`principal:${owner}`, 'sessions_per_principal_max', sessionsPerPrincipalMax));
    }
    if (this.#live >= sessionsMax) return refuse(quotaExceeded('host', 'sessions_max', sessionsMax));
    return ok(undefined);
  }

  add(entry: Entry): void {
    this.#ordinals = Math.max(this.#ordinals, entry.ordinal);
    this.#entries.set(entry.id, entry);
    if (entry.requestKey !== undefined) this.#byRequest.set(entry.requestKey, entry);
    this.#live += 1;
    this.#liveByOwner.set(entry.owner, (this.#liveByOwner.get(entry.owner) ?? 0) + 1);
  }

  /** The session has ended. It no longer counts against the limits, and is kept for a while. */
  retire(entry: Entry): void {
    this.#ended.add(entry);
    this.#live -= 1;
    const left = (this.#liveByOwner.get(entry.owner) ?? 1) - 1;
    if (left === 0) this.#liveByOwner.delete(entry.owner);
    else this.#liveByOwner.set(entry.owner, left);
  }

  /**
   * Forgets ended sessions: those whose retention is over, and the oldest if there are too many.
   */
  prune(nowMs: number): Entry[] {
    const forgotten: Entry[] = [];
    for (const entry of this.#ended) {
      const isExpired = (entry.record.session.marks.endMs ?? nowMs) + this.#limits.retentionMs <= nowMs;
      if (!isExpired && this.#ended.size <= this.#limits.endedSessionsMax) break;
      this.#ended.delete(entry);
      this.#entries.delete(entry.id);
      if (entry.requestKey !== undefined) this.#byRequest.delete(entry.requestKey);
      forgotten.push(entry);
    }
    return forgotten;
  }

  /** When the next ended session has to be forgotten; undefined if there is none. */
  nextPruneTimeMs(): number | undefined {
    for (const entry of this.#ended) return (entry.record.session.marks.endMs ?? 0) + this.#limits.retentionMs;
    return undefined;
  }

  /**
   * A page of sessions in the order of creation, starting after an ordinal. `next` is the ordinal
   * after which the next page starts; undefined on the last page.
   */
  list(filter: SessionFilter, after: number, size: number): { sessions: Session[]; next: number | undefined } {
    const sessions: Session[] = [];
    let last = after;
    for (const entry of this.#entries.values()) {
      if (entry.ordinal <= after || !matches(entry.record.session, filter)) continue;
      if (sessions.length === size) return { sessions, next: last };
      sessions.push(entry.record.session);
      last = entry.ordinal;
    }
    return { sessions, next: undefined };
  }

  countByState(): Map<SessionState, number> {
    const counts = new Map<SessionState, number>();
    for (const { record } of this.#entries.values()) {
      const { state } = record.session;
      counts.set(state, (counts.get(state) ?? 0) + 1);
    }
    return counts;
  }

  /** The sessions that have not ended, for inputs that concern all of them. */
  liveEntries(): Entry[] {
    return [...this.#entries.values()].filter((entry) => !isFinal(entry.record.session));
  }
}

function matches(session: Session, filter: SessionFilter): boolean {
  if (filter.states.length > 0 && !filter.states.includes(session.state)) return false;
  if (filter.deviceAddress !== undefined && filter.deviceAddress !== session.deviceAddress) return false;
  return filter.isVisible(session);
}
