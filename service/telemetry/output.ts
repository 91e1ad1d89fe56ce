/**
 * Writes log lines out of the process without blocking (D-83).
 *
 * Invariant: a write never waits, whatever the reader does: a stopped reader, a terminal after
 * Ctrl+S, a full disk. A line is written immediately if the reader accepts it, so that a crash
 * loses no lines. Otherwise it waits in memory, up to a bound. Beyond that, lines are dropped and
 * counted, and one line reports how many as soon as writing is possible again.
 */
import { write as writeFile } from 'node:fs';
import { Socket } from 'node:net';
import type { DestinationStream } from 'pino';

/** The destination of lines. No method blocks or throws. */
export interface Sink {
  /** Whether a write now would have to wait. */
  readonly isBusy: boolean;
  /** Whether a write blocks a thread, which `process.exit` would wait for. */
  readonly holdsThread: boolean;
  /** Calls `ended` once, when the text has been written or the write has failed. */
  write(text: string, ended: (error?: Error | null) => void): void;
}

/** How many bytes can wait: about 4,000 lines. */
const WAITING_BYTES_MAX = 1024 * 1024;
/** The largest single write. */
const CHUNK_BYTES_MAX = 16 * 1024;
/** A flush gives up if the reader accepts nothing for this long. */
const STALLED_MS = 1000;

interface Chunk {
  text: string;
  bytes: number;
  lines: number;
  /** How many dropped lines this chunk reports. */
  tells: number;
}

export class Output implements DestinationStream {
  readonly #sink: Sink;
  readonly #bytesMax: number;
  readonly #chunks: Chunk[] = [];
  /** Bytes not yet written, including those in the sink. */
  #bytes = 0;
  #dropped = 0;
  #untold = 0;
  /** How many dropped lines the line being written reports. */
  #telling = 0;
  /** The last write failed. */
  #isFailing = false;
  /** When the last write began or ended. */
  #movedMs = 0;
  #progress: (() => void) | undefined;
  /** Writes the line that reports dropped lines. Set by the log, which knows the format. */
  tellDropped: ((lines: number) => void) | undefined;

  constructor(sink: Sink, bytesMax = WAITING_BYTES_MAX) {
    this.#sink = sink;
    this.#bytesMax = bytesMax;
  }

  /** `roomBytes` extends the bound for more important lines. */
  write(line: string, roomBytes = 0): void {
    const bytes = Buffer.byteLength(line);
    if (roomBytes === 0) this.#tell();
    // After a drop, all lines are dropped until the gap has been reported, so that there is one
    // gap, not many.
    const isClosed = this.#untold > 0 && !this.#isFailing && roomBytes === 0;
    if (isClosed || this.#bytes + bytes > this.#bytesMax + roomBytes) {
      if (this.#telling === 0) this.#drop(1);
      else this.#untold += this.#telling;
      return;
    }
    this.#add(line, bytes);
    this.#pump();
  }

  /** A stream to the same sink, with extra room for its lines. */
  withReserve(roomBytes: number): DestinationStream {
    return { write: (line) => this.write(line, roomBytes) };
  }

  /** The number of lines that were dropped. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether a thread has been writing for so long that it may never return. */
  get isStuck(): boolean {
    const { isBusy, holdsThread } = this.#sink;
    return isBusy && holdsThread && performance.now() - this.#movedMs > STALLED_MS / 2;
  }

  /**
   * Resolves when everything is written, when the reader accepts nothing more, or after `limitMs`.
   */
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

  /**
   * Reports dropped lines, but not while writes fail and not before half of the room is free again.
   */
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
 * Standard output. Writes to pipes, sockets and terminals are immediate and do not block. For
 * files, and for everything on Windows, that is not possible, so a pool thread writes, one at a
 * time, and waits instead of the event loop.
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
    // The callback of the write receives the error too.
    stream.on('error', () => {});
    // Node makes terminals blocking and has no public API to change that.
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
  /** The last write was incomplete, so the next one begins a new line. */
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
