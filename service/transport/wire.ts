/**
 * What lies beneath grpc-js and has no public way to it. All that this service knows of its inside is in this file; should that change,
 * each function here finds nothing, and what hangs on it is done without, as is said there.
 */
import type { EventEmitter } from 'node:events';
import {
  constants,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
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
 * Changes every status of a call on its way to its client, also those that grpc-js makes by itself, which pass no interceptor. Only for the
 * interceptor that is nearest to the wire.
 */
export function changeStatus(call: ServerInterceptingCallInterface, change: (outcome: Status) => Status): void {
  const send = call.sendStatus.bind(call);
  const stream = http2StreamOf(call);
  // Where the client has gone, nobody is told: a write that failed for it is no failure of ours.
  call.sendStatus = (outcome) => send(stream !== undefined && isGone(stream) ? outcome : change(outcome));
}

/** Closes the stream of a call that has ended before its client ended the request, which it might otherwise never do. */
export function closeUnended(call: object): void {
  const stream = http2StreamOf(call);
  if (stream === undefined || stream.readableEnded) return;
  // A reset in this turn would overtake the trailers.
  setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
}

/** Nothing can be answered on it any more. */
export function isGone({ destroyed, closed }: ServerHttp2Stream): boolean {
  return destroyed || closed;
}

/** What sees connections and requests before grpc-js does. */
export interface Outlook {
  /** False: the connection goes no further. */
  connected(socket: Socket): boolean;
  /** HTTP/2 begins on a connection that was let pass, after TLS. */
  begun(session: ServerHttp2Session): void;
  /** May change the headers. False: the request has been answered. */
  requested(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean;
  /** TLS has refused a connection: where from, and why. Without it they end all the same, but nobody on the host hears of it. */
  tlsRefused(client: string, why: string): void;
  /** A connection could not be accepted: the process or the system has run out of something. */
  acceptFailed(error: Error): void;
}

const seen = new WeakSet<object>();

/** Looks at whatever comes to the addresses bound so far, each once. */
export function lookOut(server: Server, outlook: Outlook): void {
  const { http2Servers } = server as unknown as { http2Servers?: ReadonlyMap<Http2SecureServer, unknown> };
  for (const listening of http2Servers?.keys() ?? []) {
    if (seen.has(listening)) continue;
    seen.add(listening);
    goBefore(listening, 'connection', (socket: Socket) => outlook.connected(surviving(socket)));
    goBefore(listening, 'stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) =>
      outlook.requested(surviving(stream), headers),
    );
    listening.prependListener('secureConnection', surviving);
    listening.prependListener('session', (session) => outlook.begun(surviving(session)));
    listening.on('error', (error) => outlook.acceptFailed(error));
    listening.on('tlsClientError', ({ message, code }: NodeJS.ErrnoException, socket: TLSSocket) => {
      // A certificate that is not trusted is found out when the handshake is over, and then the socket just ends.
      const why = socket.authorizationError ?? code ?? message;
      outlook.tlsRefused(originOf((socket as { _parent?: Socket })._parent ?? socket), String(why));
    });
  }
}

/**
 * Gives a socket, an HTTP/2 session or a stream a listener for its errors that stays until its end.
 *
 * An `error` event without a listener ends the process, and a client can cause one at any moment: by a reset, a
 * broken frame, a false length. grpc-js listens once, and only to streams that reach it. The listener has nothing to
 * do: `close` follows, and whoever uses the emitter cleans up then.
 */
function surviving<Emitter extends EventEmitter>(emitter: Emitter): Emitter {
  return emitter.on('error', () => {});
}

/** `address:port`. A socket remembers it if it was asked once while it was open. */
export function originOf({ remoteAddress, remotePort }: Socket): string {
  return remoteAddress === undefined ? 'unknown' : `${remoteAddress}:${remotePort}`;
}

/** The listeners that there are hear only of what is let pass. */
function goBefore<Args extends unknown[]>(
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
 * Closes the sockets of the connections that keepalive has given up. Node keeps such a socket until the system has taken what was being
 * written to it, and for a client that is frozen that may be never. Without it they stay for as long as their clients do.
 */
export function closeGivenUp(server: Server): void {
  const { http2Servers } = server as unknown as {
    http2Servers?: ReadonlyMap<unknown, { readonly sessions?: Iterable<ServerHttp2Session> }>;
  };
  for (const { sessions } of http2Servers?.values() ?? []) {
    for (const session of sessions ?? []) {
      if (!session.destroyed) continue;
      try {
        // A session lets nobody destroy its socket, but the socket's own methods answer with the socket.
        session.socket.once('close', () => {}).destroy();
      } catch {
        // The socket is closing by itself.
      }
    }
  }
}
