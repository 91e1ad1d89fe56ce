/**
 * A proxy that speaks HTTP/2 itself, as nginx and Envoy do: it answers pings on its own, whatever
 * has become of the host behind it. With `idleMs` it resets a stream on which the host has been
 * quiet for so long.
 */
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  constants,
  createServer,
  type Http2Server,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';

export class Relay implements AsyncDisposable {
  readonly address: string;
  readonly #server: Http2Server;
  readonly #host: ClientHttp2Session;
  readonly #sessions = new Set<Http2Session>();

  private constructor(server: Http2Server, host: ClientHttp2Session) {
    const address = server.address();
    this.address = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    this.#server = server;
    this.#host = host;
    server.on('session', (session) => this.#sessions.add(session));
  }

  static async to(address: string, { idleMs = 0 } = {}): Promise<Relay> {
    const host = connect(`http://${address}`);
    host.on('error', () => {});
    const server = createServer();
    server.on('sessionError', () => {});
    server.on('stream', (near, headers) => passOn(host, near, headers, idleMs));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new Relay(server, host);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#host.destroy();
    for (const session of this.#sessions) session.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function passOn(host: ClientHttp2Session, near: ServerHttp2Stream, headers: IncomingHttpHeaders, idleMs: number): void {
  const far = host.request(headers, { endStream: false });
  let trailers: IncomingHttpHeaders = {};
  for (const stream of [near, far]) stream.on('error', () => {});
  near.on('close', () => far.close(near.rstCode || constants.NGHTTP2_CANCEL));
  // One that ended well ends by what was piped.
  far.on('close', () => {
    if (far.rstCode !== constants.NGHTTP2_NO_ERROR) near.close(far.rstCode);
  });
  far.on('response', (answer, flags) => {
    const isAll = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    near.respond(answer, isAll ? { endStream: true } : { waitForTrailers: true });
  });
  far.on('trailers', (received) => {
    trailers = received;
  });
  near.on('wantTrailers', () => near.sendTrailers(trailers));
  near.pipe(far);
  far.pipe(near);
  if (idleMs > 0) far.setTimeout(idleMs, () => near.close(constants.NGHTTP2_CANCEL));
}
