/**
 * The journal of sessions. It connects the event stream and the lifecycle, which know nothing about
 * files, with the journal, which knows nothing about sessions.
 *
 * At the start, `openSessionJournal` reads what the earlier process has left, and `restoreLog` and
 * `restoreSessions` restore it. Then `SessionJournal` begins a new file. Its first events are the
 * ends of the sessions that were live.
 */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { lockFile, type Unlock } from '../../native/file-lock.js';
import { SessionEvent as SessionEventMessage } from '../../proto/gen/wifidirect/v1/session.js';
import { cursorKey, takeCursorKey } from '../codec/cursors.js';
import { bytesOfEvent } from '../codec/encode-once.js';
import { fromSessionEvent } from '../codec/messages.js';
import type { Restoring } from '../events/log.js';
import type { EventStream } from '../events/stream.js';
import type { Fault } from '../fault.js';
import type { Lifecycle, RequestRecord, SessionMemory, SessionOrigin } from '../session/lifecycle.js';
import type { LoggedSessionEvent, SessionEvent, SessionEventDraft } from '../session/session.js';
import { bootId } from './boot-id.js';
import { type Frame, FrameKind } from './frames.js';
import {
  type Durability,
  Journal,
  type JournalOwner,
  type JournalSettings,
  type JournalStatus,
  openJournal,
} from './journal.js';
import { eventPeeker } from './peek.js';
import type { History, Restored } from './restore.js';

export type SessionStream = EventStream<SessionEventDraft, SessionEvent, LoggedSessionEvent>;

/** The journal can't be used, so the daemon can't start. The message says why and what to do. */
export class JournalUnusable extends Error {
  override readonly name = 'JournalUnusable';
}

export interface OpenedJournal {
  readonly settings: JournalSettings;
  readonly restored: Restored;
  readonly unlock: Unlock;
}

const LOCK_FILE = 'lock';

export const newEpoch = (): string => randomBytes(8).toString('hex');

/** Locks the folder for this process, and reads what the earlier process has left there. */
export async function openSessionJournal(settings: JournalSettings, history: History): Promise<OpenedJournal> {
  const { folder } = settings;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const unlock = lockFile(join(folder, LOCK_FILE));
    if (unlock === undefined) {
      throw new JournalUnusable(
        `Another wfdd uses the journal in ${folder}. Stop it, or set another journal.folder for this one.`,
      );
    }
    try {
      return { settings, restored: await openJournal(settings, { bootId: bootId(), history }), unlock };
    } catch (error) {
      unlock();
      throw error;
    }
  } catch (error) {
    if (error instanceof JournalUnusable) throw error;
    throw new JournalUnusable(`The journal in ${folder} can't be used: ${(error as Error).message}`);
  }
}

/** Restores the log, with the events of the earlier process that are of the same epoch. */
export function restoreLog(stream: SessionStream, { events, newest, cursorKey: keptKey }: Restored): void {
  if (keptKey !== undefined) takeCursorKey(keptKey);
  const nowMs = Date.now();
  const peek = eventPeeker();
  const restoring: Restoring<Frame, LoggedSessionEvent> = {
    topicOf: ({ topic }) => topic,
    isRefresh: ({ payload }) => peek(payload).isRenewal,
    read: ({ sequence, timeMs, topic, payload: bytes }) => {
      const { owner, isRenewal } = peek(bytes);
      // If the clock was set back, an event can seem to be in the future. Its age is then 0.
      const ageMs = Math.max(nowMs - timeMs, 0);
      return { event: { sequence, arrivedMs: undefined, sessionId: topic, owner, isRenewal, bytes }, ageMs };
    },
  };
  stream.restore(events, restoring, newest);
}

/** Restores the sessions and request ids of the earlier process. */
export function restoreSessions(lifecycle: Lifecycle, { sessions, requests }: Restored): void {
  const offsetMs = performance.now() - Date.now();
  const toSteady = (timeMs: number) => Math.min(timeMs + offsetMs, performance.now());
  lifecycle.restore(
    [...sessions].map(([id, { record, lastEvent, fault }]) => ({
      origin: { ...(record as Omit<SessionOrigin, 'id'>), id },
      lastEvent: fromSessionEvent(SessionEventMessage.decode(lastEvent.payload), fault as Fault | undefined, toSteady),
    })),
    [...requests].map(([key, { record, timeMs }]) => ({
      key,
      fingerprint: record as string,
      timeMs,
      steadyMs: toSteady(timeMs),
    })),
  );
}

export class SessionJournal implements JournalOwner, SessionMemory {
  readonly #stream: SessionStream;
  readonly #lifecycle: Lifecycle;
  readonly #journal: Journal;
  readonly #unlock: Unlock;
  readonly #durability: Durability;
  readonly #onState: (error: Error | undefined) => void;
  #isKeeping = true;
  /** The session that was created and whose first event is appended next. */
  #created: SessionOrigin | undefined;

  /**
   * Starts at once. `onState` is called with the error if the disk fails, and without when it works
   * again.
   */
  constructor(
    stream: SessionStream,
    lifecycle: Lifecycle,
    { settings, restored, unlock }: OpenedJournal,
    onState: (error: Error | undefined) => void,
  ) {
    this.#stream = stream;
    this.#lifecycle = lifecycle;
    this.#unlock = unlock;
    this.#durability = settings.durability;
    this.#onState = onState;
    this.#journal = new Journal(settings, bootId(), { ...restored, newest: stream.log.newest }, this);
    stream.attachKeeper(this);
    lifecycle.attachMemory(this);
  }

  get durability(): Durability {
    return this.#durability;
  }

  get status(): JournalStatus {
    return this.#journal.status;
  }

  /** Whether events are kept before they are published. False while the disk fails. */
  get isKeeping(): boolean {
    return this.#isKeeping;
  }

  async close(): Promise<void> {
    await this.#journal.close();
    this.#unlock();
  }

  onSessionCreated(origin: SessionOrigin): void {
    this.#created = origin;
  }

  onRequestUsed({ key, fingerprint, timeMs }: RequestRecord): void {
    this.#journal.append([json(FrameKind.REQUEST, key, fingerprint, timeMs)]);
  }

  keep(event: SessionEvent): void {
    const created = this.#created;
    this.#created = undefined;
    // In one file. Otherwise the next file could have the event without the frames that belong to
    // it.
    this.#journal.append([...originFrames(created), ...faultFrames(event), eventFrame(FrameKind.EVENT, event)]);
  }

  position(): { readonly epoch: string; readonly newest: number } {
    return { epoch: this.#stream.log.epoch, newest: this.#stream.log.newest };
  }

  cursorKey(): string {
    return cursorKey();
  }

  *checkpoint(): Iterable<Frame> {
    for (const { origin, lastEvent } of this.#lifecycle.sessionsToKeep()) {
      yield* originFrames(origin);
      yield* faultFrames(lastEvent);
      yield eventFrame(FrameKind.LAST_EVENT, lastEvent);
    }
    for (const { key, fingerprint, timeMs } of this.#lifecycle.requestsToKeep()) {
      yield json(FrameKind.REQUEST, key, fingerprint, timeMs);
    }
  }

  onDurable(): void {
    if (this.#isKeeping) this.#stream.onKept(this.#journal.durable);
  }

  onFailed(error: Error): void {
    if (!this.#isKeeping) return;
    this.#isKeeping = false;
    this.#stream.restart(newEpoch(), (event) => this.#lifecycle.renumber(event));
    this.#onState(error);
  }

  onRecovered(): void {
    this.#isKeeping = true;
    this.#stream.attachKeeper(this);
    this.#stream.onKept(this.#journal.durable);
    this.#onState(undefined);
  }
}

function originFrames(origin: SessionOrigin | undefined): Frame[] {
  if (origin === undefined) return [];
  const { id, ...rest } = origin;
  return [json(FrameKind.SESSION, id, rest)];
}

function faultFrames({ session: { id, end } }: SessionEvent): Frame[] {
  return end?.fault === undefined ? [] : [json(FrameKind.FAULT, id, end.fault)];
}

function eventFrame(kind: FrameKind, event: SessionEvent): Frame {
  const { sequence, timeMs, session } = event;
  return { kind, sequence, timeMs, topic: session.id, payload: bytesOfEvent(event) };
}

function json(kind: FrameKind, topic: string, value: unknown, timeMs = Date.now()): Frame {
  return { kind, sequence: 0, timeMs, topic, payload: Buffer.from(JSON.stringify(value)) };
}
