/**
 * Where the messages of one stream come from. The stream asks for them, so nothing queues up
 * between the two.
 */
import type { Observable } from 'rxjs';
import type { Logged } from '../events/log.js';
import type { Fault } from '../fault.js';

export interface Source<Message> {
  /** The next message; undefined if there is none now. */
  next(): Message | undefined;
  /** Emits when `next` may have more. Never from within `next`. */
  readonly ready: Observable<unknown>;
  /**
   * Asked when there is no message: the stream is over, well or with a fault. Undefined: it goes
   * on.
   */
  outcome(): { readonly fault: Fault | undefined } | undefined;
  /** Nobody reads any more. */
  close(): void;
  /** Of a source that reads events. */
  readonly backlog?: Backlog<Message>;
}

/** What a source of events can say about those that wait to be read. */
export interface Backlog<Message> {
  /** How many events wait. */
  readonly waiting: number;
  /**
   * The fault that ends the stream if more events wait than may. Asked while the wire takes
   * nothing.
   */
  overflow(): Fault | undefined;
  /** The events in a message. */
  eventsIn(message: Message): readonly Logged[];
  /** Where the reader can go on later: metadata for the fault that ends the stream. */
  resumePoint(): Readonly<Record<string, string>>;
}
