/**
 * The event log: what happened, numbered. Bounded in number, bytes and age, and append-only.
 *
 * The log is the truth and `stream.ts` the pipe. The rule that must not be broken: append first, then publish; a sequence is given
 * once within an epoch, and an epoch is one life of the log. Events leave it in two ways only: the oldest are trimmed, and of several
 * refreshes in a row on one topic all but the last are dropped, a while after they have been published.
 *
 * Events lie in chunks. A chunk knows which labels occur in it, so that a reader who looks for few passes over whole chunks.
 */
/** An event as the log keeps it. */
export interface Logged {
  /** 1 for the first event of an epoch, then +1 each. */
  readonly sequence: number;
  /** When the native callback behind it arrived, on the clock of `performance.now()`. */
  readonly arrivedMs?: number | undefined;
}

export interface LogLimits {
  readonly eventsMax: number;
  readonly bytesMax: number;
  readonly ageMaxMs: number;
  /** Refreshes that are kept though a later one has superseded them, for readers who are a little behind. */
  readonly supersededMax: number;
}

/** What a log has to know of the events in it. */
export interface LogTraits<E> {
  /** What an event is about. */
  readonly topicOf: (event: E) => string;
  /** What readers find it by, if they look for less than all. */
  readonly labelsOf: (event: E) => readonly string[];
  /** In bytes. */
  readonly sizeOf: (event: E) => number;
  /** Whether the next refresh of its topic, if nothing comes between them, tells all that this event tells. */
  readonly isRefresh: (event: E) => boolean;
}

/** What one call of `read` has come to. */
export interface Read<E> {
  readonly events: E[];
  /** The last sequence read or passed over. */
  readonly position: number;
}

const CHUNK_EVENTS_MAX = 256;
/** How many events one call of `read` looks at: a fraction of a millisecond's work. */
const LOOKS_MAX = 500;
/** What it costs to find that a chunk has none of many labels. */
const LOOKS_FOR_CHUNK = 8;

export class EventLog<E extends Logged> {
  #epoch: string;
  readonly #limits: LogLimits;
  readonly #traits: LogTraits<E>;
  readonly #now: () => number;
  /** In order, none of them empty. */
  readonly #chunks: Chunk<E>[] = [];
  /** The last event of a topic, where it is a refresh. */
  readonly #refreshes = new Map<string, E>();
  /** Refreshes that a later one has made superfluous, the oldest of which are dropped next. */
  readonly #superseded = new Set<E>();
  #newest = 0;
  #visible = 0;
  #isHeld = false;
  #oldest = 0;
  #size = 0;
  #bytes = 0;
  #trimmed = 0;

  /** `now` is a clock that is never set. */
  constructor(epoch: string, limits: LogLimits, traits: LogTraits<E>, now = () => performance.now()) {
    this.#epoch = epoch;
    this.#limits = limits;
    this.#traits = traits;
    this.#now = now;
  }

  get epoch(): string {
    return this.#epoch;
  }

  /** The sequence of the last event, 0 before the first. */
  get newest(): number {
    return this.#newest;
  }

  /** The sequence of the last event that readers may read: `newest`, unless events are held back. */
  get visible(): number {
    return this.#visible;
  }

  /** From now on readers get no event that has not been released. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Readers may read up to this sequence. */
  release(sequence: number): void {
    this.#visible = Math.max(this.#visible, sequence);
  }

  /** Takes over events of an earlier life of this epoch, oldest first, each with its age. The log is empty before. */
  restore(events: readonly { readonly event: E; readonly ageMs: number }[], newest: number): void {
    this.#oldest = (events[0]?.event.sequence ?? newest + 1) - 1;
    for (const { event, ageMs } of this.#withoutSuperfluous(events)) {
      this.#newest = event.sequence - 1;
      this.#add(event, this.#now() - ageMs);
    }
    this.#newest = newest;
    this.#visible = newest;
    this.#trim();
  }

  /** Without the refreshes that the log would drop at once: a journal keeps them all. */
  #withoutSuperfluous<T extends { readonly event: E }>(events: readonly T[]): readonly T[] {
    const { isRefresh, topicOf } = this.#traits;
    const refreshes = new Map<string, T>();
    const superseded: T[] = [];
    for (const each of events) {
      const topic = topicOf(each.event);
      const before = refreshes.get(topic);
      if (!isRefresh(each.event)) {
        refreshes.delete(topic);
        continue;
      }
      refreshes.set(topic, each);
      if (before !== undefined) superseded.push(before);
    }
    const superfluous = new Set(superseded.slice(0, Math.max(superseded.length - this.#limits.supersededMax, 0)));
    return superfluous.size === 0 ? events : events.filter((each) => !superfluous.has(each));
  }

  /** Begins a new life: nothing has happened yet, and nothing is held back. */
  restart(epoch: string): void {
    this.#epoch = epoch;
    this.#chunks.length = 0;
    this.#refreshes.clear();
    this.#superseded.clear();
    this.#newest = 0;
    this.#visible = 0;
    this.#oldest = 0;
    this.#size = 0;
    this.#bytes = 0;
    this.#isHeld = false;
  }

  /** The smallest position that can still be resumed from: what happened after it is here. */
  get oldest(): number {
    this.#trim();
    return this.#oldest;
  }

  /** How many events there are. */
  get size(): number {
    return this.#size;
  }

  /** What they take together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many have been trimmed in this life. */
  get trimmed(): number {
    return this.#trimmed;
  }

  /** Its sequence is one more than `newest`. */
  append(event: E): void {
    this.#add(event, this.#now());
    if (!this.#isHeld) this.#visible = this.#newest;
    this.#trim();
  }

  #add(event: E, atMs: number): void {
    const bytes = this.#traits.sizeOf(event);
    this.#newest += 1;
    this.#size += 1;
    this.#bytes += bytes;
    this.#lastChunk().add(event, bytes, atMs, this.#traits.labelsOf(event));
    this.#supersede(event);
  }

  /** What has been appended so far has been published. */
  published(): void {
    for (const event of this.#superseded) {
      if (this.#superseded.size <= this.#limits.supersededMax) break;
      this.#drop(event);
    }
  }

  /** The event at a sequence, unless it has left the log or has not happened. */
  at(sequence: number): E | undefined {
    const chunk = this.#chunks[this.#chunkAfter(sequence - 1)];
    const event = chunk?.events[chunk.indexAfter(sequence - 1)];
    return event?.sequence === sequence ? event : undefined;
  }

  /**
   * Reads on after a position: at most `max` events that are accepted, looking at a bounded number. What was not looked at is after the
   * position that it returns. With `labels`, only events that have one of them are looked at.
   */
  read(after: number, max: number, accepts: (event: E) => boolean, labels?: ReadonlySet<string>): Read<E> {
    const events: E[] = [];
    let position = after;
    let looks = 0;
    for (let at = this.#chunkAfter(after); at < this.#chunks.length; at += 1) {
      const chunk = this.#chunks[at] as Chunk<E>;
      if (labels !== undefined && !chunk.hasOneOf(labels)) {
        if (looks >= LOOKS_MAX) return { events, position };
        position = Math.min(chunk.last, Math.max(this.#visible, position));
        looks += LOOKS_FOR_CHUNK;
        continue;
      }
      for (let i = chunk.indexAfter(position); i < chunk.events.length; i += 1) {
        if (events.length === max || looks >= LOOKS_MAX) return { events, position };
        const event = chunk.events[i] as E;
        if (event.sequence > this.#visible) return { events, position };
        position = event.sequence;
        looks += 1;
        if (accepts(event)) events.push(event);
      }
    }
    // After the last event may come numbers of refreshes that were dropped.
    return { events, position: events.length === max ? position : Math.max(position, this.#visible) };
  }

  #lastChunk(): Chunk<E> {
    const last = this.#chunks.at(-1);
    if (last !== undefined && last.events.length < CHUNK_EVENTS_MAX) return last;
    const chunk = new Chunk<E>();
    this.#chunks.push(chunk);
    return chunk;
  }

  /** A refresh right after a refresh of the same topic makes that superfluous. */
  #supersede(event: E): void {
    const topic = this.#traits.topicOf(event);
    const before = this.#refreshes.get(topic);
    if (!this.#traits.isRefresh(event)) {
      if (before !== undefined) this.#refreshes.delete(topic);
      return;
    }
    this.#refreshes.set(topic, event);
    if (before !== undefined) this.#superseded.add(before);
  }

  #drop(event: E): void {
    const at = this.#chunkAfter(event.sequence - 1);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    this.#remove(chunk, chunk.indexAfter(event.sequence - 1));
    if (chunk.events.length === 0) this.#chunks.splice(at, 1);
  }

  #remove(chunk: Chunk<E>, index: number): void {
    const event = chunk.events[index] as E;
    this.#superseded.delete(event);
    this.#size -= 1;
    this.#bytes -= chunk.sizes[index] ?? 0;
    chunk.remove(index, this.#traits.labelsOf(event));
  }

  #trim(): void {
    const { eventsMax, bytesMax, ageMaxMs } = this.#limits;
    const horizonMs = this.#now() - ageMaxMs;
    for (let [first] = this.#chunks; first !== undefined; [first] = this.#chunks) {
      const isFull = this.#size > eventsMax || this.#bytes > bytesMax;
      const [superfluous] = this.#superseded;
      if (isFull && superfluous !== undefined) {
        this.#drop(superfluous);
        continue;
      }
      if (!isFull && (first.times[0] ?? 0) >= horizonMs) return;
      const event = first.events[0] as E;
      this.#remove(first, 0);
      this.#oldest = event.sequence;
      this.#trimmed += 1;
      const topic = this.#traits.topicOf(event);
      if (this.#refreshes.get(topic) === event) this.#refreshes.delete(topic);
      if (first.events.length === 0) this.#chunks.shift();
    }
  }

  /** The index of the chunk in which the first event after a position is, or would be. */
  #chunkAfter(position: number): number {
    return lowerBound(this.#chunks.length, (i) => (this.#chunks[i] as Chunk<E>).last > position);
  }
}

class Chunk<E extends Logged> {
  readonly events: E[] = [];
  readonly sizes: number[] = [];
  /** When each was appended. */
  readonly times: number[] = [];
  /** How many events have each label. */
  readonly #labels = new Map<string, number>();

  /** The sequence of its last event. */
  get last(): number {
    return this.events.at(-1)?.sequence ?? 0;
  }

  add(event: E, bytes: number, timeMs: number, labels: readonly string[]): void {
    this.events.push(event);
    this.sizes.push(bytes);
    this.times.push(timeMs);
    for (const label of labels) this.#labels.set(label, (this.#labels.get(label) ?? 0) + 1);
  }

  remove(index: number, labels: readonly string[]): void {
    this.events.splice(index, 1);
    this.sizes.splice(index, 1);
    this.times.splice(index, 1);
    for (const label of labels) {
      const left = (this.#labels.get(label) ?? 1) - 1;
      if (left === 0) this.#labels.delete(label);
      else this.#labels.set(label, left);
    }
  }

  hasOneOf(labels: ReadonlySet<string>): boolean {
    const [few, many] = this.#labels.size < labels.size ? [this.#labels, labels] : [labels, this.#labels];
    for (const label of few.keys()) if (many.has(label)) return true;
    return false;
  }

  /** The index of the first event after a position. */
  indexAfter(position: number): number {
    return lowerBound(this.events.length, (i) => (this.events[i] as E).sequence > position);
  }
}

/** The smallest index for which it is so, where it is so for all after it; the length where for none. */
function lowerBound(length: number, isSo: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isSo(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
