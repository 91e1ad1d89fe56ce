/** The smallest event log there is: notes about topics. */
import { EventLog, type Logged, type LogLimits } from '../../service/events/log.js';
import { type EventKind, EventStream } from '../../service/events/stream.js';

export interface Draft {
  readonly topic: string;
  readonly timeMs: number;
  /** Absent: an ordinary one. */
  readonly isRefresh?: boolean;
}

export interface Note extends Draft, Logged {
  readonly epoch: string;
}

export const EPOCH = '0123456789abcdef';

const noteKind: EventKind<Draft, Note, Note> = {
  stamp: (draft, sequence, epoch) => ({ ...draft, sequence, epoch }),
  record: (note) => note,
  topicOf: ({ topic }) => topic,
  labelsOf: ({ topic }) => [topic, 'any'],
  sizeOf: () => 100,
  isRefresh: ({ isRefresh }) => isRefresh === true,
};

export class Notes {
  nowMs = 0;
  readonly log: EventLog<Note>;
  readonly stream: EventStream<Draft, Note, Note>;

  constructor(limits: Partial<LogLimits> = {}) {
    const all = { eventsMax: 1000, bytesMax: Number.POSITIVE_INFINITY, ageMaxMs: 60_000, supersededMax: 0, ...limits };
    this.log = new EventLog(EPOCH, all, noteKind, () => this.nowMs);
    this.stream = new EventStream(this.log, noteKind);
  }

  append(topic = 'a', count = 1): void {
    for (let i = 0; i < count; i += 1) this.stream.append({ topic, timeMs: this.nowMs });
  }

  refresh(topic = 'a', count = 1): void {
    for (let i = 0; i < count; i += 1) this.stream.append({ topic, timeMs: this.nowMs, isRefresh: true });
  }
}

export const sequencesOf = (notes: readonly Note[]) => notes.map(({ sequence }) => sequence);

/** A turn of the event loop: every microtask of before has run. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

export const range = (from: number, to: number) =>
  Array.from({ length: Math.max(to - from + 1, 0) }, (_, i) => from + i);
