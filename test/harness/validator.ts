/**
 * Reads what a client received and checks the promises of the event stream: ordered, no duplicates,
 * no holes within an epoch but those of renewals that a later one made superfluous, resumable,
 * snapshot and live joined without loss, bookmarks true, one epoch per life; and of each session
 * that its states follow the diagram and that it ends once. Every end-to-end test tells its
 * validator what happened, and calls `finish`.
 */
import { type Session, type SessionEvent, SessionEventType } from '../../proto/gen/wifidirect/v1/session.js';
import type { OpenSessionResponse, WatchSessionsResponse } from '../../proto/gen/wifidirect/v1/session_service.js';
import { hasEnded, SessionHistory } from './session-history.js';

const VIOLATIONS_SHOWN_MAX = 20;

/**
 * What both kinds of stream have in common: violations, and finding an event the same each time it
 * is told.
 */
class Validator {
  readonly violations: string[] = [];
  protected readonly history = new SessionHistory();
  readonly #seen = new Map<bigint, string>();
  #messages = 0;

  protected begin(): void {
    this.#messages += 1;
  }

  protected sentAt(hostTime: Date | undefined): void {
    if (hostTime === undefined) this.violated('no host_time');
  }

  protected violated(...what: string[]): void {
    this.violations.push(...what.map((each) => `message ${this.#messages}: ${each}`));
  }

  /** What is new is history; what is told again must be the same. */
  protected tell(event: SessionEvent, isNew: boolean): void {
    const { sequence, type, session, time } = event;
    const told = `${type} ${session?.sessionId} ${session?.state} ${time?.getTime()}`;
    const before = this.#seen.get(sequence);
    this.#seen.set(sequence, told);
    if (isNew) this.violated(...this.history.event(event));
    else if (before !== undefined && before !== told)
      this.violated(`event ${sequence} was ${before} and is now ${told}`);
  }

  protected forget(): void {
    this.history.forget();
    this.#seen.clear();
  }

  /** Throws what was violated, in words. */
  finish(): void {
    if (this.violations.length === 0) return;
    const shown = this.violations.slice(0, VIOLATIONS_SHOWN_MAX);
    throw new Error(`${this.violations.length} promises of the stream were broken:\n  ${shown.join('\n  ')}`);
  }
}

/** One client's watch of sessions, through all its connections. */
export class StreamValidator extends Validator {
  readonly #isFiltered: boolean;
  /** The epochs seen, in order: one for each life of the host. */
  readonly epochs: string[] = [];
  #isConnected = false;
  /** The sessions of a snapshot that is not complete; undefined where none is due. */
  #snapshot: Session[] | undefined;
  /** Up to here every event has come, or been passed over by the filter. */
  #position = 0n;
  /** The furthest position of this epoch. */
  #furthest = 0n;
  /** Numbers that were skipped, each run with the sessions that have been heard of since. */
  #holes: { readonly before: bigint; readonly what: string; readonly heard: Set<string> }[] = [];

  /** `filtered`: the watch does not show every session, by its request or for want of a role. */
  constructor({ filtered = false }: { readonly filtered?: boolean } = {}) {
    super();
    this.#isFiltered = filtered;
  }

  /** The cursor to resume from; empty before there is one. */
  get cursor(): string {
    const epoch = this.epochs.at(-1);
    return epoch === undefined || this.#snapshot !== undefined ? '' : `${epoch}.${this.#position}`;
  }

  /** The client has asked for a watch from this cursor; empty: for a snapshot. */
  connected(cursor: string): void {
    this.#isConnected = true;
    this.#snapshot = cursor === '' ? [] : undefined;
    if (cursor === '') return;
    const from = this.#parse(cursor);
    if (from === undefined) return;
    this.#enter(from.epoch);
    // From further on than was seen: what happened between is unknown.
    if (from.sequence > this.#furthest) this.history.forget();
    this.#position = from.sequence;
  }

  message(response: WatchSessionsResponse): void {
    const { events, cursor, snapshot, snapshotComplete } = response;
    this.begin();
    if (!this.#isConnected) this.violated('it came when nobody watched');
    if (this.#snapshot !== undefined) {
      this.#partOfSnapshot(this.#snapshot, response);
      return;
    }
    if (snapshot.length > 0 || snapshotComplete) this.violated('a snapshot amid the events');
    for (const event of events) this.#event(event);
    const at = this.#parse(cursor);
    if (at === undefined) return;
    if (at.epoch !== this.epochs.at(-1))
      this.violated(`the cursor is of epoch ${at.epoch}, within a stream of another`);
    else if (at.sequence < this.#position)
      this.violated(`the cursor ${at.sequence} lies before event ${this.#position}`);
    else if (at.sequence > this.#position && !this.#isFiltered) {
      this.violated(`the cursor says ${at.sequence}, but nothing came after ${this.#position}`);
    }
    this.#moveTo(at.sequence);
  }

  /** The stream has ended, however it did. */
  disconnected(): void {
    this.#isConnected = false;
  }

  /** Throws what was violated. With `lastSequence`, also that not everything up to it has come. */
  override finish(lastSequence?: bigint | number): void {
    if (lastSequence !== undefined && this.#furthest < BigInt(lastSequence)) {
      this.violated(`the last event is ${lastSequence}, but the watch has only come to ${this.#furthest}`);
    }
    this.#giveUpHoles();
    super.finish();
  }

  #partOfSnapshot(
    parts: Session[],
    { events, cursor, snapshot, snapshotComplete }: Omit<WatchSessionsResponse, 'hostTime'>,
  ): void {
    parts.push(...snapshot);
    if (events.length > 0) this.violated('events before the snapshot was complete');
    if (!snapshotComplete) {
      if (cursor !== '') this.violated('a cursor before the snapshot was complete');
      if (snapshot.length === 0) this.violated('an empty part of a snapshot');
      return;
    }
    this.#snapshot = undefined;
    const at = this.#parse(cursor);
    if (at === undefined) return;
    const isNew = this.#enter(at.epoch);
    if (at.sequence < this.#furthest)
      this.violated(`the snapshot is of ${at.sequence}, but ${this.#furthest} had come`);
    this.violated(...this.history.snapshot(parts, !isNew && !this.#isFiltered && at.sequence === this.#furthest));
    this.#moveTo(at.sequence);
  }

  #event(event: SessionEvent): void {
    const { sequence, epoch } = event;
    const next = this.#position + 1n;
    if (epoch !== this.epochs.at(-1))
      this.violated(`event ${sequence} is of epoch ${epoch}, within a stream of another`);
    if (sequence < next) this.violated(`event ${sequence} comes after ${this.#position}: twice, or out of order`);
    // What has been judged once may have lost more renewals since.
    else if (sequence > next && sequence > this.#furthest && !this.#isFiltered) {
      this.#holes.push({
        before: sequence,
        what: `a hole: ${next} should come, and ${sequence} does`,
        heard: new Set(),
      });
    }
    this.#fillHoles(event);
    this.tell(event, sequence > this.#furthest);
    this.#moveTo(sequence);
  }

  /**
   * What a host may leave out are renewals before a later one: the next event of the session is
   * then a renewal.
   */
  #fillHoles({ sequence, type, session }: SessionEvent): void {
    const id = session?.sessionId ?? '';
    this.#holes = this.#holes.filter(({ before, heard }) => {
      if (sequence < before || heard.has(id)) return true;
      heard.add(id);
      return type !== SessionEventType.LEASE_RENEWED;
    });
  }

  #giveUpHoles(): void {
    this.violated(...this.#holes.splice(0).map(({ what }) => what));
  }

  #moveTo(position: bigint): void {
    this.#position = position;
    if (position > this.#furthest) this.#furthest = position;
  }

  /** True where it is a new epoch. One that was left does not come back. */
  #enter(epoch: string): boolean {
    if (epoch === this.epochs.at(-1)) return false;
    if (this.epochs.includes(epoch)) this.violated(`epoch ${epoch} has come back`);
    this.epochs.push(epoch);
    this.#giveUpHoles();
    this.forget();
    this.#position = 0n;
    this.#furthest = 0n;
    return true;
  }

  #parse(cursor: string): { readonly epoch: string; readonly sequence: bigint } | undefined {
    const [, epoch, sequence] = /^([0-9a-f]{16})\.([0-9]+)$/.exec(cursor) ?? [];
    if (epoch !== undefined && sequence !== undefined) return { epoch, sequence: BigInt(sequence) };
    this.violated(cursor === '' ? 'no cursor' : `"${cursor}" is no cursor`);
    return undefined;
  }
}

/**
 * The OpenSession streams of one session, one after another: its event as it is, then each that
 * follows, until it has ended.
 */
export class OpenStreamValidator extends Validator {
  #last: SessionEvent | undefined;
  #isFirst = true;

  message({ event, cursor, hostTime }: OpenSessionResponse): void {
    this.begin();
    this.sentAt(hostTime);
    const last = this.#last;
    if (event === undefined) {
      // A heartbeat means that nothing has happened since the last event.
      if (this.#isFirst || hasEnded(last)) this.violated('no event');
      if (!cursor.startsWith(`${last?.epoch}.`)) this.violated(`"${cursor}" is no cursor of this epoch`);
      return;
    }
    if (cursor !== `${event.epoch}.${event.sequence}`)
      this.violated(`the cursor of event ${event.sequence} is ${cursor}`);
    // A stream begins with the latest event, which may be the last of the stream before.
    const isLate =
      last !== undefined && (this.#isFirst ? event.sequence < last.sequence : event.sequence <= last.sequence);
    if (isLate) this.violated(`event ${event.sequence} comes after ${last.sequence}: twice, or out of order`);
    if (last !== undefined && event.epoch !== last.epoch)
      this.violated(`the epoch was ${last.epoch} and is ${event.epoch}`);
    if (last !== undefined && event.session?.sessionId !== last.session?.sessionId) this.violated('another session');
    if (!this.#isFirst && hasEnded(last)) this.violated('an event after the end');
    // What came while no stream was attached is not known.
    if (this.#isFirst && last !== undefined && event.sequence > last.sequence) this.history.forget();
    this.tell(event, last === undefined || event.sequence > last.sequence);
    this.#last = event;
    this.#isFirst = false;
  }

  /** The stream has ended well: then so has the session. */
  ended(): void {
    if (!hasEnded(this.#last)) this.violated('the stream ended well, and the session has not ended');
    this.disconnected();
  }

  /** The stream broke, or ended with an error. */
  disconnected(): void {
    this.#isFirst = true;
  }
}
