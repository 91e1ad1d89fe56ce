/**
 * Messages on their way: requests that come a byte at a time or never to their end, answers that nobody takes. Each holds memory while it
 * lasts; so there is a time for it, and a bound on what all of them hold together.
 *
 * The bound never meets those whose messages pass at once: only a call that holds much itself can be the one that is ended.
 */
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';
import type { Fault } from '../fault.js';
import { once } from '../once.js';
import { toStatus } from './status.js';
import { http2StreamOf } from './wire.js';

export interface TransitLimits {
  readonly transitMs: number;
  readonly transitBytesMax: number;
}

type Refuse = (outcome: Parameters<ServerInterceptingCallInterface['sendStatus']>[0]) => void;

/** What one flow-control window holds anyway. */
const FREE_BYTES = 65_536;
/** A client that sends more requests on one stream while it takes no answers has no good reason to. */
const UNANSWERED_MAX = 100;

export class Transit {
  readonly limits: TransitLimits;
  /** Held by all together. */
  bytes = 0;
  #fresh: (Arrival | Departure)[] = [];

  constructor(limits: TransitLimits) {
    this.limits = limits;
  }

  get isFull(): boolean {
    return this.bytes > this.limits.transitBytesMax;
  }

  /**
   * A call has been let in, and its request is due.
   *
   * @param isStream The client sends as many as it likes: only the first is due.
   * @param refuse Ends the call with this status.
   */
  arrive(call: object, isStream: boolean, refuse: Refuse): Arrival {
    return this.#soon(new Arrival(this, call, isStream, refuse));
  }

  /** The answer to a unary call was written. */
  depart(call: object): Departure {
    return this.#soon(new Departure(this, call));
  }

  /** Nearly all are over within the turn in which they begin; only the others are looked at. */
  #soon<T extends Arrival | Departure>(passage: T): T {
    if (this.#fresh.length === 0) setImmediate(this.#look);
    this.#fresh.push(passage);
    return passage;
  }

  readonly #look = () => {
    const fresh = this.#fresh;
    this.#fresh = [];
    for (const passage of fresh) passage.watch();
  };
}

/** One request on its way in. */
export class Arrival {
  readonly #transit: Transit;
  readonly #call: object;
  readonly #isStream: boolean;
  readonly #refuseWith: Refuse;
  #stream: ServerHttp2Stream | undefined;
  #due: NodeJS.Timeout | undefined;
  #isDue = true;
  #isOver = false;
  #bytes = 0;
  #unanswered = 0;

  constructor(transit: Transit, call: object, isStream: boolean, refuse: Refuse) {
    this.#transit = transit;
    this.#call = call;
    this.#isStream = isStream;
    this.#refuseWith = refuse;
  }

  watch(): void {
    if (this.#isOver) return;
    const { limits } = this.#transit;
    if (this.#isDue) this.#due = setTimeout(() => this.#refuse(tooSlow(limits)), limits.transitMs);
    this.#stream = http2StreamOf(this.#call)?.on('data', this.#see);
  }

  /** A message is whole. */
  message(): void {
    if (!this.#isStream) return;
    this.#isDue = false;
    clearTimeout(this.#due);
    this.#release();
    this.#unanswered += 1;
    if (this.#unanswered > UNANSWERED_MAX) reset(http2StreamOf(this.#call));
  }

  /** A message of an answer goes out. */
  answered(): void {
    this.#unanswered -= 1;
  }

  /** All of the request is there, or nobody waits for it. */
  readonly end = once(() => {
    this.#isOver = true;
    clearTimeout(this.#due);
    this.#stream?.off('data', this.#see);
    this.#release();
  });

  readonly #see = ({ length }: Buffer) => {
    this.#bytes += length;
    this.#transit.bytes += length;
    if (this.#transit.isFull && this.#bytes > FREE_BYTES) this.#refuse(tooMuch(this.#transit.limits));
  };

  #refuse(fault: Fault): void {
    this.end();
    this.#refuseWith(toStatus(fault));
  }

  #release(): void {
    this.#transit.bytes -= this.#bytes;
    this.#bytes = 0;
  }
}

/** The answer to a unary call on its way out. */
export class Departure {
  readonly #transit: Transit;
  readonly #call: object;
  #due: NodeJS.Timeout | undefined;
  #isOver = false;
  #bytes = 0;

  constructor(transit: Transit, call: object) {
    this.#transit = transit;
    this.#call = call;
  }

  watch(): void {
    const stream = http2StreamOf(this.#call);
    if (this.#isOver || stream === undefined) return;
    this.#due = setTimeout(() => reset(stream), this.#transit.limits.transitMs);
    this.#bytes = stream.writableLength;
    this.#transit.bytes += this.#bytes;
    if (this.#transit.isFull && this.#bytes > FREE_BYTES) reset(stream);
  }

  /** It has been taken, or nobody waits for it. */
  readonly end = once(() => {
    this.#isOver = true;
    clearTimeout(this.#due);
    this.#transit.bytes -= this.#bytes;
  });
}

/** No status could overtake what is not taken. */
function reset(stream: ServerHttp2Stream | undefined): void {
  stream?.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
}

function tooSlow({ transitMs }: TransitLimits): Fault {
  const value = `${transitMs / 1000}s`;
  return exceeded('transit_max', value, `The request was not there after ${value}.`);
}

function tooMuch({ transitBytesMax }: TransitLimits): Fault {
  const value = String(transitBytesMax);
  return exceeded('transit_bytes_max', value, `Messages on their way hold ${value} bytes already; try again.`);
}

function exceeded(limit: string, value: string, message: string): Fault {
  return {
    reason: 'QUOTA_EXCEEDED',
    message,
    metadata: { subject: 'host', limit, limit_value: value },
    quota: { subject: 'host', description: `${limit} is ${value}` },
  };
}
