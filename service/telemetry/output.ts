/**
 * The way of log lines out of the process.
 *
 * Invariant: a write never waits, whatever is at the other end: a reader that stands still, a terminal
 * after Ctrl+S, a full disk. A line is handed over at once where the other end takes it, so that a
 * crash loses none. What is not taken waits in memory, up to a bound; what finds no room is dropped and
 * counted, and one line tells how many were dropped as soon as lines go out again.
 */
import { write as writeFile } from 'node:fs';
import { Socket } from 'node:net';
import type { DestinationStream } from 'pino';

/** Where lines go. Nothing of it blocks or throws. */
export interface Sink {
  /** True: a text given now would have to wait. */
  readonly isBusy: boolean;
  /** A write waits in a thread, which `process.exit` would wait for. */
  readonly holdsThread: boolean;
  /** Calls back once, when the text has been taken or has failed to be. */
  write(text: string, ended: (error?: Error | null) => void): void;
}

/** What may wait, in bytes; about 4,000 lines. */
const WAITING_BYTES_MAX = 1024 * 1024;
/** How much is handed over at once. */
const CHUNK_BYTES_MAX = 16 * 1024;
/** A reader that has taken nothing for this long at the end gets nothing more. */
const STALLED_MS = 1000;

interface Chunk {
  text: string;
  bytes: number;
  lines: number;
  /** How many dropped lines it tells of. */
  tells: number;
}

export class Output implements DestinationStream {
  readonly #sink: Sink;
  readonly #bytesMax: number;
  readonly #chunks: Chunk[] = [];
  /** Of all that has not been taken, also of what the sink has. */
  #bytes = 0;
  #dropped = 0;
  #untold = 0;
  /** How many dropped lines the line being written tells of. */
  #telling = 0;
  /** The last write failed. */
  #isFailing = false;
  /** When the last write began or ended. */
  #movedMs = 0;
  #progress: (() => void) | undefined;
  /** Writes the line that says how many were dropped; set by the log that knows its format. */
  tellDropped: ((lines: number) => void) | undefined;

  constructor(sink: Sink, bytesMax = WAITING_BYTES_MAX) {
    this.#sink = sink;
    this.#bytesMax = bytesMax;
  }

  /** `roomBytes` widens the bound for lines that matter more than others. */
  write(line: string, roomBytes = 0): void {
    const bytes = Buffer.byteLength(line);
    if (roomBytes === 0) this.#tell();
    // After a drop the next line waits for the one that tells of it, so that there is one gap, not many.
    const isClosed = this.#untold > 0 && !this.#isFailing && roomBytes === 0;
    if (isClosed || this.#bytes + bytes > this.#bytesMax + roomBytes) {
      if (this.#telling === 0) this.#drop(1);
      else this.#untold += this.#telling;
      return;
    }
    this.#add(line, bytes);
    this.#pump();
  }

  /** Another way into the same sink, for lines that still have room where the others have none. */
  withReserve(roomBytes: number): DestinationStream {
    return { write: (line) => this.write(line, roomBytes) };
  }

  /** Lines that never went out. */
  get dropped(): number {
    return this.#dropped;
  }

  /** A thread has been writing for so long that it may never end. */
  get isStuck(): boolean {
    const { isBusy, holdsThread } = this.#sink;
    return isBusy && holdsThread && performance.now() - this.#movedMs > STALLED_MS / 2;
  }

  /** Resolves when all is written, when the reader takes no more, or after this time. */
  async flush(limitMs: number): Promise<void> {
    const endMs = performance.now() + limitMs;
    while (this.#bytes > 0) {
      const leftMs = Math.min(endMs - performance.now(), STALLED_MS);
      if (leftMs <= 0 || !(await this.#hasProgressWithin(leftMs))) return;
    }
  }

  #add(line: string, bytes: number): void {
    const last = this.#chunks.at(-1);
    this.#bytes += bytes;
    if (last === undefined || last.bytes + bytes > CHUNK_BYTES_MAX) {
      this.#chunks.push({ text: line, bytes, lines: 1, tells: this.#telling });
      return;
    }
    last.text += line;
    last.bytes += bytes;
    last.lines += 1;
    last.tells += this.#telling;
  }

  #pump(): void {
    while (!this.#sink.isBusy) {
      const chunk = this.#chunks.shift();
      if (chunk === undefined) return;
      this.#movedMs = performance.now();
      this.#sink.write(chunk.text, (error) => this.#ended(chunk, error));
    }
  }

  #ended({ bytes, lines, tells }: Chunk, error: Error | null | undefined): void {
    this.#bytes -= bytes;
    this.#movedMs = performance.now();
    this.#isFailing = Boolean(error);
    if (error) {
      this.#drop(lines - (tells > 0 ? 1 : 0));
      this.#untold += tells;
    } else {
      this.#tell();
    }
    this.#pump();
    this.#progress?.();
  }

  #drop(lines: number): void {
    this.#dropped += lines;
    this.#untold += lines;
  }

  /** Not while writes fail, and not before half of the room is free again. */
  #tell(): void {
    if (this.#untold === 0 || this.#telling > 0 || this.#isFailing || this.#bytes > this.#bytesMax / 2) return;
    this.#telling = this.#untold;
    this.#untold = 0;
    this.tellDropped?.(this.#telling);
    this.#telling = 0;
  }

  #hasProgressWithin(limitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (hasProgress: boolean) => {
        clearTimeout(timer);
        this.#progress = undefined;
        resolve(hasProgress);
      };
      const timer = setTimeout(end, limitMs, false);
      this.#progress = () => end(true);
    });
  }
}

/**
 * The standard output. Pipes, sockets and terminals are written without blocking, in this turn. For all
 * else (files; on Windows everything) no such way exists: there one thread of libuv's pool at a time
 * writes, and waits in place of the event loop.
 */
export function standardOutput(): Sink {
  if (process.platform === 'win32') return new DescriptorSink(1);
  const { stdout } = process;
  return stdout instanceof Socket ? new StreamSink(stdout) : new DescriptorSink(1);
}

class StreamSink implements Sink {
  readonly holdsThread = false;
  readonly #stream: Socket;

  constructor(stream: Socket) {
    this.#stream = stream;
    // Each failure also comes to the callback of its write.
    stream.on('error', () => {});
    // Node has terminals block, and no public way to change that.
    (stream as unknown as { _handle?: { setBlocking?(isBlocking: boolean): void } })._handle?.setBlocking?.(false);
  }

  get isBusy(): boolean {
    return this.#stream.writableLength > 0;
  }

  write(text: string, ended: (error?: Error | null) => void): void {
    this.#stream.write(text, ended);
  }
}

class DescriptorSink implements Sink {
  readonly holdsThread = true;
  readonly #descriptor: number;
  /** The last write failed half way: what follows begins a new line. */
  #isTorn = false;
  isBusy = false;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(text: string, ended: (error?: Error | null) => void): void {
    this.isBusy = true;
    this.#write(Buffer.from(this.#isTorn ? `\n${text}` : text), 0, ended);
  }

  #write(bytes: Buffer, from: number, ended: (error?: Error | null) => void): void {
    writeFile(this.#descriptor, bytes, from, (error, written) => {
      const to = from + written;
      if (error === null && to < bytes.length) return this.#write(bytes, to, ended);
      this.#isTorn = error === null ? false : this.#isTorn || from > 0;
      this.isBusy = false;
      ended(error);
    });
  }
}
