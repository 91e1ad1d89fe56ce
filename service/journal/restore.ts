/**
 * What a journal remembers, put together from its files. Pure but for reading them.
 *
 * Invariant: what was acknowledged is restored, or the epoch changes. A client never gets an event of
 * an epoch under a number that it has seen for another.
 */
import { isSameBoot } from './boot-id.js';
import { FrameKind } from './frames.js';
import { listSegments, payloadOf, readSegment, type Segment, type SegmentFile } from './segments.js';

/** A session as it was remembered: what `record` holds is the business of who wrote it. */
export interface RestoredSession {
  readonly record: unknown;
  readonly lastEvent: RestoredEvent;
  /** Of its end, where it ended badly. */
  readonly fault: unknown;
}

export interface RestoredRequest {
  readonly record: unknown;
  readonly timeMs: number;
}

export interface RestoredEvent {
  readonly sequence: number;
  readonly timeMs: number;
  /** The session that it is about. */
  readonly topic: string;
  /** As it goes over the wire. */
  readonly bytes: Uint8Array;
}

export interface Restored {
  /** Undefined: the numbers of the journal can't be gone on with. */
  readonly epoch: string | undefined;
  /** The sequence of the last event; 0 in a new epoch. */
  readonly newest: number;
  /** The newest events of the epoch, without holes, oldest first. */
  readonly events: readonly RestoredEvent[];
  readonly sessions: ReadonlyMap<string, RestoredSession>;
  readonly requests: ReadonlyMap<string, RestoredRequest>;
  readonly previousEnd: 'CLEAN' | 'CRASHED' | 'UNKNOWN';
  /** Why the epoch is a new one, as a sentence; undefined where it isn't, or where the journal is new. */
  readonly newEpochBecause: string | undefined;
  /** Files in which something is damaged, or that no longer follow one another. */
  readonly damaged: readonly SegmentFile[];
  /** Undefined where there was none. */
  readonly cursorKey: string | undefined;
  readonly files: readonly SegmentFile[];
  readonly nextOrdinal: number;
}

export interface History {
  readonly eventsMax: number;
  /** Events older than this are not read. */
  readonly sinceMs: number;
}

/** Reads what is needed of a journal: the newest files, back to a complete checkpoint and as far as `history` goes. */
export async function restore(folder: string, bootId: string, history: History): Promise<Restored> {
  const files = await listSegments(folder);
  const segments: Segment[] = [];
  let events = 0;
  for (const file of files.toReversed()) {
    const segment = await readSegment(file);
    segments.unshift(segment);
    events += segment.frames.reduce((sum, { kind }) => sum + (kind === FrameKind.EVENT ? 1 : 0), 0);
    const oldestMs = segment.frames.find(({ kind }) => kind === FrameKind.EVENT)?.timeMs ?? Number.POSITIVE_INFINITY;
    const isEnough = events >= history.eventsMax || oldestMs < history.sinceMs;
    if (isEnough && segments.some(hasCheckpoint)) break;
  }
  return judge(files, segments, bootId, history);
}

function hasCheckpoint({ frames }: Segment): boolean {
  return frames.some(({ kind }) => kind === FrameKind.CHECKPOINT_END);
}

function judge(
  files: readonly SegmentFile[],
  all: readonly Segment[],
  bootId: string,
  { eventsMax, sinceMs }: History,
): Restored {
  const segments = all.filter((segment) => !isUnfinished(segment));
  const { sessions, requests } = remembered(segments);
  const header = segments.findLast((segment) => segment.header !== undefined)?.header;
  const last = segments.at(-1)?.frames.at(-1);
  const previousEnd = segments.length === 0 ? 'UNKNOWN' : last?.kind === FrameKind.CLEAN_END ? 'CLEAN' : 'CRASHED';
  const nextOrdinal = (files.at(-1)?.ordinal ?? 0) + 1;
  const base = { sessions, requests, previousEnd, files, nextOrdinal, cursorKey: header?.cursorKey } as const;
  const anew = (newEpochBecause: string | undefined, damaged: readonly SegmentFile[] = []): Restored => {
    return { ...base, epoch: undefined, newest: 0, events: [], newEpochBecause, damaged };
  };
  if (segments.length === 0) return anew(undefined);
  // Damage in an older epoch concerns nobody any more.
  const ofEpoch = segments.slice(segments.findIndex((segment) => segment.header?.epoch === header?.epoch));
  const damaged = damagedFiles(ofEpoch);
  if (damaged.length > 0 || header === undefined) {
    const names = damaged.map(({ name }) => name).join(', ');
    return anew(`the journal is damaged (${names}), so events can be missing`, damaged);
  }
  if (previousEnd === 'CRASHED' && header.durability === 'PROCESS' && !isSameBoot(header.bootId, bootId)) {
    return anew('the machine has started again since, and the last events can be missing (durability: process)');
  }
  const events = ofEpoch.flatMap(({ frames }) => frames.filter(({ kind }) => kind === FrameKind.EVENT));
  const newest = events.at(-1)?.sequence ?? (ofEpoch.at(-1)?.file.firstSequence ?? 1) - 1;
  const kept = events.slice(-eventsMax).filter(({ timeMs }) => timeMs >= sinceMs);
  return {
    ...base,
    epoch: header.epoch,
    newest,
    events: kept.map(({ sequence, timeMs, topic, payload: bytes }) => ({ sequence, timeMs, topic, bytes })),
    newEpochBecause: undefined,
    damaged: [],
  };
}

/** The process died, or the disk failed, before what a file begins with was whole: nothing was told that is in it alone. */
function isUnfinished(segment: Segment): boolean {
  return !hasCheckpoint(segment) && segment.end !== 'DAMAGED';
}

/** Files with a damaged frame, or after which events are missing. A torn end is no damage: nobody was told of it. */
function damagedFiles(segments: readonly Segment[]): SegmentFile[] {
  let next = segments[0]?.file.firstSequence;
  return segments.flatMap(({ file, frames, end }) => {
    const numbers = frames.filter(({ kind }) => kind === FrameKind.EVENT).map(({ sequence }) => sequence);
    const follows = file.firstSequence === next && numbers.every((sequence, i) => sequence === file.firstSequence + i);
    next = file.firstSequence + numbers.length;
    return end !== 'DAMAGED' && follows ? [] : [file];
  });
}

/** What was last said of each session and request, from the newest complete checkpoint on. */
function remembered(segments: readonly Segment[]) {
  const from = Math.max(segments.findLastIndex(hasCheckpoint), 0);
  const records = new Map<string, unknown>();
  const lastEvents = new Map<string, RestoredEvent>();
  const faults = new Map<string, unknown>();
  const requests = new Map<string, RestoredRequest>();
  for (const frame of segments.slice(from).flatMap(({ frames }) => frames)) {
    const { kind, topic, sequence, timeMs, payload: bytes } = frame;
    if (kind === FrameKind.SESSION) {
      // The same name again is another session.
      lastEvents.delete(topic);
      faults.delete(topic);
      records.set(topic, payloadOf(frame));
    } else if (kind === FrameKind.FAULT) {
      faults.set(topic, payloadOf(frame));
    } else if (kind === FrameKind.REQUEST) {
      requests.set(topic, { record: payloadOf(frame), timeMs });
    } else if (kind === FrameKind.EVENT || kind === FrameKind.LAST_EVENT) {
      lastEvents.set(topic, { sequence, timeMs, topic, bytes });
    }
  }
  const sessions = new Map<string, RestoredSession>();
  for (const [id, record] of records) {
    const lastEvent = lastEvents.get(id);
    if (lastEvent !== undefined) sessions.set(id, { record, lastEvent, fault: faults.get(id) });
  }
  return { sessions, requests };
}
