/**
 * What lies beneath grpc-js and has no public way to it. All that this service knows of its inside is in this file; should that change,
 * each function here finds nothing, and what hangs on it is done without, as is said there.
 */
import type { Http2SecureServer, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Server } from '@grpc/grpc-js';

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

/**
 * Tells of connections that TLS refuses on the addresses bound so far: where from, and why. Without it they end all the same, but
 * nobody on the host hears of it.
 */
export function onTlsRefusal(server: Server, refused: (client: string, why: string) => void): void {
  const { http2Servers } = server as unknown as { http2Servers?: ReadonlyMap<Http2SecureServer, unknown> };
  for (const listening of http2Servers?.keys() ?? []) {
    // Asked while it is open, a socket remembers where it came from.
    listening.on('connection', (socket: Socket) => socket.remoteAddress);
    listening.on('tlsClientError', ({ message, code }: NodeJS.ErrnoException, socket: TLSSocket) => {
      const { remoteAddress, remotePort } = (socket as { _parent?: Socket })._parent ?? socket;
      // A certificate that is not trusted is found out when the handshake is over, and then the socket just ends.
      const why = socket.authorizationError ?? code ?? message;
      refused(remoteAddress === undefined ? 'unknown' : `${remoteAddress}:${remotePort}`, String(why));
    });
  }
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
