/**
 * What lies below grpc-js and has no public API. Everything that the service knows about the inside
 * of grpc-js is in this file. If that changes, the functions here find nothing, and each says what
 * then does not work.
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

/** The HTTP/2 stream of a call of a handler or an interceptor. */
export function http2StreamOf(call: object): ServerHttp2Stream | undefined {
  let layer: Layer | undefined = (call as Layer).call ?? (call as Layer);
  while (layer !== undefined && layer.stream === undefined) layer = layer.nextCall;
  return layer?.stream;
}

type Status = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

/**
 * Changes every status of a call before it is sent, including those that grpc-js sends itself,
 * which pass no interceptor. Only for the interceptor nearest to the wire.
 */
export function changeStatus(call: ServerInterceptingCallInterface, change: (outcome: Status) => Status): void {
  const send = call.sendStatus.bind(call);
  const stream = http2StreamOf(call);
  // If the client has gone, its status is not changed: a write that fails then is not a fault of
  // the host.
  call.sendStatus = (outcome) => send(stream !== undefined && isGone(stream) ? outcome : change(outcome));
}

/** How much of a request may still arrive after its answer, and for how long. */
const DISCARDED_BYTES_MAX = 16 * 2 ** 20;
const DISCARD_MS = 5000;

/**
 * Ends the stream of a call that was answered before its request was complete.
 *
 * The rest of the request is read and discarded, so that the client ends it normally. If a reset
 * followed the status at once, proxies would lose the status. A client that sends for too long, or
 * too much, is reset.
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

/** Whether nothing can be sent on the stream any more, because it has ended or is being ended. */
export function isGone(stream: ServerHttp2Stream): boolean {
  return stream.destroyed || stream.closed || ending.has(stream);
}

/** Streams that will be ended in a turn of their own. */
const ending = new WeakSet<ServerHttp2Stream>();

/**
 * Whether a closed stream was reset by its client. The host itself resets with NO_ERROR or
 * ENHANCE_YOUR_CALM.
 */
export function isCancelled({ rstCode = constants.NGHTTP2_NO_ERROR }: ServerHttp2Stream): boolean {
  return rstCode !== constants.NGHTTP2_NO_ERROR && rstCode !== constants.NGHTTP2_ENHANCE_YOUR_CALM;
}

/** Adds options for Node's HTTP/2 servers, with and without TLS. Call it before the first bind. */
export function setHttp2Options(server: Server, { settings, ...others }: ServerOptions): void {
  const inside = server as unknown as { commonServerOptions?: ServerOptions };
  inside.commonServerOptions = {
    ...inside.commonServerOptions,
    ...others,
    settings: { ...inside.commonServerOptions?.settings, ...settings },
  };
}

/** Called for connections and requests before grpc-js handles them. */
export interface ConnectionHooks {
  /** Returns false if the connection must not go on. */
  onConnection(socket: Socket): boolean;
  /** An HTTP/2 session has begun on this socket, within TLS or not. */
  onSession(session: ServerHttp2Session, socket: Socket): void;
  /**
   * May change the headers. The raw headers are unchanged, names and values in turn. Returns false
   * if the request must not go on.
   */
  onRequest(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[]): boolean;
  /**
   * TLS has refused a connection: its origin, and why. Without this hook, nobody on the host would
   * know.
   */
  onTlsRefused(client: string, why: string): void;
  /** A connection could not be accepted, because the process or the system lacks a resource. */
  onAcceptFailed(error: Error): void;
}

const seen = new WeakSet<object>();

/** Installs the hooks for all addresses that are bound so far, once for each. */
export function interceptConnections(server: Server, hooks: ConnectionHooks): void {
  const { http2Servers } = server as unknown as { http2Servers?: ReadonlyMap<Http2SecureServer, unknown> };
  for (const listening of http2Servers?.keys() ?? []) {
    if (seen.has(listening)) continue;
    seen.add(listening);
    // Node creates the session in the turn in which it emits the socket.
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
      // TLS finds an untrusted certificate after the handshake, and then just ends the socket.
      const why = socket.authorizationError ?? code ?? message;
      hooks.onTlsRefused(originOf(parentOf(socket)), String(why));
    });
  }
}

/**
 * Adds an error listener to a socket, an HTTP/2 session or a stream, for the rest of its life.
 *
 * An `error` event without a listener crashes the process, and a client can cause one at any time:
 * by a reset, a broken frame, a wrong length. grpc-js listens once, and only to streams that reach
 * it. The listener does nothing, because `close` follows, and the user of the emitter cleans up
 * then.
 */
function surviving<Emitter extends EventEmitter>(emitter: Emitter): Emitter {
  return emitter.on('error', () => {});
}

/**
 * Delays resets of a stream to a turn of their own.
 *
 * Node sends pending data whenever a stream is reset, even while nghttp2 reads a frame of this
 * stream. Sending can free the stream, and nghttp2 then uses freed memory. A client could crash the
 * process, or worse, where a request is answered and reset at once. Microtasks and ticks also run
 * within the frame. New versions of Node do the same (nodejs/node#64166).
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
    // A closed stream is not reset again.
    if (stream.closed || isCut(stream.session)) return destroy.call(stream, error);
    ending.add(stream);
    setImmediate(() => destroy.call(stream, error));
    return stream;
  };
  return stream;
}

/**
 * Whether the session neither reads nor sends any more. Its streams must then be ended at once,
 * because they could not be ended later.
 */
function isCut(session: Http2Session | undefined): boolean {
  try {
    return session === undefined || session.destroyed || session.socket.destroyed;
  } catch {
    // The session has no socket any more.
    return true;
  }
}

/**
 * Makes Node ignore requests that arrive on a closed session, instead of resetting them.
 *
 * Node resets them within their frames. That sends the pending GOAWAY, which frees their streams:
 * the same fault as above. Without the reset, the GOAWAY alone tells the client, which may send the
 * request again.
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

/** The accepted socket, below TLS. */
function parentOf(socket: TLSSocket): Socket {
  return (socket as { _parent?: Socket })._parent ?? socket;
}

/** `address:port`. A socket remembers it if it was read once while the socket was open. */
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
 * Closes the sockets of connections that keepalive has ended. Node keeps such a socket until the
 * system has taken the data that was being written. For a frozen client that may never happen.
 * Without this, the sockets stay as long as their clients.
 */
export function destroyDeadSockets(server: Server): void {
  const { http2Servers } = server as unknown as {
    http2Servers?: ReadonlyMap<unknown, { readonly sessions?: Iterable<ServerHttp2Session> }>;
  };
  for (const { sessions } of http2Servers?.values() ?? []) {
    for (const session of sessions ?? []) {
      if (!session.destroyed) continue;
      try {
        // A session does not allow its socket to be destroyed, but the socket's own methods return
        // the socket.
        session.socket.once('close', () => {}).destroy();
      } catch {
        // The socket is closing already.
      }
    }
  }
}
