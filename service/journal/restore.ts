/**
 * Restores the state of the daemon from the files of a journal. Everything except reading them is
 * pure.
 *
 * Invariant: every event that was published is restored, or the epoch changes. Within an epoch, a
 * client never sees two events with the same number.
 */
import { isSameBoot } from './boot-id.js';
import { type Frame, FrameKind } from './frames.js';
import { listSegments, payloadOf, readAhead, type Segment, type SegmentFile, toSegment } from './segments.js';

/** A session as it was kept. Only the code that wrote `record` knows its form. */
interface RestoredSession {
  readonly record: unknown;
  readonly lastEvent: RestoredEvent;
  /** Why it ended badly; undefined if it did not. */
  readonly fault: unknown;
}

interface RestoredRequest {
  readonly record: unknown;
  readonly timeMs: number;
}

/**
 * A frame of an event: its topic is the id of its session, its payload the event as on the wire.
 */
type RestoredEvent = Frame;

export interface Restored {
  /** Undefined if the numbers of the journal can't be continued. */
  readonly epoch: string | undefined;
  /** The sequence of the last event; 0 in a new epoch. */
  readonly newest: number;
  /** The newest events of the epoch, without gaps, oldest first. */
  readonly events: readonly RestoredEvent[];
  readonly sessions: ReadonlyMap<string, RestoredSession>;
  readonly requests: ReadonlyMap<string, RestoredRequest>;
  readonly previousEnd: 'CLEAN' | 'CRASHED' | 'UNKNOWN';
  /** Why a new epoch has to start; undefined if the old one continues or the journal is new. */
  readonly newEpochBecause: string | undefined;
  /** Files that are damaged, or after which events are missing. */
  readonly damaged: readonly SegmentFile[];
  /** Undefined if the journal is new. */
  readonly cursorKey: string | undefined;
  readonly files: readonly SegmentFile[];
  readonly nextOrdinal: number;
}

export interface History {
  readonly eventsMax: number;
  /** Older events are not restored. */
  readonly sinceMs: number;
}

/**
 * Reads the newest files of a journal, back to a complete checkpoint and as far as `history` wants.
 */
export async function restore(folder: string, bootId: string, history: History): Promise<Restored> {
  const files = await listSegments(folder);
  const segments: Segment[] = [];
  let events = 0;
  for await (const [file, bytes] of readAhead(files.toReversed())) {
    // What is older than a complete checkpoint was repeated in it, except for the events.
    const segment = toSegment(file, bytes, segments.some(hasCheckpoint) ? isNeededBefore : undefined);
    segments.unshift(segment);
    events += segment.frames.reduce((sum, { kind }) => sum + (kind === FrameKind.EVENT ? 1 : 0), 0);
    const oldestMs = segment.frames.find(({ kind }) => kind === FrameKind.EVENT)?.timeMs ?? Number.POSITIVE_INFINITY;
    const isEnough = events >= history.eventsMax || oldestMs < history.sinceMs;
    if (isEnough && segments.some(hasCheckpoint)) break;
  }
  return assemble(files, segments, bootId, history);
}

/** Whether a file needs frames of this kind although a newer file has a complete checkpoint. */
function isNeededBefore(kind: number): boolean {
  return kind === FrameKind.HEADER || kind === FrameKind.EVENT || kind === FrameKind.CHECKPOINT_END;
}

function hasCheckpoint({ frames }: Segment): boolean {
  return frames.some(({ kind }) => kind === FrameKind.CHECKPOINT_END);
}

function assemble(
  files: readonly SegmentFile[],
  all: readonly Segment[],
  bootId: string,
  { eventsMax, sinceMs }: History,
): Restored {
  const segments = all.filter((segment) => !isUnfinished(segment));
  const { sessions, requests } = lastStates(segments);
  const header = segments.findLast((segment) => segment.header !== undefined)?.header;
  const last = segments.at(-1)?.frames.at(-1);
  const previousEnd = segments.length === 0 ? 'UNKNOWN' : last?.kind === FrameKind.CLEAN_END ? 'CLEAN' : 'CRASHED';
  const nextOrdinal = (files.at(-1)?.ordinal ?? 0) + 1;
  const base = { sessions, requests, previousEnd, files, nextOrdinal, cursorKey: header?.cursorKey } as const;
  const inNewEpoch = (newEpochBecause: string | undefined, damaged: readonly SegmentFile[] = []): Restored => {
    return { ...base, epoch: undefined, newest: 0, events: [], newEpochBecause, damaged };
  };
  if (segments.length === 0) return inNewEpoch(undefined);
  // Damage in an older epoch does not matter any more.
  const ofEpoch = segments.slice(segments.findIndex((segment) => segment.header?.epoch === header?.epoch));
  const damaged = damagedFiles(ofEpoch);
  if (damaged.length > 0 || header === undefined) {
    const names = damaged.map(({ name }) => name).join(', ');
    return inNewEpoch(`the journal is damaged (${names}), so events can be missing`, damaged);
  }
  if (previousEnd === 'CRASHED' && header.durability === 'PROCESS' && !isSameBoot(header.bootId, bootId)) {
    return inNewEpoch('the machine has started again since, and the last events can be missing (durability: process)');
  }
  const events = ofEpoch.flatMap(({ frames }) => frames.filter(({ kind }) => kind === FrameKind.EVENT));
  const newest = events.at(-1)?.sequence ?? (ofEpoch.at(-1)?.file.firstSequence ?? 1) - 1;
  const kept = events.slice(-eventsMax).filter(({ timeMs }) => timeMs >= sinceMs);
  return {
    ...base,
    epoch: header.epoch,
    newest,
    events: kept,
    newEpochBecause: undefined,
    damaged: [],
  };
}

/**
 * Whether the process died, or the disk failed, before the checkpoint of the file was complete.
 * Nothing that only this file has was ever published.
 */
function isUnfinished(segment: Segment): boolean {
  return !hasCheckpoint(segment) && segment.end !== 'DAMAGED';
}

/**
 * Files that have a damaged frame, or after which events are missing. A torn end is not damage,
 * because its event was never published.
 */
function damagedFiles(segments: readonly Segment[]): SegmentFile[] {
  let next = segments[0]?.file.firstSequence;
  return segments.flatMap(({ file, frames, end }) => {
    let follows = file.firstSequence === next;
    next = file.firstSequence;
    for (const { kind, sequence } of frames) {
      if (kind !== FrameKind.EVENT) continue;
      follows &&= sequence === next;
      next += 1;
    }
    return end !== 'DAMAGED' && follows ? [] : [file];
  });
}

/** The last state of each session and request, starting at the newest complete checkpoint. */
function lastStates(segments: readonly Segment[]) {
  const from = Math.max(segments.findLastIndex(hasCheckpoint), 0);
  const records = new Map<string, unknown>();
  const lastEvents = new Map<string, RestoredEvent>();
  const faults = new Map<string, unknown>();
  const requests = new Map<string, RestoredRequest>();
  for (const frame of segments.slice(from).flatMap(({ frames }) => frames)) {
    const { kind, topic } = frame;
    if (kind === FrameKind.SESSION) {
      // The same id again is a new session.
      lastEvents.delete(topic);
      faults.delete(topic);
      records.set(topic, payloadOf(frame));
    } else if (kind === FrameKind.FAULT) {
      faults.set(topic, payloadOf(frame));
    } else if (kind === FrameKind.REQUEST) {
      requests.set(topic, { record: payloadOf(frame), timeMs: frame.timeMs });
    } else if (kind === FrameKind.EVENT || kind === FrameKind.LAST_EVENT) {
      lastEvents.set(topic, frame);
    }
  }
  const sessions = new Map<string, RestoredSession>();
  for (const [id, record] of records) {
    const lastEvent = lastEvents.get(id);
    if (lastEvent !== undefined) sessions.set(id, { record, lastEvent, fault: faults.get(id) });
  }
  return { sessions, requests };
}
