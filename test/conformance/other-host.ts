/**
 * A host of another make: it knows the .proto files and HTTP/2, and nothing of the daemon. So it
 * can send what the daemon never does. It answers each call as the scenario says.
 */
import { once } from 'node:events';
import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type Http2Session,
  type IncomingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Stream,
} from 'node:http2';
import { ErrorInfo, RetryInfo } from '../../proto/gen/google/rpc/error_details.js';
import { Status } from '../../proto/gen/google/rpc/status.js';
import { framed } from '../harness/grpc-wire.js';

/** The end of a call. */
export interface End {
  readonly code: number;
  readonly message?: string;
  /** With an ErrorInfo of the contract. */
  readonly reason?: string;
  /** With a RetryInfo of so many seconds. */
  readonly retrySeconds?: number;
  /** In place of the details above: these bytes. */
  readonly details?: Uint8Array;
}

/** One call, and what is sent back on it. */
export class OtherCall {
  /** `WatchSessions`, of whichever service. */
  readonly rpc: string;
  readonly headers: IncomingHttpHeaders;
  readonly #stream: ServerHttp2Stream;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.rpc = String(headers[':path']).split('/').at(-1) ?? '';
    this.headers = headers;
    this.#stream = stream;
  }

  /** A message, whatever its bytes are. */
  send(message: Uint8Array): this {
    if (!this.#stream.headersSent) {
      this.#stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    }
    this.#stream.write(framed(message));
    return this;
  }

  /** The end, in trailers; where nothing was sent, in the only headers ("trailers-only"). */
  end(end: End = { code: 0 }): void {
    const trailers = trailersOf(end);
    if (!this.#stream.headersSent) {
      const headers = { ':status': 200, 'content-type': 'application/grpc', ...trailers };
      this.#stream.respond(headers, { endStream: true });
      return;
    }
    this.#stream.on('wantTrailers', () => this.#stream.sendTrailers(trailers));
    this.#stream.end();
  }

  /** An answer that is no gRPC, as a proxy makes it. */
  http(status: number): void {
    this.#stream.respond({ ':status': status, 'content-type': 'text/html' });
    this.#stream.end('<html><body>Not here.</body></html>');
  }
}

export class OtherHost implements AsyncDisposable {
  readonly address: string;
  /** All that it was asked. */
  readonly calls: readonly OtherCall[];
  readonly #server: Http2Server | Http2SecureServer;
  readonly #sessions: ReadonlySet<Http2Session>;

  private constructor(
    server: Http2Server | Http2SecureServer,
    calls: readonly OtherCall[],
    sessions: ReadonlySet<Http2Session>,
  ) {
    const address = server.address();
    this.address = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    this.#server = server;
    this.calls = calls;
    this.#sessions = sessions;
  }

  /** In clear text, but for who gives the certificates of TLS. */
  static async start(answer: (call: OtherCall) => void, tls?: SecureServerOptions): Promise<OtherHost> {
    const calls: OtherCall[] = [];
    const sessions = new Set<Http2Session>();
    const server = tls === undefined ? createServer() : createSecureServer(tls);
    server.on('sessionError', () => {});
    server.on('session', (session) => sessions.add(session));
    server.on('stream', (stream, headers) => {
      stream.on('error', () => {});
      stream.resume();
      const call = new OtherCall(stream, headers);
      calls.push(call);
      // A request is one message, whatever is in it.
      stream.once('end', () => {
        if (!stream.destroyed) answer(call);
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new OtherHost(server, calls, sessions);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function trailersOf({ code, message = '', reason, retrySeconds, details }: End): Record<string, string> {
  const status = details ?? ((reason ?? retrySeconds) ? detailsOf(code, reason, retrySeconds) : undefined);
  return {
    'grpc-status': String(code),
    'grpc-message': encodeURIComponent(message),
    ...(status !== undefined && { 'grpc-status-details-bin': Buffer.from(status).toString('base64') }),
  };
}

function detailsOf(code: number, reason: string | undefined, retrySeconds: number | undefined): Uint8Array {
  const info = reason && ErrorInfo.encode({ reason, domain: 'wifidirect.v1', metadata: {} }).finish();
  const retry = retrySeconds && RetryInfo.encode({ retryDelay: { seconds: BigInt(retrySeconds), nanos: 0 } }).finish();
  const details = [
    ...(info ? [{ typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value: Buffer.from(info) }] : []),
    ...(retry ? [{ typeUrl: 'type.googleapis.com/google.rpc.RetryInfo', value: Buffer.from(retry) }] : []),
  ];
  return Status.encode({ code, message: '', details }).finish();
}
