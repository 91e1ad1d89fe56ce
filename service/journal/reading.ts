/**
 * Reads a journal for `wfdd journal`. It never writes, so it can read the folder of a running
 * daemon.
 */

import { SessionEvent as SessionEventMessage } from '../../proto/gen/wifidirect/v1/session.js';
import { fromSessionEvent } from '../codec/messages.js';
import type { SessionEvent } from '../session/session.js';
import { type Frame, FrameKind } from './frames.js';
import { listSegments, readSegment, type Segment, type SegmentFile } from './segments.js';

interface EventFilter {
  readonly session: string | undefined;
  readonly device: string | undefined;
  readonly sinceMs: number | undefined;
  readonly untilMs: number | undefined;
}

/** The events of all files, oldest first, one file at a time in memory. */
export async function* readEvents(folder: string, filter: EventFilter): AsyncGenerator<SessionEvent> {
  for (const file of await listSegments(folder)) {
    const segment = await readSegment(file);
    for (const frame of segment.frames) {
      if (frame.kind !== FrameKind.EVENT || !isInTime(frame, filter)) continue;
      if (filter.session !== undefined && frame.topic !== filter.session) continue;
      const event = fromSessionEvent(SessionEventMessage.decode(frame.payload), undefined);
      if (filter.device === undefined || event.session.deviceAddress === filter.device) yield event;
    }
  }
}

function isInTime({ timeMs }: Frame, { sinceMs = 0, untilMs = Number.POSITIVE_INFINITY }: EventFilter): boolean {
  return timeMs >= sinceMs && timeMs < untilMs;
}

/** One event as JSON, in protobuf's JSON mapping of the contract. */
export function toJsonLine(event: SessionEvent, encode: (event: SessionEvent) => SessionEventMessage): string {
  return JSON.stringify(SessionEventMessage.toJSON(encode(event)));
}

/** One event for people. */
export function toTextLine({ timeMs, type, session, cause, native }: SessionEvent): string {
  const why = cause.source === 'CLIENT' ? `by ${cause.principal}` : cause.source;
  const end = session.end === undefined ? '' : ` ${session.end.reason}`;
  const result = native === undefined || native.code === 0 ? '' : ` ${native.function} ${native.code} ${native.name}`;
  return `${new Date(timeMs).toISOString()}  ${type.padEnd(13)} ${session.id}  ${session.deviceAddress}  ${why}${end}${result}`;
}

/** What `wfdd journal verify` reports about one file. */
export interface FileReport {
  readonly file: string;
  readonly bytes: number;
  readonly epoch: string | undefined;
  readonly events: number;
  readonly firstSequence: number;
  /** Undefined if the file is good. */
  readonly problem: string | undefined;
}

/**
 * Checks every file, and whether each follows the one before it. A torn end is not a problem,
 * because its event was never published.
 */
export async function verify(folder: string): Promise<FileReport[]> {
  const reports: FileReport[] = [];
  const files = await listSegments(folder);
  let before: { readonly epoch: string; readonly next: number } | undefined;
  for (const file of files) {
    const segment = await readSegment(file);
    const events = segment.frames.filter(({ kind }) => kind === FrameKind.EVENT).length;
    const problem = problemOf(segment, file, before);
    const { header } = segment;
    if (header !== undefined) before = { epoch: header.epoch, next: file.firstSequence + events };
    const { name, bytes, firstSequence } = file;
    reports.push({ file: name, bytes, epoch: header?.epoch, events, firstSequence, problem });
  }
  return reports;
}

function problemOf(
  { header, end, endsAt }: Segment,
  { firstSequence }: SegmentFile,
  before: { readonly epoch: string; readonly next: number } | undefined,
): string | undefined {
  if (end === 'DAMAGED') return `damaged at byte ${endsAt}; the rest of the file can't be read`;
  if (header === undefined) return undefined;
  const isHole = before?.epoch === header.epoch && before.next < firstSequence;
  return isHole ? `events ${before?.next} to ${firstSequence - 1} are missing before it` : undefined;
}
