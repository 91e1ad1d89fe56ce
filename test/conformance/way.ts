/** A way to a host: TCP, handed on as it is, until a scenario cuts it, or lets it hang. */
import { once } from 'node:events';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';

export class Way implements AsyncDisposable {
  readonly address: string;
  readonly #server: Server;
  /** Those to the host by those to the client. */
  readonly #links: Map<Socket, Socket>;
  #isCut = false;

  private constructor(server: Server, links: Map<Socket, Socket>, address: string) {
    this.#server = server;
    this.#links = links;
    this.address = address;
    server.on('connection', (near) => {
      if (this.#isCut) near.destroy();
    });
  }

  static async to(host: string): Promise<Way> {
    const [name, port] = host.split(':');
    const links = new Map<Socket, Socket>();
    const server = createServer((near) => {
      const far = dial(Number(port), name);
      links.set(near, far);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        from.on('error', () => {});
        from.on('close', () => {
          links.delete(near);
          to.destroy();
        });
        from.pipe(to);
      }
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return new Way(server, links, `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`);
  }

  /** Breaks every connection, and refuses new ones. */
  cut(): void {
    this.#isCut = true;
    for (const near of this.#links.keys()) near.destroy();
  }

  mend(): void {
    this.#isCut = false;
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
    this.#server.close();
    await once(this.#server, 'close');
  }
}
