/** What was refused: each is counted, and logged unless there are too many. */
import type { Log } from '../telemetry/log.js';

/** Told of what the gate refuses, for metrics. Must not throw. */
export interface AccessObserver {
  /** One call was refused. `rpc` is one that the host serves, so there are few of them. */
  denied(rpc: string, code: 'UNAUTHENTICATED' | 'PERMISSION_DENIED'): void;
  /** A connection was refused by TLS. */
  connectionRefused(): void;
}

/** For the log: where a call came from, and the trace that it belongs to. */
export interface Origin {
  readonly client: string;
  readonly traceId?: string | undefined;
}

/** Somebody who guesses or scans may fill the counters, not the disk. */
const LINES_PER_SECOND_MAX = 20;

export class Denials {
  readonly #log: Log;
  readonly #observer: AccessObserver;
  #second = 0;
  #lines = 0;
  #unlogged = 0;

  constructor(log: Log, observer: AccessObserver) {
    this.#log = log;
    this.#observer = observer;
  }

  /** `why` is in the log alone. `principal` is who it was, or would have been. */
  call(
    rpc: string,
    code: 'UNAUTHENTICATED' | 'PERMISSION_DENIED',
    { why, principal, client, traceId }: Origin & { why: string; principal: string | undefined },
  ): void {
    this.#observer.denied(rpc, code);
    this.#write('access-denied', `${rpc} was refused: ${why}`, { rpc, code, principal, client, trace_id: traceId });
  }

  connection(client: string, why: string): void {
    this.#observer.connectionRefused();
    this.#write('connection-refused', `TLS refused a connection: ${why}`, { client });
  }

  #write(event: string, message: string, fields: Readonly<Record<string, string | undefined>>): void {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#lines = 0;
    }
    if (this.#lines === LINES_PER_SECOND_MAX) {
      this.#unlogged += 1;
      return;
    }
    this.#lines += 1;
    const unlogged = this.#unlogged === 0 ? undefined : this.#unlogged;
    this.#unlogged = 0;
    this.#log.warn(event, message, { ...fields, unlogged });
  }
}
