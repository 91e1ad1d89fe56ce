/**
 * A journal with an owner that remembers sessions in the simplest way: what a daemon keeps, without
 * the daemon.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Frame, FrameKind } from '../../service/journal/frames.js';
import { Journal, type JournalOwner, type JournalSettings, openJournal } from '../../service/journal/journal.js';
import type { History, Restored } from '../../service/journal/restore.js';

export const EPOCH = '00000000000000aa';
const everything: History = { eventsMax: Number.POSITIVE_INFINITY, sinceMs: 0 };

export function temporaryFolder(t: { teardown(clean: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'wfdd-journal-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The owner of a journal, with what it has told the world so far. */
export class Keeper implements JournalOwner {
  epoch: string;
  newest: number;
  /** Text of the newest event of each session, with its sequence. */
  readonly sessions = new Map<string, { readonly sequence: number; readonly text: string }>();
  readonly requests = new Map<string, string>();
  readonly failures: Error[] = [];
  recoveries = 0;
  readonly restored: Restored;
  readonly journal: Journal;
  readonly #woken = new Set<() => void>();

  constructor(settings: JournalSettings, bootId: string, restored: Restored, newEpoch: string) {
    this.restored = restored;
    this.epoch = restored.epoch ?? newEpoch;
    this.newest = restored.newest;
    for (const [id, { lastEvent }] of restored.sessions) {
      this.sessions.set(id, { sequence: lastEvent.sequence, text: Buffer.from(lastEvent.payload).toString() });
    }
    for (const [key, { record }] of restored.requests) this.requests.set(key, record as string);
    this.journal = new Journal(settings, bootId, restored, this);
  }

  static async open(settings: JournalSettings, bootId = 'boot-1', newEpoch = EPOCH): Promise<Keeper> {
    return new Keeper(settings, bootId, await openJournal(settings, { bootId, history: everything }), newEpoch);
  }

  event(session: string, text: string, timeMs = Date.now()): void {
    const begun = this.sessions.has(session) ? [] : [sessionFrame(session)];
    this.newest += 1;
    const { newest: sequence } = this;
    const event = { kind: FrameKind.EVENT, sequence, timeMs, topic: session, payload: Buffer.from(text) };
    this.journal.append([...begun, event]);
    this.sessions.set(session, { sequence: this.newest, text });
  }

  request(key: string, what: string): void {
    this.requests.set(key, what);
    this.journal.append([requestFrame(key, what)]);
  }

  /** Resolves when this holds; looks again whenever the journal has come further. */
  async until(holds: () => boolean): Promise<void> {
    // The journal keeps no process alive by itself.
    const alive = setInterval(() => {}, 60_000);
    while (!holds()) await new Promise<void>((resolve) => this.#woken.add(resolve));
    clearInterval(alive);
  }

  position(): { readonly epoch: string; readonly newest: number } {
    return { epoch: this.epoch, newest: this.newest };
  }

  cursorKey(): string {
    return 'key';
  }

  *checkpoint(): Iterable<Frame> {
    for (const [id, { sequence, text }] of this.sessions) {
      yield sessionFrame(id);
      yield { kind: FrameKind.LAST_EVENT, sequence, timeMs: 1, topic: id, payload: Buffer.from(text) };
    }
    for (const [key, what] of this.requests) yield requestFrame(key, what);
  }

  onDurable(): void {
    this.#wake();
  }

  onFailed(error: Error): void {
    this.failures.push(error);
    this.#wake();
  }

  onRecovered(): void {
    this.recoveries += 1;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#woken) wake();
    this.#woken.clear();
  }
}

function sessionFrame(id: string): Frame {
  return { kind: FrameKind.SESSION, sequence: 0, timeMs: 1, topic: id, payload: Buffer.from(JSON.stringify({ id })) };
}

function requestFrame(key: string, what: string): Frame {
  return { kind: FrameKind.REQUEST, sequence: 0, timeMs: 1, topic: key, payload: Buffer.from(JSON.stringify(what)) };
}

/** The files of a journal, oldest first. */
export function journalFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.journal'))
    .sort((a, b) => a.slice(17).localeCompare(b.slice(17)))
    .map((name) => join(folder, name));
}

/** The folder as a process that was killed now would leave it. */
export function asIfKilled(folder: string, copy: string): string {
  cpSync(folder, copy, { recursive: true });
  return copy;
}

export function cut(path: string, bytes: number): void {
  truncateSync(path, readFileSync(path).length - bytes);
}

export function flip(path: string, bit: number): void {
  const bytes = readFileSync(path);
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  writeFileSync(path, bytes);
}
