/**
 * The HTTP port that metrics are scraped from. It asks nobody who they are, so it bounds what anybody can do there: hold places, and
 * have a browser on this host read the metrics for a foreign page (DNS rebinding).
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP, type Socket } from 'node:net';

export interface PortSettings {
  readonly host: string;
  readonly port: number;
  /** The names in a Host header that are answered, beside those of loopback. */
  readonly hostNames: readonly string[];
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A scraper sends its request at once. */
const REQUEST_MS = 2000;
/** Connections at once; a few scrapers and a person need far fewer. */
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
      .end('This name is not answered here; if it should be, add it to metrics.hostNames.\n');
  });
  // An answer is large, and a client may ask for many and take none.
  server.maxRequestsPerSocket = 1;
  // Whoever connects and sends no whole request makes room for who does.
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
    // The listener stays: a connection that can't be accepted later must not end the process.
    server.on('error', reject).listen(port, host, resolve);
  });
  return server;
}

/** Without the port. */
function nameOf(hostHeader: string): string {
  return hostHeader.replace(/:\d*$/, '');
}

/** An address can't be made to mean another host, as a name can. */
function isOwnAddress(name: string, { localAddress = '' }: Socket): boolean {
  const address = name.replace(/^\[(.*)\]$/, '$1');
  return isIP(address) !== 0 && address === localAddress.replace(/^::ffff:(?=[\d.]+$)/, '');
}
