/**
 * The web server of `wfdctl console`: serves the page, its frames and its actions on a random
 * loopback port.
 *
 *   GET  /, /console-HASH.js ...   the page, which contains no secret
 *   POST /api/key                  {"key"} -> {"token"} and a cookie
 *   POST /api/watch                -> frames, one per line, until the page is closed
 *   POST /api/open, /api/close ... an action, if actions are allowed
 *
 * Invariant: except for the page itself, nothing is answered before `Admission` has admitted the
 * request.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GatewayError } from '../../../typescript/src/client.js';
import { CliError } from '../cli-error.js';
import { toCliError } from '../error-messages.js';
import { ACTIONS } from './actions.js';
import { Admission } from './admission.js';
import type { Asset } from './assets.js';
import { FrameStream } from './frame-stream.js';
import type { Document } from './frames.js';
import { HostFeed, type HostLink } from './host-feed.js';

interface ConsoleSettings {
  readonly hosts: readonly HostLink[];
  readonly assets: ReadonlyMap<string, Asset>;
  readonly allowsActions: boolean;
  readonly version: string;
  /** How long the link is valid. */
  readonly keyLifeMs: number;
}

const BODY_BYTES_MAX = 16 * 1024;
const CONNECTIONS_MAX = 64;
/** Browsers open at most six connections to one origin, and actions need some of them. */
const STREAMS_MAX = 4;

/**
 * The headers of every response. Only scripts and styles from this server run, so the name of a
 * device never can.
 */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), usb=()',
  'cache-control': 'no-store',
};

export class ConsoleServer {
  readonly #settings: ConsoleSettings;
  readonly #server: Server;
  readonly #streams: FrameStream[] = [];
  readonly #admission: Admission;

  private constructor(settings: ConsoleSettings, server: Server) {
    this.#settings = settings;
    this.#server = server;
    this.#admission = new Admission((server.address() as AddressInfo).port, settings.keyLifeMs);
    server.on('request', (request, response) => {
      for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
      this.#answer(request, response).catch((error: unknown) => refuse(response, error, settings.hosts[0]?.name ?? ''));
    });
    server.maxConnections = CONNECTIONS_MAX;
  }

  static async start(settings: ConsoleSettings): Promise<ConsoleServer> {
    const server = createServer({ requestTimeout: 10_000 });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return new ConsoleServer(settings, server);
  }

  /** Contains the key. The first browser that uses it is admitted. */
  get link(): string {
    return this.#admission.link;
  }

  get origin(): string {
    return this.#admission.origin;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url: path = '', headers } = request;
    const admission = this.#admission;
    const wrongHost = admission.refusalOfHost(headers);
    if (wrongHost !== undefined) return reply(response, wrongHost.status, { message: wrongHost.message });
    if (method === 'GET' || method === 'HEAD') return this.#page(path, response);
    if (method !== 'POST') {
      response.setHeader('allow', 'GET, HEAD, POST');
      return reply(response, 405, { message: 'Only GET, HEAD and POST are allowed.' });
    }
    const refusal =
      admission.refusalOfOrigin(headers) ?? (path === '/api/key' ? undefined : admission.refusalOfPage(headers));
    if (refusal !== undefined) return reply(response, refusal.status, { message: refusal.message });
    const body = await read(request);
    if (path === '/api/key') return this.#exchange(body, response);
    if (path === '/api/watch') return this.#watch(response);
    return this.#act(path, body, response);
  }

  #page(path: string, response: ServerResponse): void {
    const asset = this.#settings.assets.get(path);
    if (asset === undefined) {
      reply(response, 404, { message: 'Page not found.' });
      return;
    }
    response.setHeader('content-type', asset.type);
    if (asset.isHashed) response.setHeader('cache-control', 'public, max-age=31536000, immutable');
    response.end(asset.bytes);
  }

  #exchange({ key }: Document, response: ServerResponse): void {
    const answer = this.#admission.admit(String(key));
    if ('status' in answer) reply(response, answer.status, { message: answer.message });
    else {
      response.setHeader('set-cookie', answer.setCookie);
      reply(response, 200, { token: answer.token });
    }
  }

  #watch(response: ServerResponse): void {
    const { hosts, version, allowsActions } = this.#settings;
    const stream = new FrameStream(response);
    this.#streams.push(stream);
    if (this.#streams.length > STREAMS_MAX) this.#streams.shift()?.replace();
    stream.send({ kind: 'console', version, allowsActions, hosts: hosts.map(({ name }) => name) });
    const feeds = hosts.map((host) => new HostFeed(host, stream));
    stream.onDrained(() => {
      for (const feed of feeds) feed.resume();
    });
    stream.onClosed(() => {
      for (const feed of feeds) feed.close();
      const at = this.#streams.indexOf(stream);
      if (at >= 0) this.#streams.splice(at, 1);
    });
    for (const feed of feeds) feed.open();
  }

  async #act(path: string, body: Document, response: ServerResponse): Promise<void> {
    const name = path.replace(/^\/api\//, '');
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    if (action === undefined) return reply(response, 404, { message: 'Unknown action.' });
    if (!this.#settings.allowsActions)
      return reply(response, 403, { message: 'Actions are not allowed; run wfdctl console --allow-actions.' });
    const host = this.#settings.hosts.find((each) => each.name === body['host']);
    if (host === undefined) return reply(response, 404, { message: 'Unknown host.' });
    reply(response, 200, await action(body, host));
  }
}

/** Throws a CliError if the body is too long or not a JSON object. */
async function read(request: IncomingMessage): Promise<Document> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new CliError('usage', `The request is longer than ${BODY_BYTES_MAX} bytes.`);
    chunks.push(chunk);
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString());
    if (typeof value === 'object' && value !== null) return value as Document;
  } catch {
    // Reported below.
  }
  throw new CliError('usage', 'The request is not a JSON object.');
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}

/** Sends the same sentence that `wfdctl` would print. */
function refuse(response: ServerResponse, error: unknown, host: string): void {
  if (response.headersSent) response.destroy();
  else if (error instanceof GatewayError) {
    const { message } = toCliError(error, host, true);
    reply(response, 409, { message, reason: error.reason });
  } else if (error instanceof CliError) {
    reply(response, error.kind === 'usage' ? 400 : 504, { message: error.message });
  } else {
    reply(response, 500, { message: `Internal error of wfdctl: ${error instanceof Error ? error.message : error}` });
  }
}
