/**
 * The stream of frames to one page: an HTTP response that stays open, one line per frame. Limits
 * the memory that a slow page can use.
 */
import type { ServerResponse } from 'node:http';
import type { Frame } from './frames.js';

/** Above this, a slow browser gets no more frames for now. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;
const ALIVE_MS = 10_000;

export class FrameStream {
  readonly #response: ServerResponse;
  readonly #alive: NodeJS.Timeout;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    // Node would otherwise hold the headers back until there is a body.
    response.flushHeaders();
    this.#alive = setInterval(() => this.send({ kind: 'alive' }), ALIVE_MS);
    response.once('close', () => clearInterval(this.#alive));
  }

  /** The page reads too slowly. Send nothing more until `onDrained` calls its listener. */
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

  /** Tells the page that another page replaces it, and ends the stream. */
  replace(): void {
    this.send({ kind: 'replaced' });
    this.#response.end();
  }
}
