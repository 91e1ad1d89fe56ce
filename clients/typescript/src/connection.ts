/**
 * The way to one host: address, TLS and credentials in, calls out, each as a Promise or an Observable.
 *
 * The rule that must not be broken: no credential leaves in clear text, but to this machine itself.
 */
import { readFileSync } from 'node:fs';
import {
  CallCredentials,
  ChannelCredentials,
  type ChannelOptions,
  Client,
  type ClientOptions,
  Metadata,
  type MethodDefinition,
  status,
} from '@grpc/grpc-js';
import { catchError, firstValueFrom, NEVER, Observable, Subject, takeUntil } from 'rxjs';
import { GatewayError } from './error.js';

/** PEM: its text or bytes, or the file that holds it (read once, by `connect`). */
export type Pem = string | Buffer | { readonly file: string };

export interface TlsOptions {
  /** Certificates of the authorities that may have signed the host's. Default: those that Node trusts. */
  readonly ca?: Pem | undefined;
  /** The client's own certificate, with its chain, for mTLS; needs `key`. */
  readonly cert?: Pem | undefined;
  /** The private key of `cert`. */
  readonly key?: Pem | undefined;
  /** The name to look for in the host's certificate, where it is not the one in the address. */
  readonly serverName?: string | undefined;
}

export interface ConnectOptions {
  /**
   * true or the options: TLS. false: clear text. Default: clear text to this machine (`localhost`, `127.x.x.x`, `[::1]`,
   * `unix:`), TLS to any other.
   */
  readonly tls?: boolean | TlsOptions | undefined;
  /** Bearer token, or what gives the current one; asked at each call. Refused in clear text to another machine. */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  /** Deadline of unary calls without `timeoutMs`: less than 24 days, or Infinity for none. Default 10,000 ms. */
  readonly timeoutMs?: number | undefined;
  /** Passed to grpc-js as they are; they win over what this library sets. */
  readonly channelOptions?: ChannelOptions | undefined;
}

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
/** What a timer can measure: 24.8 days. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** A host that vanished without a word is noticed within 30 s: watches have no deadline that would tell. */
const KEEPALIVE: ChannelOptions = { 'grpc.keepalive_time_ms': 20_000, 'grpc.keepalive_timeout_ms': 10_000 };

/** Calls fail at once while the channel waits to reconnect, so it must not wait longer than a watch does. */
const RECONNECT: ChannelOptions = { 'grpc.initial_reconnect_backoff_ms': 250, 'grpc.max_reconnect_backoff_ms': 10_000 };

export class Connection {
  readonly #client: Client;
  readonly #credentials: CallCredentials;
  readonly #timeoutMs: number;
  readonly #closing = new Subject<never>();

  constructor(address: string, { tls, token, timeoutMs = TIMEOUT_MS_DEFAULT, channelOptions }: ConnectOptions) {
    const isLocal = isThisMachine(address);
    const isSecure = tls === undefined ? !isLocal : tls !== false;
    if (token !== undefined && !isSecure && !isLocal)
      throw invalid('token', `would reach ${address} in clear text; use TLS.`);
    const options: ClientOptions = { ...KEEPALIVE, ...RECONNECT, ...(isLocal && { 'grpc.enable_http_proxy': 0 }) };
    if (typeof tls === 'object' && tls.serverName !== undefined)
      Object.assign(options, { 'grpc.ssl_target_name_override': tls.serverName });
    this.#timeoutMs = timeoutMs;
    this.#credentials = token === undefined ? CallCredentials.createEmpty() : bearer(token);
    const credentials = isSecure ? secure(typeof tls === 'object' ? tls : {}) : ChannelCredentials.createInsecure();
    try {
      this.#client = new Client(address, credentials, { ...options, ...channelOptions });
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
    if (!(timeoutMs <= TIMEOUT_MS_MAX || timeoutMs === Number.POSITIVE_INFINITY))
      return Promise.reject(invalid('timeoutMs', 'it must be less than 24 days, or Infinity.'));
    const { path, requestSerialize, responseDeserialize } = method;
    const response = new Observable<Response>((subscriber) => {
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        new Metadata(),
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
      const call = this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, {
        credentials: this.#credentials,
      });
      // Reading begins here and is never paused: grpc-js would buffer without bound what comes before.
      call.on('data', (response: Response) => subscriber.next(response));
      call.on('error', (error) => subscriber.error(error));
      call.on('end', () => subscriber.complete());
      return () => cancelSoon(call);
    });
    return this.#withErrorsDecoded(responses);
  }

  close(): void {
    this.#closing.error(new GatewayError(status.CANCELLED, 'The client was closed.'));
    this.#client.close();
  }

  /** The source, ended with CANCELLED when the connection is closed. */
  untilClosed<Item>(source: Observable<Item>): Observable<Item> {
    return source.pipe(takeUntil(this.#closing));
  }

  #withErrorsDecoded<Response>(responses: Observable<Response>): Observable<Response> {
    return this.untilClosed(responses).pipe(
      catchError((error: unknown) => {
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

function invalid(option: string, description: string, cause?: unknown): GatewayError {
  return new GatewayError(status.INVALID_ARGUMENT, `${option}: ${description}`, {}, cause);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isThisMachine(address: string): boolean {
  return /^(unix:|((dns|ipv4|ipv6):(\/\/\/)?)?((localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?|::1)$)/.test(address);
}

function secure({ ca, cert, key }: TlsOptions): ChannelCredentials {
  const [caPem, keyPem, certPem] = [read('tls.ca', ca), read('tls.key', key), read('tls.cert', cert)];
  try {
    return ChannelCredentials.createSsl(caPem, keyPem, certPem);
  } catch (error) {
    throw invalid('tls', messageOf(error), error);
  }
}

function read(option: string, pem: Pem | undefined): Buffer | null {
  if (pem === undefined) return null;
  if (typeof pem === 'string') return Buffer.from(pem);
  if (!('file' in pem)) return pem;
  try {
    return readFileSync(pem.file);
  } catch (error) {
    throw invalid(option, `can't read ${pem.file}`, error);
  }
}

function bearer(token: string | (() => string | Promise<string>)): CallCredentials {
  if (typeof token === 'string' && !isSendable(token)) throw invalid('token', UNSENDABLE);
  const current = async (): Promise<string> => {
    const value = typeof token === 'string' ? token : await token();
    if (!isSendable(value)) throw new Error(`the token is wrong: ${UNSENDABLE}`);
    return value;
  };
  return CallCredentials.createFromMetadataGenerator((_, done) => {
    current().then((value) => {
      const metadata = new Metadata();
      metadata.set('authorization', `Bearer ${value}`);
      done(null, metadata);
    }, done);
  });
}

const UNSENDABLE = 'it has a character that no header can hold, such as the end of a line.';

/** Of another, grpc-js throws where nobody can catch it, with the token in its message. */
function isSendable(token: string): boolean {
  return /^[ -~]*$/.test(token);
}
