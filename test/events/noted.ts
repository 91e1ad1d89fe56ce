/** The smallest event log there is: notes about topics. */
import { EventLog, type Logged, type LogLimits } from '../../service/events/log.js';
import { EventStream } from '../../service/events/stream.js';

export interface Draft {
  readonly topic: string;
  readonly timeMs: number;
}

export interface Note extends Draft, Logged {}

export const EPOCH = '0123456789abcdef';

export class Notes {
  nowMs = 0;
  readonly log: EventLog<Note>;
  readonly stream: EventStream<Draft, Note>;

  constructor(limits: Partial<LogLimits> = {}) {
    const all = { eventsMax: 1000, ageMaxMs: 60_000, ...limits };
    this.log = new EventLog(EPOCH, all, () => this.nowMs);
    this.stream = new EventStream<Draft, Note>(this.log, {
      stamp: (draft, sequence, epoch) => ({ ...draft, sequence, epoch }),
      topicOf: ({ topic }) => topic,
    });
  }

  append(topic = 'a', count = 1): void {
    for (let i = 0; i < count; i += 1) this.stream.append({ topic, timeMs: this.nowMs });
  }
}

export const sequencesOf = (notes: readonly Note[]) => notes.map(({ sequence }) => sequence);

/** A turn of the event loop: every microtask of before has run. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

export const range = (from: number, to: number) =>
  Array.from({ length: Math.max(to - from + 1, 0) }, (_, i) => from + i);
