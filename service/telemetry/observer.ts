/** What the rooms tell of their work, for whoever counts or traces it. */
import type { SessionEvent } from '../session/session.js';

/** Every method returns at once and never throws. */
export interface Observer {
  /** An RPC has begun; the answer is called with the name of its status code when it has ended. */
  rpcStarted(rpc: string): (code: string) => void;
  /** A native call has returned this code after this time. */
  nativeReturned(fn: string, code: number, durationMs: number): void;
  /** A native call has run longer than nativeCallWarnMs and has not returned. */
  nativeSlow(fn: string, warnMs: number): void;
  sessionChanged(event: SessionEvent): void;
  /** A stream was ended because it was read too slowly. */
  slowReaderEnded(rpc: string): void;
  /** A call was refused at the gate. */
  denied(rpc: string, code: string): void;
  /** A connection was refused by TLS. */
  connectionRefused(): void;
}

/** Tells all that have been added. */
export class Observers implements Observer {
  readonly #all: Partial<Observer>[] = [];

  add(observer: Partial<Observer>): void {
    this.#all.push(observer);
  }

  rpcStarted(rpc: string): (code: string) => void {
    const ends = this.#all.map((each) => each.rpcStarted?.(rpc));
    return (code) => {
      for (const end of ends) end?.(code);
    };
  }

  nativeReturned(fn: string, code: number, durationMs: number): void {
    for (const each of this.#all) each.nativeReturned?.(fn, code, durationMs);
  }

  nativeSlow(fn: string, warnMs: number): void {
    for (const each of this.#all) each.nativeSlow?.(fn, warnMs);
  }

  sessionChanged(event: SessionEvent): void {
    for (const each of this.#all) each.sessionChanged?.(event);
  }

  slowReaderEnded(rpc: string): void {
    for (const each of this.#all) each.slowReaderEnded?.(rpc);
  }

  denied(rpc: string, code: string): void {
    for (const each of this.#all) each.denied?.(rpc, code);
  }

  connectionRefused(): void {
    for (const each of this.#all) each.connectionRefused?.();
  }
}
