/**
 * Requests and answers in transit over HTTP/2, and how much memory each one holds: see
 * `api/in-flight-bytes.ts`.
 *
 * The bound never ends calls whose messages pass quickly: only a call that holds much memory itself
 * can be ended.
 */
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';
import type { InFlightBytes } from '../api/in-flight-bytes.js';
import type { Fault } from '../fault.js';
import { once } from '../once.js';
import { faultToGrpcStatus } from './status.js';
import { http2StreamOf } from './wire.js';

type Refuse = (outcome: Parameters<ServerInterceptingCallInterface['sendStatus']>[0]) => void;

/** One flow-control window, which every stream may fill anyway. */
const FREE_BYTES = 65_536;
/**
 * Requests on one stream without an answer in between. A client has no good reason to send more.
 */
const UNANSWERED_MAX = 100;

export class InFlightMessages {
  readonly #bytes: InFlightBytes;
  #fresh: (IncomingRequest | OutgoingResponse)[] = [];

  constructor(bytes: InFlightBytes) {
    this.#bytes = bytes;
  }

  /**
   * A call has been admitted, and its request must arrive.
   *
   * @param isStream The client may send any number of requests; only the first has a time limit.
   *
   * @param refuse Ends the call with this status.
   */
  receive(call: object, isStream: boolean, refuse: Refuse): IncomingRequest {
    return this.#soon(new IncomingRequest(this.#bytes, call, isStream, refuse));
  }

  /** The answer to a unary call was written. */
  send(call: object): OutgoingResponse {
    return this.#soon(new OutgoingResponse(this.#bytes, call));
  }

  /**
   * Most messages are complete within the turn in which they begin, so only the others are watched.
   */
  #soon<T extends IncomingRequest | OutgoingResponse>(message: T): T {
    if (this.#fresh.length === 0) setImmediate(this.#watchFresh);
    this.#fresh.push(message);
    return message;
  }

  readonly #watchFresh = () => {
    const fresh = this.#fresh;
    this.#fresh = [];
    for (const message of fresh) message.watch();
  };
}

/** One request in transit. */
export class IncomingRequest {
  readonly #held: InFlightBytes;
  readonly #call: object;
  readonly #isStream: boolean;
  readonly #refuseWith: Refuse;
  #stream: ServerHttp2Stream | undefined;
  #due: NodeJS.Timeout | undefined;
  #isPending = true;
  #isOver = false;
  #bytes = 0;
  #unanswered = 0;

  constructor(held: InFlightBytes, call: object, isStream: boolean, refuse: Refuse) {
    this.#held = held;
    this.#call = call;
    this.#isStream = isStream;
    this.#refuseWith = refuse;
  }

  watch(): void {
    if (this.#isOver) return;
    const held = this.#held;
    if (this.#isPending) this.#due = setTimeout(() => this.#refuse(held.tooSlow()), held.limits.transitMs);
    this.#stream = http2StreamOf(this.#call)?.on('data', this.#count);
  }

  /** A message is complete. */
  message(): void {
    if (!this.#isStream) return;
    this.#isPending = false;
    clearTimeout(this.#due);
    this.#release();
    this.#unanswered += 1;
    if (this.#unanswered > UNANSWERED_MAX) reset(http2StreamOf(this.#call));
  }

  /** A message of an answer is sent. */
  answered(): void {
    this.#unanswered -= 1;
  }

  /** The request is complete, or nobody waits for it. */
  readonly end = once(() => {
    this.#isOver = true;
    clearTimeout(this.#due);
    this.#stream?.off('data', this.#count);
    this.#release();
  });

  readonly #count = ({ length }: Buffer) => {
    this.#bytes += length;
    this.#held.total += length;
    if (this.#held.isFull && this.#bytes > FREE_BYTES) this.#refuse(this.#held.tooMuch());
  };

  #refuse(fault: Fault): void {
    this.end();
    this.#refuseWith(faultToGrpcStatus(fault));
  }

  #release(): void {
    this.#held.total -= this.#bytes;
    this.#bytes = 0;
  }
}

/** The answer to a unary call in transit. */
export class OutgoingResponse {
  readonly #held: InFlightBytes;
  readonly #call: object;
  #due: NodeJS.Timeout | undefined;
  #isOver = false;
  #bytes = 0;

  constructor(held: InFlightBytes, call: object) {
    this.#held = held;
    this.#call = call;
  }

  watch(): void {
    const stream = http2StreamOf(this.#call);
    if (this.#isOver || stream === undefined) return;
    this.#due = setTimeout(() => reset(stream), this.#held.limits.transitMs);
    this.#bytes = stream.writableLength;
    this.#held.total += this.#bytes;
    if (this.#held.isFull && this.#bytes > FREE_BYTES) reset(stream);
  }

  /** The client has taken it, or nobody waits for it. */
  readonly end = once(() => {
    this.#isOver = true;
    clearTimeout(this.#due);
    this.#held.total -= this.#bytes;
  });
}

/**
 * Resets rather than sends a status, which would queue behind data that the client is not reading.
 */
function reset(stream: ServerHttp2Stream | undefined): void {
  stream?.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
}
