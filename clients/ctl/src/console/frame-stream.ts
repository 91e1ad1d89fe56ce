/**
 * The answer that never ends: frames to one page, a line each, and no more of them in memory than a
 * browser that reads at all needs.
 */
import type { ServerResponse } from 'node:http';
import type { Frame } from './frames.js';

/** Frames wait here for a browser that is slow. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;
const ALIVE_MS = 10_000;

export class FrameStream {
  readonly #response: ServerResponse;
  readonly #alive: NodeJS.Timeout;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    // Headers alone are kept back until there is something to send.
    response.flushHeaders();
    this.#alive = setInterval(() => this.send({ kind: 'alive' }), ALIVE_MS);
    response.once('close', () => clearInterval(this.#alive));
  }

  /** The page reads more slowly than frames come: send no more until `onDrained` calls. */
  get isFull(): boolean {
    return this.#response.writableLength > WAITING_BYTES_MAX;
  }

  send(frame: Frame): void {
    if (!this.#response.writableEnded) this.#response.write(`${JSON.stringify(frame)}\n`);
  }

  onDrained(listener: () => void): void {
    this.#response.on('drain', listener);
  }

  onClosed(listener: () => void): void {
    this.#response.once('close', listener);
  }

  /** Tells the page that another has its place. */
  replace(): void {
    this.send({ kind: 'replaced' });
    this.#response.end();
  }
}
