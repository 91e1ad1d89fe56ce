/** The sessions of this host, live and lately ended: found by id and by request, counted by owner, forgotten in time. */
import { ok, quotaExceeded, type Result, refuse } from '../fault.js';
import { hasEnded, type Session, type SessionEvent, type SessionState, type TimerName } from './session.js';
import type { Machine } from './transition.js';

/** One session with all that hangs on it. Only `lifecycle.ts` writes here. */
export interface Entry {
  readonly id: string;
  /** Grows with each session: the order of listing. */
  readonly ordinal: number;
  readonly owner: string;
  readonly requestKey: string | undefined;
  readonly fingerprint: string;
  machine: Machine;
  lastEvent: SessionEvent;
  streams: number;
  /** What takes back each timer that is set. */
  readonly timers: Map<TimerName, () => void>;
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
  /** Ended sessions in the order of their end, as Map and Set keep insertion order. */
  readonly #ended = new Set<Entry>();
  #live = 0;
  #ordinals = 0;

  constructor(limits: RegistryLimits) {
    this.#limits = limits;
  }

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

  /** Whether there is room for one more session of this owner. */
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

  /** The session has ended: it no longer counts, and is kept for a while. */
  retire(entry: Entry): void {
    this.#ended.add(entry);
    this.#live -= 1;
    const left = (this.#liveByOwner.get(entry.owner) ?? 1) - 1;
    if (left === 0) this.#liveByOwner.delete(entry.owner);
    else this.#liveByOwner.set(entry.owner, left);
  }

  /** Forgets the ended sessions whose time is over, or that are too many. */
  prune(nowMs: number): Entry[] {
    const forgotten: Entry[] = [];
    for (const entry of this.#ended) {
      const isOver = (entry.machine.session.marks.endMs ?? nowMs) + this.#limits.retentionMs <= nowMs;
      if (!isOver && this.#ended.size <= this.#limits.endedSessionsMax) break;
      this.#ended.delete(entry);
      this.#entries.delete(entry.id);
      if (entry.requestKey !== undefined) this.#byRequest.delete(entry.requestKey);
      forgotten.push(entry);
    }
    return forgotten;
  }

  /** When the next ended session is to be forgotten. */
  nextPruneTimeMs(): number | undefined {
    for (const entry of this.#ended) return (entry.machine.session.marks.endMs ?? 0) + this.#limits.retentionMs;
    return undefined;
  }

  /** A page in the order of creation, after an ordinal; `next` is the ordinal to go on after, where there is more. */
  list(filter: SessionFilter, after: number, size: number): { sessions: Session[]; next: number | undefined } {
    const sessions: Session[] = [];
    let last = after;
    for (const entry of this.#entries.values()) {
      if (entry.ordinal <= after || !matches(entry.machine.session, filter)) continue;
      if (sessions.length === size) return { sessions, next: last };
      sessions.push(entry.machine.session);
      last = entry.ordinal;
    }
    return { sessions, next: undefined };
  }

  countByState(): Map<SessionState, number> {
    const counts = new Map<SessionState, number>();
    for (const { machine } of this.#entries.values()) {
      const { state } = machine.session;
      counts.set(state, (counts.get(state) ?? 0) + 1);
    }
    return counts;
  }

  /** Every session that has not ended, for inputs that concern all of them. */
  liveEntries(): Entry[] {
    return [...this.#entries.values()].filter((entry) => !hasEnded(entry.machine.session));
  }
}

function matches(session: Session, filter: SessionFilter): boolean {
  if (filter.states.length > 0 && !filter.states.includes(session.state)) return false;
  if (filter.deviceAddress !== undefined && filter.deviceAddress !== session.deviceAddress) return false;
  return filter.isVisible(session);
}
