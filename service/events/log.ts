/**
 * The event log: what happened, numbered. Bounded in number and age, append-only, without holes.
 *
 * The log is the truth and `stream.ts` the pipe. The rule that must not be broken: append first, then publish; a sequence is given
 * once within an epoch, and an epoch is one life of the log.
 */
export interface Logged {
  /** 1 for the first event of an epoch, then +1 each. */
  readonly sequence: number;
  readonly epoch: string;
  readonly timeMs: number;
  /** When the native callback behind it arrived, on the clock of `performance.now()`. */
  readonly arrivedMs?: number;
}

export interface LogLimits {
  readonly eventsMax: number;
  readonly ageMaxMs: number;
}

export class EventLog<E extends Logged> {
  readonly epoch: string;
  readonly #limits: LogLimits;
  readonly #now: () => number;
  #events: E[] = [];
  /** How many events at the head of the array have been trimmed but not yet cut off. */
  #trimmed = 0;
  #newest = 0;

  constructor(epoch: string, limits: LogLimits, now: () => number = Date.now) {
    this.epoch = epoch;
    this.#limits = limits;
    this.#now = now;
  }

  /** The sequence of the last event, 0 before the first. */
  get newest(): number {
    return this.#newest;
  }

  /** The smallest position that can still be resumed from: every event after it is here. */
  get oldest(): number {
    this.#trim();
    return this.#newest - (this.#events.length - this.#trimmed);
  }

  append(number: (sequence: number, epoch: string) => E): E {
    const event = number(this.#newest + 1, this.epoch);
    this.#newest += 1;
    this.#events.push(event);
    this.#trim();
    return event;
  }

  /** The event at a sequence, unless it is trimmed or has not happened. */
  at(sequence: number): E | undefined {
    const first = this.#newest - this.#events.length + 1;
    const index = sequence - first;
    return index < this.#trimmed ? undefined : this.#events[index];
  }

  #trim(): void {
    const { eventsMax, ageMaxMs } = this.#limits;
    const horizonMs = this.#now() - ageMaxMs;
    let head = this.#events[this.#trimmed];
    while (head !== undefined && (this.#events.length - this.#trimmed > eventsMax || head.timeMs < horizonMs)) {
      this.#trimmed += 1;
      head = this.#events[this.#trimmed];
    }
    // Cutting the head off costs a copy, so it is done once per many events.
    if (this.#trimmed > 1024 && this.#trimmed * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#trimmed);
      this.#trimmed = 0;
    }
  }
}
