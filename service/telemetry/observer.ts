/** The interface through which rooms report their work to metrics, traces and the log. */
import type { SessionEvent } from '../session/session.js';
import type { TraceContext, TracePlace } from '../trace.js';

/** One RPC in progress. */
export interface RpcObserver {
  /** The span of the RPC, if it is traced. */
  readonly trace?: TraceContext | undefined;
  /** The RPC is a stream and its headers have been sent. */
  established?(): void;
  /** The RPC has ended with this status code. */
  ended(code: string): void;
}

/** Every method returns at once and never throws. */
export interface Observer {
  /** An RPC has begun. `header` returns a header of its request. */
  rpcStarted(rpc: string, header: (name: string) => string): RpcObserver;
  /** A native call has returned. `name` is the name of `code`. */
  nativeReturned(fn: string, code: number, durationMs: number, name: string, place: TracePlace): void;
  /** A native call has run longer than nativeCallWarnMs and has not returned. */
  nativeSlow(fn: string, warnMs: number): void;
  sessionChanged(event: SessionEvent): void;
  /** The event of a native callback was written to a stream, `latencyMs` after the callback. */
  callbackWritten(rpc: string, latencyMs: number): void;
  /** A stream was ended because it was read too slowly. */
  slowReaderEnded(rpc: string): void;
  /**
   * A call was refused at the gate. If its RPC is not served, `rpc` is `unserved`, because clients
   * can invent names.
   */
  denied(rpc: string, code: string): void;
  /** A connection was refused, by TLS or because of a limit. */
  connectionRefused(): void;
  /** Changed files cannot be used. `what` is one of a few words. */
  reloadFailed(what: string): void;
}

/** Forwards each call to all added observers. */
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

  nativeReturned(...args: Parameters<Observer['nativeReturned']>): void {
    for (const each of this.#all) each.nativeReturned?.(...args);
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
