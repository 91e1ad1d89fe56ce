/**
 * A way to a host: TCP, passed on as it is, until a scenario cuts it, lets it hang, or lets it fall
 * silent. With `delayMs` each byte is under way that long; with `tls` the way takes TLS from the
 * client, and goes on in clear text.
 */
import { once } from 'node:events';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import type { Issued } from '../access/authority.js';

interface WayOptions {
  readonly delayMs?: number;
  readonly tls?: Issued;
}

export class Way implements AsyncDisposable {
  readonly address: string;
  readonly #server: Server;
  /** Those to the host by those to the client. */
  readonly #links: Map<Socket, Socket>;
  /** Those that are accepted and never answered. */
  readonly #unanswered = new Set<Socket>();
  /** What a new connection meets. */
  #mood: 'open' | 'cut' | 'silent' = 'open';
  #accepted = 0;

  private constructor(server: Server, links: Map<Socket, Socket>) {
    const address = server.address();
    this.address = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    this.#server = server;
    this.#links = links;
  }

  static async to(host: string, { delayMs = 0, tls }: WayOptions = {}): Promise<Way> {
    const [name, port] = host.split(':');
    const links = new Map<Socket, Socket>();
    let way: Way | undefined;
    const accept = (near: Socket): void => {
      near.on('error', () => {});
      if (way !== undefined && !way.#welcome(near)) return;
      const far = dial(Number(port), name);
      far.on('error', () => {});
      links.set(near, far);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        from.on('close', () => {
          links.delete(near);
          to.destroy();
        });
        if (delayMs === 0) from.pipe(to);
        else from.pipe(delay(delayMs)).pipe(to);
      }
    };
    const server =
      tls === undefined ? createServer(accept) : createTlsServer({ ...tls, ALPNProtocols: ['h2'] }, accept);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    way = new Way(server, links);
    return way;
  }

  /** Breaks every connection, and refuses new ones. */
  cut(): void {
    this.#mood = 'cut';
    for (const near of this.#links.keys()) near.destroy();
  }

  /**
   * Breaks every connection, accepts new ones (with `tls`: as far as TLS goes), and never says a
   * word on them.
   */
  fallSilent(): void {
    this.cut();
    this.#mood = 'silent';
  }

  /** New connections are passed on. What was met with silence stays so. */
  mend(): void {
    this.#mood = 'open';
  }

  /**
   * How many connections have been met with silence so far, and how many of these the client has
   * not ended.
   */
  get silences(): { readonly all: number; readonly open: number } {
    return { all: this.#accepted, open: this.#unanswered.size };
  }

  /** What the host sends gets no further, until `flow`. */
  hang(): void {
    for (const [near, far] of this.#links) {
      far.unpipe(near);
      far.pause();
    }
  }

  flow(): void {
    for (const [near, far] of this.#links) far.pipe(near);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    for (const socket of this.#unanswered) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** False: the connection is not to be passed on. */
  #welcome(near: Socket): boolean {
    if (this.#mood === 'cut') near.destroy();
    if (this.#mood !== 'silent') return this.#mood === 'open';
    this.#accepted += 1;
    this.#unanswered.add(near);
    near.once('close', () => this.#unanswered.delete(near));
    near.resume();
    return false;
  }
}

/** Passes each chunk on after a while, in order. */
function delay(ms: number): Transform {
  return new Transform({
    readableHighWaterMark: 2 ** 20,
    writableHighWaterMark: 2 ** 20,
    transform(chunk, _, done) {
      setTimeout(() => {
        if (!this.destroyed) this.push(chunk);
      }, ms);
      done();
    },
    flush(done) {
      setTimeout(done, ms);
    },
  });
}
