/** What the rooms tell of their work, for whoever counts or traces it. */
import type { SessionEvent } from '../session/session.js';
import type { TraceContext, TracePlace } from '../trace.js';

/** One RPC on its way. */
export interface RpcObserver {
  /** Its span, where it is traced. */
  readonly trace?: TraceContext | undefined;
  /** It is a stream, and its headers have been sent. */
  established?(): void;
  /** It has ended with the status code of this name. */
  ended(code: string): void;
}

/** Every method returns at once and never throws. */
export interface Observer {
  /** An RPC has begun; `header` gives the value of one of its request's. */
  rpcStarted(rpc: string, header: (name: string) => string): RpcObserver;
  /** A native call has returned this code, which has this name, after this time. */
  nativeReturned(fn: string, code: number, durationMs: number, name: string, place: TracePlace): void;
  /** A native call has run longer than nativeCallWarnMs and has not returned. */
  nativeSlow(fn: string, warnMs: number): void;
  sessionChanged(event: SessionEvent): void;
  /** An event that came with a native callback has been written to a stream, this long after the callback. */
  callbackWritten(rpc: string, latencyMs: number): void;
  /** A stream was ended because it was read too slowly. */
  slowReaderEnded(rpc: string): void;
  /** A call was refused at the gate, or nobody serves it: then its name is `unserved`, as its own is the client's to make up. */
  denied(rpc: string, code: string): void;
  /** A connection was refused, by TLS or for the number of them. */
  connectionRefused(): void;
  /** Files have changed and can't be used; `what` they are is one of few. */
  reloadFailed(what: string): void;
}

/** Tells all that have been added. */
export class Observers implements Observer {
  readonly #all: Partial<Observer>[] = [];

  add(observer: Partial<Observer>): void {
    this.#all.push(observer);
  }

  rpcStarted(rpc: string, header: (name: string) => string): RpcObserver {
    const all = this.#all.flatMap((each) => each.rpcStarted?.(rpc, header) ?? []);
    return {
      trace: all.find(({ trace }) => trace !== undefined)?.trace,
      established: () => {
        for (const each of all) each.established?.();
      },
      ended: (code) => {
        for (const each of all) each.ended(code);
      },
    };
  }

  nativeReturned(...told: Parameters<Observer['nativeReturned']>): void {
    for (const each of this.#all) each.nativeReturned?.(...told);
  }

  nativeSlow(fn: string, warnMs: number): void {
    for (const each of this.#all) each.nativeSlow?.(fn, warnMs);
  }

  sessionChanged(event: SessionEvent): void {
    for (const each of this.#all) each.sessionChanged?.(event);
  }

  callbackWritten(rpc: string, latencyMs: number): void {
    for (const each of this.#all) each.callbackWritten?.(rpc, latencyMs);
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

  reloadFailed(what: string): void {
    for (const each of this.#all) each.reloadFailed?.(what);
  }
}
