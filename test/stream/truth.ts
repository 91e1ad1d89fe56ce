/** What happened, as one watcher heard it who never left: what every other must have heard, and what traffic waits for. */
import type { SessionEvent } from '../../clients/typescript/src/gen/wifidirect/v1/session.js';
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

  /** How many events of these sessions came after a position. */
  count(after: bigint, sessionIds: ReadonlySet<string>): number {
    let count = 0;
    for (const [sequence, id] of this.#sessions) if (sequence > after && sessionIds.has(id)) count += 1;
    return count;
  }

  #hear(event: SessionEvent): void {
    const id = event.session?.sessionId ?? '';
    this.compare(event);
    this.#sessions.set(event.sequence, id);
    if (hasEnded(event)) this.#ended.add(id);
  }
}
