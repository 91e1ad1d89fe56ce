/**
 * A host that tells the truth, without its driver and its wire: what it sends to a watcher, as a
 * client receives it.
 */
import { OpenSessionResponse, WatchSessionsResponse } from '../../proto/gen/wifidirect/v1/session_service.js';
import { WatchSource } from '../../service/api/sources.js';
import { encodeOpenSession, encodeWatchSessions } from '../../service/codec/encode-once.js';
import { EventLog, type LogLimits } from '../../service/events/log.js';
import { EventStream } from '../../service/events/stream.js';
import type { Session, SessionEvent, SessionEventDraft, SessionInput } from '../../service/session/session.js';
import { Life } from '../session/life.js';
import { type KeptSessionEvent, keepingKind } from './keeping-kind.js';

interface HostSettings extends Partial<LogLimits> {
  readonly epoch?: string;
  readonly batchEventsMax?: number;
}

export class WatchedHost {
  readonly events: EventStream<SessionEventDraft, SessionEvent, KeptSessionEvent>;
  readonly lives = new Map<string, Life>();
  /** How many events of each session have been told. */
  readonly #published = new Map<string, number>();
  readonly #batchEventsMax: number;

  constructor({ epoch = '0123456789abcdef', batchEventsMax = 3, ...limits }: HostSettings = {}) {
    this.#batchEventsMax = batchEventsMax;
    const all = { eventsMax: 1000, bytesMax: 2 ** 30, ageMaxMs: Number.POSITIVE_INFINITY, supersededMax: 0, ...limits };
    const kind = keepingKind();
    this.events = new EventStream(new EventLog(epoch, all, kind), kind);
  }

  open(id: string): void {
    this.lives.set(id, new Life({ sessionId: id, leaseTtlMs: 30_000 }));
    this.publish(id);
  }

  in(id: string, ...inputs: SessionInput[]): void {
    this.lives.get(id)?.in(...inputs);
    this.publish(id);
  }

  /** Appends what has happened to a session since it was last told. */
  publish(id: string): void {
    const events = this.lives.get(id)?.events ?? [];
    for (const draft of events.slice(this.#published.get(id))) this.events.append(draft);
    this.#published.set(id, events.length);
  }

  /**
   * A watch of these sessions, or of all; from a cursor, or with a snapshot. Undefined where the
   * cursor has expired.
   */
  watch(cursor = '', ids?: readonly string[]): Watch | undefined {
    const isWanted = (session: Session) => ids?.includes(session.id) ?? true;
    const from = cursor === '' ? undefined : this.events.positionOf(cursor);
    if (from?.ok === false) return undefined;
    const reader = this.events.read(from?.value ?? this.events.log.newest, ({ session }) => isWanted(session));
    const sessions = [...this.lives.values()].map(({ session }) => session).filter(isWanted);
    const settings = { batchEventsMax: this.#batchEventsMax, queueEventsMax: 1000, bookmarkIntervalMs: 1_000_000 };
    return new Watch(
      new WatchSource(this.events, reader, from === undefined ? sessions : undefined, settings, () => {}),
      () => `${this.events.log.epoch}.${reader.position}`,
    );
  }

  /**
   * The first message of an OpenSession stream, and those that follow, for a session's events from
   * `first` on.
   */
  opened(id: string, first = 1): OpenSessionResponse[] {
    const all = this.events.read(0, ({ session }) => session.id === id).next(Number.POSITIVE_INFINITY);
    const cursorOf = ({ epoch, sequence }: SessionEvent) => `${epoch}.${sequence}`;
    return all
      .slice(first - 1)
      .map((event) => OpenSessionResponse.decode(encodeOpenSession({ event, cursor: cursorOf(event) })));
  }
}

export class Watch {
  readonly #source: WatchSource<KeptSessionEvent, Session>;
  readonly #cursor: () => string;

  constructor(source: WatchSource<KeptSessionEvent, Session>, cursor: () => string) {
    this.#source = source;
    this.#cursor = cursor;
  }

  /** All that is ready, at most `max` messages. */
  read(max = Number.POSITIVE_INFINITY): WatchSessionsResponse[] {
    const messages: WatchSessionsResponse[] = [];
    while (messages.length < max) {
      const message = this.#source.next();
      if (message === undefined) break;
      messages.push(WatchSessionsResponse.decode(encodeWatchSessions(message)));
    }
    return messages;
  }

  bookmark(): WatchSessionsResponse {
    return WatchSessionsResponse.fromPartial({ cursor: this.#cursor(), hostTime: new Date() });
  }

  close(): void {
    this.#source.close();
  }
}
