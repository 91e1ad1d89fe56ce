/**
 * The event log: everything that happened, numbered. It is append-only, and bounded in number,
 * bytes and age.
 *
 * Invariant: an event is appended first and published second. A sequence is given once in an epoch,
 * and an epoch is one life of the log.
 *
 * An event leaves the log in two ways. The oldest events are trimmed. And of several refreshes in a
 * row on one topic, all but the last are dropped some time after they were published.
 *
 * Events are stored in chunks. A chunk knows which labels occur in it, so a reader who wants few
 * labels skips whole chunks (D-15).
 */

/** An event as the log keeps it. */
export interface Logged {
  /** 1 for the first event of an epoch, and one more for each event after it. */
  readonly sequence: number;
  /** When the native callback that caused it arrived, on the clock of `performance.now()`. */
  readonly arrivedMs?: number | undefined;
}

export interface LogLimits {
  readonly eventsMax: number;
  readonly bytesMax: number;
  readonly ageMaxMs: number;
  /** How many superseded refreshes are kept, for readers who are a little behind. */
  readonly supersededMax: number;
}

/** What a log needs to know about its events. */
export interface LogTraits<E> {
  /** What an event is about, such as one session. */
  readonly topicOf: (event: E) => string;
  /** By which labels a reader can select the event. */
  readonly labelsOf: (event: E) => readonly string[];
  /** In bytes. */
  readonly sizeOf: (event: E) => number;
  /**
   * Whether the event is a refresh. The next refresh of its topic supersedes it, if no other event
   * of the topic is between them.
   */
  readonly isRefresh: (event: E) => boolean;
}

/** How events of an earlier process are read, in whatever form they were kept. */
export interface Restoring<T, E> {
  readonly topicOf: (kept: T) => string;
  readonly isRefresh: (kept: T) => boolean;
  readonly read: (kept: T) => { readonly event: E; readonly ageMs: number };
}

/** The result of one call of `read`. */
export interface Read<E> {
  readonly events: E[];
  /** The last sequence that was read or skipped. */
  readonly position: number;
}

const CHUNK_EVENTS_MAX = 256;
/** How many events one call of `read` looks at. It takes a fraction of a millisecond. */
const LOOKS_MAX = 500;
/** The cost of finding that a chunk has none of many labels, counted in looks at events. */
const LOOKS_FOR_CHUNK = 8;

export class EventLog<E extends Logged> {
  #epoch: string;
  readonly #limits: LogLimits;
  readonly #traits: LogTraits<E>;
  readonly #now: () => number;
  /** In the order of their events. No chunk is empty. */
  readonly #chunks: Chunk<E>[] = [];
  /** The last event of each topic, if it is a refresh. */
  readonly #refreshes = new Map<string, E>();
  /** Superseded refreshes, oldest first. The oldest are dropped next. */
  readonly #superseded = new Set<E>();
  #newest = 0;
  #visible = 0;
  #isHeld = false;
  #oldest = 0;
  #size = 0;
  #bytes = 0;
  #trimmed = 0;

  /** `now` must be a clock that nobody can set. */
  constructor(epoch: string, limits: LogLimits, traits: LogTraits<E>, now = () => performance.now()) {
    this.#epoch = epoch;
    this.#limits = limits;
    this.#traits = traits;
    this.#now = now;
  }

  get epoch(): string {
    return this.#epoch;
  }

  /** The sequence of the last event; 0 before the first one. */
  get newest(): number {
    return this.#newest;
  }

  /**
   * The sequence of the last event that readers can read: `newest`, unless events are held back.
   */
  get visible(): number {
    return this.#visible;
  }

  /** Holds events back: from now on readers get only events that were released. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Lets readers read up to this sequence. */
  release(sequence: number): void {
    this.#visible = Math.max(this.#visible, sequence);
  }

  /**
   * Restores events of an earlier process in this epoch, oldest first. The log must be empty.
   * Refreshes that the log would drop at once are not read.
   */
  restore<T>(events: readonly T[], { topicOf, isRefresh, read }: Restoring<T, E>, newest: number): void {
    /** Where the last event of a topic is, if it is a refresh. */
    const refreshes = new Map<string, number>();
    const superseded: number[] = [];
    events.forEach((event, index) => {
      const topic = topicOf(event);
      if (!isRefresh(event)) {
        refreshes.delete(topic);
        return;
      }
      const before = refreshes.get(topic);
      refreshes.set(topic, index);
      if (before !== undefined) superseded.push(before);
    });
    const isDropped = new Uint8Array(events.length);
    const dropped = Math.max(superseded.length - this.#limits.supersededMax, 0);
    for (let i = 0; i < dropped; i += 1) isDropped[superseded[i] as number] = 1;
    const [first] = events;
    this.#oldest = (first === undefined ? newest + 1 : read(first).event.sequence) - 1;
    events.forEach((each, index) => {
      if (isDropped[index] === 1) return;
      const { event, ageMs } = read(each);
      this.#newest = event.sequence - 1;
      this.#add(event, this.#now() - ageMs);
    });
    this.#newest = newest;
    this.#visible = newest;
    this.#trim();
  }

  /** Starts a new epoch with an empty log. Nothing is held back in it. */
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

  /** The smallest position from which a reader can resume: the log has every event after it. */
  get oldest(): number {
    this.#trim();
    return this.#oldest;
  }

  /** How many events the log has. */
  get size(): number {
    return this.#size;
  }

  /** The size of all events together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many events were trimmed since the process began. */
  get trimmed(): number {
    return this.#trimmed;
  }

  /** Appends an event. Its sequence must be one more than `newest`. */
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

  /** Everything that was appended so far has been published. */
  onPublished(): void {
    for (const event of this.#superseded) {
      if (this.#superseded.size <= this.#limits.supersededMax) break;
      this.#drop(event);
    }
  }

  /** The event with a sequence; undefined if it has left the log or does not exist yet. */
  at(sequence: number): E | undefined {
    const chunk = this.#chunks[this.#chunkAfter(sequence - 1)];
    const event = chunk?.events[chunk.indexAfter(sequence - 1)];
    return event?.sequence === sequence ? event : undefined;
  }

  /**
   * Reads after a position. It returns at most `max` accepted events, and looks at a bounded number
   * of events; the rest is after the position that it returns. With `labels`, it looks only at
   * events that have one of them.
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
    // The numbers after the last event can be those of refreshes that were dropped.
    return { events, position: events.length === max ? position : Math.max(position, this.#visible) };
  }

  #lastChunk(): Chunk<E> {
    const last = this.#chunks.at(-1);
    if (last !== undefined && last.events.length < CHUNK_EVENTS_MAX) return last;
    const chunk = new Chunk<E>();
    this.#chunks.push(chunk);
    return chunk;
  }

  /** A refresh supersedes the event before it on the same topic, if that is a refresh too. */
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
      const [superseded] = this.#superseded;
      if (isFull && superseded !== undefined) {
        this.#drop(superseded);
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

  /** The index of the chunk that has the first event after a position, or would have it. */
  #chunkAfter(position: number): number {
    return lowerBound(this.#chunks.length, (i) => (this.#chunks[i] as Chunk<E>).last > position);
  }
}

class Chunk<E extends Logged> {
  readonly events: E[] = [];
  readonly sizes: number[] = [];
  /** When each event was appended. */
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

/** The first index for which a monotonic condition is true; `length` if there is none. */
function lowerBound(length: number, isTrue: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isTrue(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
