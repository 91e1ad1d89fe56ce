/**
 * The connection to one host. Makes calls, as Promises or Observables.
 *
 * Invariant: credentials are never sent in clear text, except to this machine.
 */
import { CallCredentials, ChannelCredentials, type ChannelOptions, Client, Metadata, status } from '@grpc/grpc-js';
import { catchError, firstValueFrom, NEVER, Observable, Subject, takeUntil } from 'rxjs';
import { BoundedConnect } from './bounded-connect.js';
import { GatewayError } from './error.js';
import type { Method } from './methods.js';
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
  /**
   * Cancels the call. It then fails with CANCELLED, and `cause` is the signal's reason. Operations
   * that the host has started continue.
   */
  readonly signal?: AbortSignal | undefined;
  /** Timeout of this call in ms: less than 24 days, or Infinity for none. */
  readonly timeoutMs?: number | undefined;
}

const TIMEOUT_MS_DEFAULT = 10_000;
const CONNECT_TIMEOUT_MS_DEFAULT = 10_000;

/** Detects a host that disappeared within 30 s. Watches need this because they have no deadline. */
const KEEPALIVE: ChannelOptions = { 'grpc.keepalive_time_ms': 20_000, 'grpc.keepalive_timeout_ms': 10_000 };

/**
 * Calls fail at once while the channel waits to reconnect, so it must not wait longer than a watch
 * does.
 */
const RECONNECT: ChannelOptions = { 'grpc.initial_reconnect_backoff_ms': 250, 'grpc.max_reconnect_backoff_ms': 10_000 };

export class Connection {
  /** Replaced when a TCP connect gets no answer. */
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
      throw invalid('token', `it would be sent to ${address} in clear text; use TLS.`);
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
        // Otherwise connection attempts of a replaced channel would continue in the new one.
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
    // For an invalid deadline grpc-js throws where nobody can catch it.
    if (!(timeoutMs <= TIMER_MS_MAX || timeoutMs === Number.POSITIVE_INFINITY))
      return Promise.reject(invalid('timeoutMs', 'it must be less than 24 days, or Infinity.'));
    const { path, requestSerialize, responseDeserialize } = method;
    const response = new Observable<Response>((subscriber) => {
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        this.#outgoingMetadata(),
        { credentials: this.#credentials, deadline: Date.now() + timeoutMs },
        (error, value) => (value === undefined ? subscriber.error(error) : subscriber.next(value)),
      );
      return () => cancelSoon(call);
    });
    return firstValueFrom(this.#withErrorsDecoded(response).pipe(takeUntil(aborted(signal))));
  }

  /** Cold: each subscription makes its own call, and unsubscribing cancels that call. */
  stream<Request, Response>(method: Method<Request, Response>, request: Request): Observable<Response> {
    const { path, requestSerialize, responseDeserialize } = method;
    const responses = new Observable<Response>((subscriber) => {
      const call = this.#client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        this.#outgoingMetadata(),
        { credentials: this.#credentials },
      );
      // Never paused, because grpc-js would then buffer messages without a bound.
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

  /** Makes the source fail with CANCELLED when the connection is closed. */
  untilClosed<Item>(source: Observable<Item>): Observable<Item> {
    return source.pipe(takeUntil(this.#closing));
  }

  /**
   * Calls that wait for the connection fail with UNAVAILABLE. Calls that have reached the host
   * continue.
   */
  #reconnect(make: () => Client): void {
    if (this.#isClosed) return;
    const replaced = this.#client;
    this.#client = make();
    replaced.close();
  }

  /** Whether a call failed because it waited for a channel that was then replaced. */
  #isFromReplacedChannel(error: unknown): boolean {
    return !this.#isClosed && error instanceof Error && error.message.includes('Channel closed before call started');
  }

  /** The metadata from the hook of the options. */
  #outgoingMetadata(): Metadata {
    const metadata = new Metadata();
    try {
      for (const [name, value] of Object.entries(this.#metadata?.() ?? {})) metadata.set(name, value);
    } catch (error) {
      throw new GatewayError(status.UNAVAILABLE, `The metadata hook failed: ${messageOf(error)}`, {}, error);
    }
    return metadata;
  }

  #withErrorsDecoded<Response>(responses: Observable<Response>): Observable<Response> {
    return this.untilClosed(responses).pipe(
      catchError((error: unknown) => {
        if (this.#isFromReplacedChannel(error)) throw new GatewayError(status.UNAVAILABLE, this.#noAnswer, {}, error);
        throw GatewayError.from(error);
      }),
    );
  }
}

/**
 * Cancels in the next turn. grpc-js (1.14) ignores a cancel in the turn that started the call; it
 * then sends the call, and nothing ends it.
 */
function cancelSoon(call: { cancel(): void }): void {
  setImmediate(() => call.cancel());
}

/** Fails when the signal is aborted. Never emits a value. */
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
    if (fault !== undefined) throw new Error(`invalid token: ${fault}`);
    return value;
  };
  return CallCredentials.createFromMetadataGenerator((_, done) => {
    current().then(
      (value) => {
        const metadata = new Metadata();
        metadata.set('authorization', `Bearer ${value}`);
        done(null, metadata);
      },
      // UNAVAILABLE, so that a watch retries: the source of tokens may work again soon.
      (error: unknown) => done(Object.assign(new Error(messageOf(error)), { code: status.UNAVAILABLE })),
    );
  });
}
