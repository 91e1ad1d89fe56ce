/**
 * Runs a streaming method: pulls messages from its source into a wire, with back-pressure, cancel
 * and an end.
 *
 * The source is asked for the next message only when the wire takes one, so nothing queues up here.
 * A stream whose reader takes neither messages nor its status is reset after a grace, since a
 * status can't overtake messages that are not read.
 *
 * Invariant: `onClosed` is the one place of clean-up, since a call that was cancelled may never
 * call back.
 */
import type { Status } from '../../proto/gen/google/rpc/status.js';
import { toStatus } from '../codec/status.js';
import type { Fault } from '../fault.js';
import { once } from '../once.js';
import { type CallServices, checkRate, toErrorStatus } from './call-services.js';
import type { Context, StreamMethod } from './method.js';
import type { Source } from './source.js';

/** The sending half of a stream, as a wire has it. */
export interface Sink<Message> {
  /** Tells the client that the stream is set up. */
  establish(): void;
  /** `taken` is called when the wire can take more. */
  write(message: Message, taken: () => void): void;
  /** Ends it with this status; without one it is OK. */
  end(status?: Status): void;
  /** Ends it without a status, for a reader who takes nothing. */
  reset(): void;
  /** The stream has ended, or its client has gone. */
  onClosed(listener: () => void): void;
}

/**
 * Messages given to the wire and not yet taken by it. One would leave the wire idle between two;
 * more would be memory that a reader who does not read costs.
 */
const UNSENT_MAX = 2;

export function runStream<Request, Message>(
  services: CallServices,
  method: StreamMethod<Request, Message>,
  request: Request,
  context: Context,
  sink: Sink<Message>,
): void {
  const { caller, rpc, trace } = context;
  try {
    checkRate(services, method, caller.principal);
    pump(services, method.open(request, context), context, sink, method.graceMs);
  } catch (error) {
    sink.end(toErrorStatus(error, rpc, services.log, trace));
  }
}

function pump<Message>(
  { streams, observer }: CallServices,
  source: Source<Message>,
  { caller, rpc }: Context,
  sink: Sink<Message>,
  graceMs: number,
): void {
  const startMs = performance.now();
  const { backlog } = source;
  let unsent = 0;
  let isOver = false;
  let stopping: Fault | undefined;
  let lastCall: NodeJS.Timeout | undefined;

  const finish = (fault: Fault | undefined) => {
    if (isOver) return;
    leave();
    if (fault?.reason === 'WATCHER_TOO_SLOW') observer.slowReaderEnded(rpc);
    sink.end(fault && toStatus(fault));
    const grace = setTimeout(() => sink.reset(), graceMs).unref();
    sink.onClosed(() => clearTimeout(grace));
  };
  // A status overtakes messages that are still in this process, so it waits for them, but not for
  // ever.
  const finishAfterMessages = (fault: Fault | undefined) => {
    if (unsent === 0) finish(fault);
    else lastCall ??= setTimeout(() => finish(fault), graceMs).unref();
  };
  const onTaken = () => {
    unsent -= 1;
    flow();
  };
  const observeEvents = (message: Message) => {
    for (const { arrivedMs = 0 } of backlog?.eventsIn(message) ?? []) {
      // An event from before this stream is no news to it.
      if (arrivedMs > startMs) observer.callbackWritten(rpc, performance.now() - arrivedMs);
    }
  };
  const flow = () => {
    while (!isOver && unsent < UNSENT_MAX) {
      const message = source.next();
      if (message === undefined) {
        const end = source.outcome() ?? (stopping && { fault: stopping });
        if (end !== undefined) finishAfterMessages(end.fault);
        return;
      }
      unsent += 1;
      sink.write(message, onTaken);
      observeEvents(message);
    }
    if (isOver) return;
    const fault = backlog?.overflow();
    if (fault !== undefined) finish(fault);
    else if (stopping !== undefined) finishAfterMessages(stopping);
  };
  const remove = streams.add({ caller, waiting: () => backlog?.waiting ?? 0 }, (fault) => {
    stopping = { ...fault, metadata: { ...fault.metadata, ...backlog?.resumePoint() } };
    flow();
  });
  const leave = once(() => {
    isOver = true;
    clearTimeout(lastCall);
    remove();
    subscription.unsubscribe();
    source.close();
  });

  sink.onClosed(leave);
  const subscription = source.ready.subscribe(flow);
  sink.establish();
  flow();
}
