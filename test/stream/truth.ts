/**
 * What happened, as one watcher heard it who never left: what every other must have heard, and what
 * traffic waits for.
 */
import { type SessionEvent, SessionEventType } from '../../proto/gen/wifidirect/v1/session.js';
import { hasEnded } from '../harness/session-history.js';
import { StreamValidator } from '../harness/validator.js';
import type { RawConnection } from './raw-client.js';
import { sequenceOf } from './raw-client.js';

export class Truth {
  readonly validator = new StreamValidator();
  /** Where two were told different things of one event. */
  readonly differences: string[] = [];
  /** What was said of each event, by whoever heard of it first. */
  readonly #told = new Map<bigint, string>();
  readonly #sessions = new Map<bigint, string>();
  /** The last event of each session. */
  readonly #last = new Map<string, SessionEvent>();
  /** Renewals before a later one: who resumes need not be told of them. */
  readonly #superseded = new Set<bigint>();
  readonly #ended = new Set<string>();
  #position = 0n;
  readonly #waiting: (() => void)[] = [];

  /** Resolves when it has begun. */
  async watch(connection: RawConnection): Promise<void> {
    this.validator.connected('');
    connection.watch({ bookmarkInterval: { seconds: 1n } }).read((message) => {
      this.validator.message(message);
      for (const event of message.events) this.#hear(event);
      if (message.cursor !== '') this.#position = sequenceOf(message.cursor);
      for (const wake of this.#waiting.splice(0)) wake();
    });
    await this.next();
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Resolves when something more has come. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves when the session has ended. */
  async ended(sessionId: string): Promise<void> {
    while (!this.#ended.has(sessionId)) await this.next();
  }

  /** Resolves when everything up to this cursor has come. */
  async reached(cursor: string): Promise<void> {
    while (this.#position < sequenceOf(cursor)) await this.next();
  }

  /** Somebody has heard of an event; it must be the same for all. */
  compare({ sequence, type, session, time, cause }: SessionEvent): void {
    const { sessionId, state, end } = session ?? {};
    const said = `${type} ${sessionId} ${state} ${end?.reason} ${time?.getTime()} ${cause?.source}`;
    const before = this.#told.get(sequence);
    if (before === undefined) this.#told.set(sequence, said);
    else if (before !== said) this.differences.push(`event ${sequence} is "${before}" to one and "${said}" to another`);
  }

  /** The events of these sessions after a position that everybody must have been told of. */
  *lasting(after: bigint, sessionIds: ReadonlySet<string>): Iterable<bigint> {
    for (const [sequence, id] of this.#sessions) {
      if (sequence > after && sessionIds.has(id) && !this.#superseded.has(sequence)) yield sequence;
    }
  }

  #hear(event: SessionEvent): void {
    const id = event.session?.sessionId ?? '';
    this.compare(event);
    this.#sessions.set(event.sequence, id);
    const before = this.#last.get(id);
    this.#last.set(id, event);
    const isRenewal = (each: SessionEvent | undefined) => each?.type === SessionEventType.LEASE_RENEWED;
    if (before !== undefined && isRenewal(before) && isRenewal(event)) this.#superseded.add(before.sequence);
    if (hasEnded(event)) this.#ended.add(id);
  }
}
