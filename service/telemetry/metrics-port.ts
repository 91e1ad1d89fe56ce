/**
 * The HTTP port for scraping metrics. It has no authentication, so it limits connections and
 * protects against foreign web pages that read the metrics through a browser on this host (DNS
 * rebinding).
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP, type Socket } from 'node:net';

export interface PortSettings {
  readonly host: string;
  readonly port: number;
  /** Accepted names in the Host header, besides those of loopback. */
  readonly hostNames: readonly string[];
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Scrapers send their request immediately. */
const REQUEST_MS = 2000;
/** Connections at the same time. A few scrapers and a person need far fewer. */
const CONNECTIONS_MAX = 20;

const LOOPBACK_NAME = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i;

/** Resolves when it listens. */
export async function servePort({ host, port, hostNames }: PortSettings, answer: Answer): Promise<Server> {
  const timing = { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, connectionsCheckingInterval: REQUEST_MS };
  const names = new Set(hostNames.map((name) => name.toLowerCase()));
  const waiting = new Set<Socket>();
  const server = createServer(timing, (request, response) => {
    waiting.delete(request.socket);
    const name = nameOf(request.headers.host ?? '');
    if (LOOPBACK_NAME.test(name) || names.has(name.toLowerCase()) || isOwnAddress(name, request.socket)) {
      answer(request, response);
      return;
    }
    response
      .writeHead(421, { connection: 'close' })
      .end('This host name is not allowed. To allow it, add it to metrics.hostNames.\n');
  });
  // A response is large, and a client could send many requests without reading the responses.
  server.maxRequestsPerSocket = 1;
  // At the limit, the oldest connection without a complete request is closed.
  let connections = 0;
  server.prependListener('connection', (socket: Socket) => {
    connections += 1;
    waiting.add(socket);
    socket.once('close', () => {
      connections -= 1;
      waiting.delete(socket);
    });
    if (connections <= CONNECTIONS_MAX) return;
    const [oldest = socket] = waiting;
    waiting.delete(oldest);
    oldest.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    // The listener stays: a later accept error must not crash the process.
    server.on('error', reject).listen(port, host, resolve);
  });
  return server;
}

/** Strips the port. */
function nameOf(hostHeader: string): string {
  return hostHeader.replace(/:\d*$/, '');
}

/** Unlike a name, an address cannot be pointed at another host. */
function isOwnAddress(name: string, { localAddress = '' }: Socket): boolean {
  const address = name.replace(/^\[(.*)\]$/, '$1');
  return isIP(address) !== 0 && address === localAddress.replace(/^::ffff:(?=[\d.]+$)/, '');
}
