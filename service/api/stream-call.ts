/**
 * Runs a streaming method: moves messages from its source to a wire, with back-pressure,
 * cancellation and an end.
 *
 * The source is asked for the next message only when the wire takes one, so nothing queues up here.
 * A status cannot overtake messages that the client does not read. So if the client reads neither,
 * the stream is reset after a grace.
 *
 * Invariant: `onClosed` is the only place of clean-up, because a cancelled call may never call
 * back.
 */
import type { Status } from '../../proto/gen/google/rpc/status.js';
import { toStatus } from '../codec/status.js';
import type { Fault } from '../fault.js';
import { once } from '../once.js';
import { type CallServices, checkRate, toErrorStatus } from './call-services.js';
import type { Context, StreamMethod } from './method.js';
import type { Source } from './source.js';

/** The sending half of a stream on a wire. */
export interface Sink<Message> {
  /** Tells the client that the stream exists. */
  establish(): void;
  /** Calls `taken` when the wire can take more. */
  write(message: Message, taken: () => void): void;
  /** Ends the stream with this status, or with OK. */
  end(status?: Status): void;
  /** Ends the stream without a status, if the client reads nothing. */
  reset(): void;
  /** The stream has ended, or its client has gone. */
  onClosed(listener: () => void): void;
}

/**
 * Messages that the wire has not taken yet. With one, the wire would be idle between two messages.
 * More would take memory for a client that does not read.
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
    if (fault?.reason === 'WATCHER_TOO_SLOW') observer.onSlowReaderEnded(rpc);
    sink.end(fault && toStatus(fault));
    const grace = setTimeout(() => sink.reset(), graceMs).unref();
    sink.onClosed(() => clearTimeout(grace));
  };
  // A status overtakes messages that are still in this process, so it waits for them, with a limit.
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
      // Events from before this stream are not counted.
      if (arrivedMs > startMs) observer.onCallbackWritten(rpc, performance.now() - arrivedMs);
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
