/**
 * What lies beneath grpc-js and has no public way to it. All that this service knows of its inside
 * is in this file; should that change, each function here finds nothing, and what hangs on it is
 * done without, as is said there.
 */
import type { EventEmitter } from 'node:events';
import {
  constants,
  type Http2SecureServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Server, ServerInterceptingCallInterface } from '@grpc/grpc-js';

interface Layer {
  readonly call?: Layer;
  readonly nextCall?: Layer;
  readonly stream?: ServerHttp2Stream;
}

/** The HTTP/2 stream of a call, as a handler or an interceptor has it. */
export function http2StreamOf(call: object): ServerHttp2Stream | undefined {
  let layer: Layer | undefined = (call as Layer).call ?? (call as Layer);
  while (layer !== undefined && layer.stream === undefined) layer = layer.nextCall;
  return layer?.stream;
}

type Status = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

/**
 * Changes every status of a call on its way to its client, also those that grpc-js makes by itself,
 * which pass no interceptor. Only for the interceptor that is nearest to the wire.
 */
export function changeStatus(call: ServerInterceptingCallInterface, change: (outcome: Status) => Status): void {
  const send = call.sendStatus.bind(call);
  const stream = http2StreamOf(call);
  // Where the client has gone, nobody is told: a write that failed for it is no failure of ours.
  call.sendStatus = (outcome) => send(stream !== undefined && isGone(stream) ? outcome : change(outcome));
}

/** What of a request may still come after its answer, and for how long. */
const DISCARDED_BYTES_MAX = 16 * 2 ** 20;
const DISCARD_MS = 5000;

/**
 * Ends the stream of a call that was answered before its request was whole.
 *
 * The rest of the request is read and discarded, so that the client ends it as if nothing had
 * happened: a reset that comes right after the status makes proxies lose the status. A client that
 * goes on for too long, or sends too much, is reset all the same.
 */
export function discardRequest(stream: ServerHttp2Stream): void {
  if (stream.readableEnded || isGone(stream)) return;
  const close = () => stream.close(constants.NGHTTP2_NO_ERROR);
  const timer = setTimeout(close, DISCARD_MS).unref();
  const isOver = () => clearTimeout(timer);
  let left = DISCARDED_BYTES_MAX;
  stream.on('data', ({ length }: Buffer) => {
    left -= length;
    if (left < 0) close();
  });
  stream.once('end', isOver).once('close', isOver).resume();
}

/** Nothing can be answered on it any more, or it has been told to end. */
export function isGone(stream: ServerHttp2Stream): boolean {
  return stream.destroyed || stream.closed || ending.has(stream);
}

/** Streams whose end waits for a turn of its own. */
const ending = new WeakSet<ServerHttp2Stream>();

/**
 * A stream that has closed was reset, and not by this host, which resets with NO_ERROR or
 * ENHANCE_YOUR_CALM.
 */
export function isCancelled({ rstCode = constants.NGHTTP2_NO_ERROR }: ServerHttp2Stream): boolean {
  return rstCode !== constants.NGHTTP2_NO_ERROR && rstCode !== constants.NGHTTP2_ENHANCE_YOUR_CALM;
}

/**
 * Adds to the options that Node's HTTP/2 servers are made with, those with TLS too. Only before the
 * first is bound.
 */
export function setHttp2Options(server: Server, { settings, ...others }: ServerOptions): void {
  const inside = server as unknown as { commonServerOptions?: ServerOptions };
  inside.commonServerOptions = {
    ...inside.commonServerOptions,
    ...others,
    settings: { ...inside.commonServerOptions?.settings, ...settings },
  };
}

/** What sees connections and requests before grpc-js does. */
export interface ConnectionHooks {
  /** False: the connection goes no further. */
  onConnection(socket: Socket): boolean;
  /** HTTP/2 is spoken on this socket, within TLS or not. */
  onSession(session: ServerHttp2Session, socket: Socket): void;
  /**
   * May change the headers; the raw ones are as they came, names and values in turn. False: it goes
   * no further.
   */
  onRequest(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[]): boolean;
  /**
   * TLS has refused a connection: where from, and why. Without it they end all the same, but nobody
   * on the host hears of it.
   */
  onTlsRefused(client: string, why: string): void;
  /** A connection could not be accepted: the process or the system has run out of something. */
  onAcceptFailed(error: Error): void;
}

const seen = new WeakSet<object>();

/** Looks at whatever comes to the addresses bound so far, each once. */
export function interceptConnections(server: Server, hooks: ConnectionHooks): void {
  const { http2Servers } = server as unknown as { http2Servers?: ReadonlyMap<Http2SecureServer, unknown> };
  for (const listening of http2Servers?.keys() ?? []) {
    if (seen.has(listening)) continue;
    seen.add(listening);
    // Node makes the session in the turn in which it shows the socket.
    let latest: Socket;
    guardListeners(listening, 'connection', (socket: Socket) => {
      latest = surviving(socket);
      return hooks.onConnection(socket);
    });
    listening.prependListener('secureConnection', (socket: TLSSocket) => {
      latest = parentOf(surviving(socket));
    });
    listening.prependListener('session', (session) => hooks.onSession(surviving(session), latest));
    guardListeners(
      listening,
      'stream',
      (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: readonly string[]) =>
        hooks.onRequest(resetLater(surviving(stream)), headers, raw),
    );
    listening.on('error', (error) => hooks.onAcceptFailed(error));
    listening.on('tlsClientError', ({ message, code }: NodeJS.ErrnoException, socket: TLSSocket) => {
      // A certificate that is not trusted is found out when the handshake is over, and then the
      // socket just ends.
      const why = socket.authorizationError ?? code ?? message;
      hooks.onTlsRefused(originOf(parentOf(socket)), String(why));
    });
  }
}

/**
 * Gives a socket, an HTTP/2 session or a stream a listener for its errors that stays until its end.
 *
 * An `error` event without a listener ends the process, and a client can cause one at any moment:
 * by a reset, a broken frame, a false length. grpc-js listens once, and only to streams that reach
 * it. The listener has nothing to do: `close` follows, and whoever uses the emitter cleans up then.
 */
function surviving<Emitter extends EventEmitter>(emitter: Emitter): Emitter {
  return emitter.on('error', () => {});
}

/**
 * Puts off what resets a stream to a turn of its own.
 *
 * Node sends what is pending whenever a stream is reset, even while nghttp2 reads a frame of that
 * stream. Sending can free the stream, and nghttp2 goes on to use it: a client could crash the
 * process, or worse, where a request is answered and reset at once. Microtasks and ticks of an
 * event are within its frame, too. The same in Node itself: nodejs/node#64166, which only new
 * versions have.
 */
function resetLater(stream: ServerHttp2Stream): ServerHttp2Stream {
  passOverRefused(stream);
  const { close, destroy } = stream;
  stream.close = (code, onClosed) => {
    if (isCut(stream.session)) return close.call(stream, code, onClosed);
    ending.add(stream);
    setImmediate(() => stream.destroyed || close.call(stream, code, onClosed));
  };
  stream.destroy = (error) => {
    // What is closed is reset no more.
    if (stream.closed || isCut(stream.session)) return destroy.call(stream, error);
    ending.add(stream);
    setImmediate(() => destroy.call(stream, error));
    return stream;
  };
  return stream;
}

/**
 * Nothing is read or sent on it any more. It takes its streams along at once: later they would find
 * no way to end.
 */
function isCut(session: Http2Session | undefined): boolean {
  try {
    return session === undefined || session.destroyed || session.socket.destroyed;
  } catch {
    // It has lost its socket.
    return true;
  }
}

/**
 * Has Node pass over the requests that still come to a session that is closed, rather than reset
 * them.
 *
 * They are reset within their frames, which sends the GOAWAY that waits, and that frees their
 * streams: the same fault as above. Without the reset GOAWAY alone tells the client, which may send
 * such a request again.
 */
function passOverRefused(stream: ServerHttp2Stream): void {
  if (arePassedOver) return;
  const key = Object.getOwnPropertySymbols(stream).find(({ description }) => description === 'kHandle');
  const handle = key && (stream as unknown as Record<symbol, object | undefined>)[key];
  if (handle === undefined) return;
  arePassedOver = true;
  const handles = Object.getPrototypeOf(handle) as { rstStream(code: number): void };
  const { rstStream } = handles;
  handles.rstStream = function (code) {
    if (code !== constants.NGHTTP2_REFUSED_STREAM) rstStream.call(this, code);
  };
}

let arePassedOver = false;

/** The socket that was accepted, which TLS is spoken on. */
function parentOf(socket: TLSSocket): Socket {
  return (socket as { _parent?: Socket })._parent ?? socket;
}

/** `address:port`. A socket remembers it if it was asked once while it was open. */
export function originOf({ remoteAddress, remotePort }: Socket): string {
  return remoteAddress === undefined ? 'unknown' : `${remoteAddress}:${remotePort}`;
}

/** The listeners that are there already run only if `pass` returns true. */
function guardListeners<Args extends unknown[]>(
  emitter: EventEmitter,
  event: string,
  pass: (...args: Args) => boolean,
): void {
  const listeners = emitter.rawListeners(event);
  emitter.removeAllListeners(event);
  emitter.on(event, (...args: Args) => {
    if (pass(...args)) for (const listener of listeners) Reflect.apply(listener, emitter, args);
  });
}

/**
 * Closes the sockets of the connections that keepalive has given up. Node keeps such a socket until
 * the system has taken what was being written to it, and for a client that is frozen that may be
 * never. Without it they stay for as long as their clients do.
 */
export function destroyDeadSockets(server: Server): void {
  const { http2Servers } = server as unknown as {
    http2Servers?: ReadonlyMap<unknown, { readonly sessions?: Iterable<ServerHttp2Session> }>;
  };
  for (const { sessions } of http2Servers?.values() ?? []) {
    for (const session of sessions ?? []) {
      if (!session.destroyed) continue;
      try {
        // A session lets nobody destroy its socket, but the socket's own methods answer with the
        // socket.
        session.socket.once('close', () => {}).destroy();
      } catch {
        // The socket is closing by itself.
      }
    }
  }
}
