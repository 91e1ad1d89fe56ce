/**
 * A source of messages into `call.write`, with back-pressure, cancel and an end.
 *
 * The stream pulls: it asks the source for the next message only when the wire takes one, so nothing queues up here. The rules that must
 * not be broken: 'close' is the one place of clean-up (a cancelled call may never call back), and a stream whose reader takes neither
 * messages nor its status is reset after a grace, since a status can't overtake unread messages.
 */
import { constants } from 'node:http2';
import { type handleServerStreamingCall, Metadata, type ServerWritableStream } from '@grpc/grpc-js';
import type { Observable } from 'rxjs';
import type { Caller } from '../access/caller.js';
import type { Logged } from '../events/log.js';
import type { Fault } from '../fault.js';
import { type GiveBack, once } from '../once.js';
import { type Context, type Edge, paced, settle } from './edge.js';
import { toStatus } from './status.js';
import { http2StreamOf } from './wire.js';

/** Where the messages of one stream come from. */
export interface Source<Message> {
  /** The next message; undefined where there is none now. */
  next(): Message | undefined;
  /** Emits when `next` may have more. Never from within `next`. */
  readonly ready: Observable<unknown>;
  /** Asked after the last message: the stream is over, well or with a fault. */
  ended(): { readonly fault: Fault | undefined } | undefined;
  /** How many events wait to be read. */
  readonly waiting: number;
  /** Asked while the wire takes nothing: more waits than may. */
  behind(): Fault | undefined;
  /** The events in a message. */
  carried(message: Message): readonly Logged[];
  /** What a stream that the host ends is told beside the reason. */
  position(): Readonly<Record<string, string>>;
  /** Nobody reads any more. */
  close(): void;
}

type Waiting = Pick<Source<never>, 'waiting'>;

/** The streams that are open, so that they can be ended together. */
export class OpenStreams {
  readonly #all = new Map<(fault: Fault) => void, { readonly caller: Caller; readonly source: Waiting }>();
  /** All have been ended, for good. */
  #over: Fault | undefined;

  get size(): number {
    return this.#all.size;
  }

  /** How many events wait for the stream that is furthest behind. */
  get waitingMost(): number {
    let most = 0;
    for (const { source } of this.#all.values()) most = Math.max(most, source.waiting);
    return most;
  }

  /** Who comes when all have been ended is ended, too, once it stands. */
  add(caller: Caller, source: Waiting, stop: (fault: Fault) => void): GiveBack {
    this.#all.set(stop, { caller, source });
    const over = this.#over;
    if (over !== undefined) queueMicrotask(() => stop(over));
    return once(() => this.#all.delete(stop));
  }

  /** Ends the streams of the callers that are meant with this fault, after what is ready for them. */
  stop(fault: Fault, isMeant: (caller: Caller) => boolean): void {
    for (const [stop, { caller }] of [...this.#all]) if (isMeant(caller)) stop(fault);
  }

  /** The same for every stream, those to come as well. */
  stopAll(fault: Fault): void {
    this.#over = fault;
    this.stop(fault, () => true);
  }
}

export function serverStream<Request, Message>(
  edge: Edge,
  rpc: string,
  graceMs: number,
  start: (request: Request, context: Context) => Source<Message>,
): handleServerStreamingCall<Request, Message> {
  return (call) => {
    call.on('error', () => {});
    const trace = edge.traceOf(call);
    try {
      const caller = edge.callerOf(call);
      paced(edge, rpc, caller.principal);
      const context = { caller, rpc, metadata: call.metadata, trace };
      const told = {
        tooSlow: () => edge.observer.slowReaderEnded(rpc),
        callbackWritten: (latencyMs: number) => edge.observer.callbackWritten(rpc, latencyMs),
      };
      pump(call, start(call.request, context), edge.streams, caller, graceMs, told);
    } catch (error) {
      call.emit('error', settle(error, rpc, edge.log, trace));
    }
  };
}

/**
 * Messages given to the wire and not yet taken by it. One would leave the wire idle between two; more would be memory that a
 * reader who does not read costs.
 */
const UNSENT_MAX = 2;

function pump<Request, Message>(
  call: ServerWritableStream<Request, Message>,
  source: Source<Message>,
  streams: OpenStreams,
  caller: Caller,
  graceMs: number,
  told: { tooSlow(): void; callbackWritten(latencyMs: number): void },
): void {
  const startMs = performance.now();
  let unsent = 0;
  let isOver = false;
  let stopping: Fault | undefined;
  let lastCall: NodeJS.Timeout | undefined;

  const finish = (fault: Fault | undefined) => {
    if (isOver) return;
    leave();
    if (fault?.reason === 'WATCHER_TOO_SLOW') told.tooSlow();
    if (fault === undefined) call.end();
    else call.emit('error', toStatus(fault));
    const grace = setTimeout(() => reset(call), graceMs);
    grace.unref();
    call.once('close', () => clearTimeout(grace));
  };
  // A status overtakes messages that are still in this process, so it waits for them; not for ever.
  const finishAfterMessages = (fault: Fault | undefined) => {
    if (unsent === 0) finish(fault);
    else lastCall ??= setTimeout(() => finish(fault), graceMs).unref();
  };
  const sent = () => {
    unsent -= 1;
    flow();
  };
  const flow = () => {
    while (!isOver && unsent < UNSENT_MAX) {
      const message = source.next();
      if (message === undefined) {
        const end = source.ended() ?? (stopping && { fault: stopping });
        if (end !== undefined) finishAfterMessages(end.fault);
        return;
      }
      unsent += 1;
      call.write(message, sent);
      for (const { arrivedMs = 0 } of source.carried(message)) {
        // What came before this stream is no news to it.
        if (arrivedMs > startMs) told.callbackWritten(performance.now() - arrivedMs);
      }
    }
    if (isOver) return;
    const fault = source.behind();
    if (fault !== undefined) finish(fault);
    else if (stopping !== undefined) finishAfterMessages(stopping);
  };
  const stop = (fault: Fault) => {
    stopping = { ...fault, metadata: { ...fault.metadata, ...source.position() } };
    flow();
  };
  const remove = streams.add(caller, source, stop);
  const leave = once(() => {
    isOver = true;
    clearTimeout(lastCall);
    remove();
    subscription.unsubscribe();
    source.close();
  });

  call.once('close', leave);
  const subscription = source.ready.subscribe(flow);
  // Headers at once: they tell the client that the stream stands.
  call.sendMetadata(new Metadata());
  flow();
}

/** Resets one HTTP/2 stream; one that can't be found stays, and keepalive finds it. */
function reset(call: object): void {
  http2StreamOf(call)?.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
}
