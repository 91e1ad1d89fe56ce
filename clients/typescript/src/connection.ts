/**
 * The way to one host: address, TLS and credentials in, calls out, each as a Promise or an Observable.
 *
 * The rule that must not be broken: no credential leaves in clear text, but to this machine itself.
 */
import {
  CallCredentials,
  ChannelCredentials,
  type ChannelOptions,
  Client,
  Metadata,
  type MethodDefinition,
  status,
} from '@grpc/grpc-js';
import { catchError, firstValueFrom, NEVER, Observable, Subject, takeUntil } from 'rxjs';
import { BoundedConnect } from './bounded-connect.js';
import { GatewayError } from './error.js';
import {
  type ConnectOptions,
  checkAddress,
  checkTimeout,
  faultOfToken,
  invalid,
  isThisMachine,
  messageOf,
  secure,
  TIMER_MS_MAX,
} from './options.js';

export interface CallOptions {
  /** Ends the call: GatewayError CANCELLED, with the signal's reason as its `cause`. What was begun on the host goes on. */
  readonly signal?: AbortSignal | undefined;
  /** Deadline of this call: less than 24 days, or Infinity for none. */
  readonly timeoutMs?: number | undefined;
}

/** How one RPC is called and its messages are written: an entry of a generated service. */
export type Method<Request, Response> = Pick<
  MethodDefinition<Request, Response>,
  'path' | 'requestSerialize' | 'responseDeserialize'
>;

const TIMEOUT_MS_DEFAULT = 10_000;
const CONNECT_TIMEOUT_MS_DEFAULT = 10_000;

/** A host that vanished without a word is noticed within 30 s: watches have no deadline that would tell. */
const KEEPALIVE: ChannelOptions = { 'grpc.keepalive_time_ms': 20_000, 'grpc.keepalive_timeout_ms': 10_000 };

/** Calls fail at once while the channel waits to reconnect, so it must not wait longer than a watch does. */
const RECONNECT: ChannelOptions = { 'grpc.initial_reconnect_backoff_ms': 250, 'grpc.max_reconnect_backoff_ms': 10_000 };

export class Connection {
  /** Replaced when TCP gets no answer. */
  #client: Client;
  readonly #credentials: CallCredentials;
  readonly #timeoutMs: number;
  readonly #metadata: ConnectOptions['metadata'];
  readonly #closing = new Subject<never>();
  readonly #noAnswer: string;
  #isClosed = false;

  constructor(address: string, options: ConnectOptions) {
    const { tls, token, metadata, channelOptions } = options;
    const { timeoutMs = TIMEOUT_MS_DEFAULT, connectTimeoutMs = CONNECT_TIMEOUT_MS_DEFAULT } = options;
    checkAddress(address);
    checkTimeout('timeoutMs', timeoutMs, { isForever: true });
    checkTimeout('connectTimeoutMs', connectTimeoutMs);
    const isLocal = isThisMachine(address);
    const isSecure = tls === undefined ? !isLocal : tls !== false;
    if (token !== undefined && !isSecure && !isLocal)
      throw invalid('token', `would reach ${address} in clear text; use TLS.`);
    const serverName = typeof tls === 'object' ? tls.serverName : undefined;
    this.#timeoutMs = timeoutMs;
    this.#metadata = metadata;
    this.#noAnswer = `No connection established: ${address} gave no answer within ${connectTimeoutMs} ms.`;
    this.#credentials = token === undefined ? CallCredentials.createEmpty() : bearer(token);
    const credentials = isSecure ? secure(typeof tls === 'object' ? tls : {}) : ChannelCredentials.createInsecure();
    const bounded = new BoundedConnect(credentials, connectTimeoutMs, () => this.#reconnect(make));
    const make = (): Client =>
      new Client(address, bounded, {
        ...KEEPALIVE,
        ...RECONNECT,
        ...(isLocal && { 'grpc.enable_http_proxy': 0 }),
        ...(serverName !== undefined && { 'grpc.ssl_target_name_override': serverName }),
        // Shared, the attempts of a channel that was replaced would go on in the next.
        'grpc.use_local_subchannel_pool': 1,
        ...channelOptions,
      });
    try {
      this.#client = make();
    } catch (error) {
      throw invalid('address', messageOf(error), error);
    }
  }

  unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    { signal, timeoutMs = this.#timeoutMs }: CallOptions = {},
  ): Promise<Response> {
    // Of what it can't write, grpc-js throws where nobody can catch it.
    if (!(timeoutMs <= TIMER_MS_MAX || timeoutMs === Number.POSITIVE_INFINITY))
      return Promise.reject(invalid('timeoutMs', 'it must be less than 24 days, or Infinity.'));
    const { path, requestSerialize, responseDeserialize } = method;
    const response = new Observable<Response>((subscriber) => {
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        this.#toSend(),
        { credentials: this.#credentials, deadline: Date.now() + timeoutMs },
        (error, value) => (value === undefined ? subscriber.error(error) : subscriber.next(value)),
      );
      return () => cancelSoon(call);
    });
    return firstValueFrom(this.#withErrorsDecoded(response).pipe(takeUntil(aborted(signal))));
  }

  /** Cold: each subscription is a call of its own, and unsubscribing cancels it. */
  stream<Request, Response>(method: Method<Request, Response>, request: Request): Observable<Response> {
    const { path, requestSerialize, responseDeserialize } = method;
    const responses = new Observable<Response>((subscriber) => {
      const call = this.#client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        this.#toSend(),
        { credentials: this.#credentials },
      );
      // Reading begins here and is never paused: grpc-js would buffer without bound what comes before.
      call.on('data', (response: Response) => subscriber.next(response));
      call.on('error', (error) => subscriber.error(error));
      call.on('end', () => subscriber.complete());
      return () => cancelSoon(call);
    });
    return this.#withErrorsDecoded(responses);
  }

  close(): void {
    this.#isClosed = true;
    this.#closing.error(new GatewayError(status.CANCELLED, 'The client was closed.'));
    this.#client.close();
  }

  /** The source, ended with CANCELLED when the connection is closed. */
  untilClosed<Item>(source: Observable<Item>): Observable<Item> {
    return source.pipe(takeUntil(this.#closing));
  }

  /** The calls that wait fail with UNAVAILABLE; those that have reached the host go on. */
  #reconnect(make: () => Client): void {
    if (this.#isClosed) return;
    const before = this.#client;
    this.#client = make();
    before.close();
  }

  /** What grpc-js tells calls that waited for a channel that was closed, as it is when it is replaced. */
  #isOfReplaced(error: unknown): boolean {
    return !this.#isClosed && error instanceof Error && error.message.includes('Channel closed before call started');
  }

  /** What the hook gives. */
  #toSend(): Metadata {
    const metadata = new Metadata();
    try {
      for (const [name, value] of Object.entries(this.#metadata?.() ?? {})) metadata.set(name, value);
    } catch (error) {
      throw new GatewayError(status.UNAVAILABLE, `The hook for metadata failed: ${messageOf(error)}`, {}, error);
    }
    return metadata;
  }

  #withErrorsDecoded<Response>(responses: Observable<Response>): Observable<Response> {
    return this.untilClosed(responses).pipe(
      catchError((error: unknown) => {
        if (this.#isOfReplaced(error)) throw new GatewayError(status.UNAVAILABLE, this.#noAnswer, {}, error);
        throw GatewayError.from(error);
      }),
    );
  }
}

/**
 * A cancel in the turn in which its call was begun is lost in grpc-js (1.14): the call goes out all the same, and then nothing ends it.
 * By the next turn it has been sent, or will not be.
 */
function cancelSoon(call: { cancel(): void }): void {
  setImmediate(() => call.cancel());
}

/** Errors when the signal is aborted, and never emits. */
function aborted(signal: AbortSignal | undefined): Observable<never> {
  if (signal === undefined) return NEVER;
  return new Observable((subscriber) => {
    const abort = (): void =>
      subscriber.error(new GatewayError(status.CANCELLED, 'The caller aborted the call.', {}, signal.reason));
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort);
    return () => signal.removeEventListener('abort', abort);
  });
}

function bearer(token: string | (() => string | Promise<string>)): CallCredentials {
  const fault = typeof token === 'string' ? faultOfToken(token) : undefined;
  if (fault !== undefined) throw invalid('token', fault);
  const current = async (): Promise<string> => {
    const value = typeof token === 'string' ? token : await token();
    const fault = faultOfToken(value);
    if (fault !== undefined) throw new Error(`the token is wrong: ${fault}`);
    return value;
  };
  return CallCredentials.createFromMetadataGenerator((_, done) => {
    current().then(
      (value) => {
        const metadata = new Metadata();
        metadata.set('authorization', `Bearer ${value}`);
        done(null, metadata);
      },
      // What gives tokens may be back soon, so a watch must not give up.
      (error: unknown) => done(Object.assign(new Error(messageOf(error)), { code: status.UNAVAILABLE })),
    );
  });
}
