/**
 * A watcher that never stays: it leaves at any moment, in any way, and comes back where it was, or
 * earlier, or anew.
 */

import type { WatchSessionsResponse } from '../../proto/gen/wifidirect/v1/session_service.js';
import { StreamValidator } from '../harness/validator.js';
import type { Random } from './random.js';
import { RawConnection, type RawStream, sequenceOf } from './raw-client.js';
import type { Truth } from './truth.js';

const TURNS_MAX = 5;
const MESSAGES_MAX = 4;
const CURSORS_KEPT = 20;
const moments = ['at once', 'soon', 'headers', 'unread', 'message', 'message', 'message', 'message'] as const;

export class Restless {
  readonly #address: string;
  readonly #truth: Truth;
  readonly #random: Random;
  readonly #sessionIds: string[];
  readonly #validator: StreamValidator;
  /** The events that have come, and the last of its cursors. */
  readonly #heard = new Set<bigint>();
  readonly #cursors: string[] = [];
  /** The position of its first snapshot. */
  #began: bigint | undefined;
  #connection: RawConnection | undefined;

  /** @param sessionIds what it watches; none: all */
  constructor(address: string, truth: Truth, random: Random, sessionIds: string[]) {
    this.#address = address;
    this.#truth = truth;
    this.#random = random;
    this.#sessionIds = sessionIds;
    this.#validator = new StreamValidator({ filtered: sessionIds.length > 0 });
  }

  /** Comes, stays for a little, and leaves. */
  async visit(): Promise<void> {
    const random = this.#random;
    const moment = random.pick(moments);
    const stream = await this.#join(this.#whereToBegin());
    if (moment === 'soon') for (let turns = random.below(TURNS_MAX); turns >= 0; turns -= 1) await turn();
    if (moment === 'headers' || moment === 'unread') await stream.headers;
    if (moment === 'unread') await this.#truth.next();
    if (moment === 'message') {
      let left = 1 + random.below(MESSAGES_MAX);
      await this.#read(stream, () => {
        left -= 1;
        return left === 0;
      });
    }
    this.#leave(stream, random.isOneIn(4));
  }

  /** Comes back for the last time and reads to the end. The answer: how many events never came. */
  async finish(cursor: string): Promise<number> {
    const stream = await this.#join(this.#validator.cursor);
    await this.#read(stream, () => sequenceOf(this.#validator.cursor) >= sequenceOf(cursor));
    this.#leave(stream, true);
    this.#validator.finish(sequenceOf(cursor));
    // That nothing is lacking without a filter, the validator has seen.
    if (this.#sessionIds.length === 0 || this.#began === undefined) return 0;
    const due = [...this.#truth.lasting(this.#began, new Set(this.#sessionIds))];
    return due.filter((sequence) => !this.#heard.has(sequence)).length;
  }

  /** Mostly where it was; sometimes earlier; and, where it sees everything, sometimes anew. */
  #whereToBegin(): string {
    const [first, ...others] = this.#cursors;
    const isAnew = this.#sessionIds.length === 0 && this.#random.isOneIn(20);
    if (first === undefined || isAnew) return isAnew ? '' : this.#validator.cursor;
    return this.#random.isOneIn(10) ? this.#random.pick([first, ...others]) : this.#validator.cursor;
  }

  async #join(from: string): Promise<RawStream<WatchSessionsResponse>> {
    if (this.#connection === undefined || this.#connection.isClosed) {
      this.#connection = await RawConnection.open(this.#address);
    }
    const stream = this.#connection.watch({
      cursor: from,
      sessionIds: this.#sessionIds,
      bookmarkInterval: { seconds: 1n },
    });
    this.#validator.connected(from);
    return stream;
  }

  #leave(stream: RawStream<WatchSessionsResponse>, isWithoutAWord: boolean): void {
    if (isWithoutAWord) this.#connection?.cut();
    else stream.cancel();
    this.#validator.disconnected();
  }

  async #read(stream: RawStream<WatchSessionsResponse>, isEnough: () => boolean): Promise<void> {
    const validator = this.#validator;
    await new Promise<void>((resolve, reject) => {
      stream.read((message) => {
        validator.message(message);
        for (const event of message.events) this.#truth.compare(event);
        for (const { sequence } of message.events) this.#heard.add(sequence);
        if (validator.cursor !== '') {
          this.#began ??= sequenceOf(validator.cursor);
          this.#cursors.push(validator.cursor);
          this.#cursors.splice(0, this.#cursors.length - CURSORS_KEPT);
        }
        if (isEnough()) resolve();
      });
      void stream.ended.then(({ status, resetCode }) =>
        reject(new Error(`a watch ended by itself: ${status?.message ?? `reset with ${resetCode}`}`)),
      );
    });
  }
}

/** Resolves in a later turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
