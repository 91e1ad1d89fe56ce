/**
 * The source of the messages of one stream. The stream requests each message, so none queue up in
 * between.
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
   * How the stream ends, well or with a fault; undefined if it goes on. Called when there is no
   * message.
   */
  outcome(): { readonly fault: Fault | undefined } | undefined;
  /** Nobody reads from the source any more. */
  close(): void;
  /** Present if the source reads events. */
  readonly backlog?: Backlog<Message>;
}

/** The events that wait to be read. */
export interface Backlog<Message> {
  /** How many events wait. */
  readonly waiting: number;
  /**
   * The fault that ends the stream if too many events wait. Called while the wire takes nothing.
   */
  overflow(): Fault | undefined;
  /** The events in a message. */
  eventsIn(message: Message): readonly Logged[];
  /** Metadata for the fault that ends the stream: where the client can resume. */
  resumePoint(): Readonly<Record<string, string>>;
}
