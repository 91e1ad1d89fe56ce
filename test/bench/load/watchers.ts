/** Many watches on one connection, and one count of the events that they deliver. */

import { watchSessions } from './calls.js';
import type { Connection } from './connection.js';

const EVENTS = (1 << 3) | 2;
const SNAPSHOT_COMPLETE = 4 << 3;

/** Hears of the events of one message, as it arrives. */
type Delivered = (events: number) => void;

export class Watchers {
  #messages = 0;
  #delivered: Delivered = () => {};
  #ended: (error: Error) => void = () => {};

  /** Resolves when every watch has its snapshot. */
  static async open(connection: Connection, count: number): Promise<Watchers> {
    const watchers = new Watchers();
    const call = watchSessions();
    const stand = () =>
      new Promise<void>((resolve, reject) => {
        connection.start(call, {
          message: (bytes) => {
            const { events, isSnapshotComplete } = read(bytes);
            if (isSnapshotComplete) resolve();
            watchers.#hear(events);
          },
          end: () => {
            const error = new Error('a watch has ended');
            reject(error);
            watchers.#ended(error);
          },
        });
      });
    await Promise.all(Array.from({ length: count }, stand));
    return watchers;
  }

  /** Messages with events so far. */
  get messages(): number {
    return this.#messages;
  }

  /** Resolves when so many more events have been delivered. */
  delivery(count: number, each: Delivered = () => {}): Promise<void> {
    let left = count;
    const delivery = new Promise<void>((resolve, reject) => {
      this.#ended = reject;
      this.#delivered = (events) => {
        each(events);
        left -= events;
        if (left === 0) resolve();
      };
    });
    // The caller can fail before it waits for the delivery.
    delivery.catch(() => {});
    return delivery;
  }

  #hear(events: number): void {
    if (events === 0) return;
    this.#messages += 1;
    this.#delivered(events);
  }
}

/** Reads no more of a WatchSessionsResponse than which fields it has. */
function read(bytes: Buffer): { readonly events: number; readonly isSnapshotComplete: boolean } {
  let events = 0;
  let isSnapshotComplete = false;
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes.readUInt8(at);
    let value = 0;
    let shift = 0;
    let byte = 0x80;
    for (at += 1; byte >= 0x80; at += 1, shift += 7) {
      byte = bytes.readUInt8(at);
      value |= (byte & 0x7f) << shift;
    }
    if (tag === EVENTS) events += 1;
    if (tag === SNAPSHOT_COMPLETE) isSnapshotComplete = true;
    // All but this one flag are of the kind that begins with its length.
    else at += value;
  }
  return { events, isSnapshotComplete };
}
