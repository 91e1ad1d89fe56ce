/** The interface through which rooms report their work to metrics, traces and the log. */
import type { SessionEvent } from '../session/session.js';
import type { TraceContext, TracePlace } from '../trace.js';

/** One RPC in progress. */
export interface RpcObserver {
  /** The span of the RPC, if it is traced. */
  readonly trace?: TraceContext | undefined;
  /** The RPC is a stream and its headers have been sent. */
  onEstablished?(): void;
  /** The RPC has ended with this status code. */
  onEnded(code: string): void;
}

/** Every method returns at once and never throws. */
export interface Observer {
  /** An RPC has begun. `header` returns a header of its request. */
  onRpcStarted(rpc: string, header: (name: string) => string): RpcObserver;
  /** A native call has returned. `name` is the name of `code`. */
  onNativeReturned(fn: string, code: number, durationMs: number, name: string, place: TracePlace): void;
  /** A native call has run longer than nativeCallWarnMs and has not returned. */
  onNativeSlow(fn: string, warnMs: number): void;
  onSessionChanged(event: SessionEvent): void;
  /** The event of a native callback was written to a stream, `latencyMs` after the callback. */
  onCallbackWritten(rpc: string, latencyMs: number): void;
  /** A stream was ended because it was read too slowly. */
  onSlowReaderEnded(rpc: string): void;
  /**
   * A call was refused at the gate. If its RPC is not served, `rpc` is `unserved`, because clients
   * can invent names.
   */
  onDenied(rpc: string, code: string): void;
  /** A connection was refused, by TLS or because of a limit. */
  onConnectionRefused(): void;
  /** Changed files cannot be used. `what` is one of a few words. */
  onReloadFailed(what: string): void;
}

/** Forwards each call to all added observers. */
export class Observers implements Observer {
  readonly #all: Partial<Observer>[] = [];

  add(observer: Partial<Observer>): void {
    this.#all.push(observer);
  }

  onRpcStarted(rpc: string, header: (name: string) => string): RpcObserver {
    const all = this.#all.flatMap((each) => each.onRpcStarted?.(rpc, header) ?? []);
    return {
      trace: all.find(({ trace }) => trace !== undefined)?.trace,
      onEstablished: () => {
        for (const each of all) each.onEstablished?.();
      },
      onEnded: (code) => {
        for (const each of all) each.onEnded(code);
      },
    };
  }

  onNativeReturned(...args: Parameters<Observer['onNativeReturned']>): void {
    for (const each of this.#all) each.onNativeReturned?.(...args);
  }

  onNativeSlow(fn: string, warnMs: number): void {
    for (const each of this.#all) each.onNativeSlow?.(fn, warnMs);
  }

  onSessionChanged(event: SessionEvent): void {
    for (const each of this.#all) each.onSessionChanged?.(event);
  }

  onCallbackWritten(rpc: string, latencyMs: number): void {
    for (const each of this.#all) each.onCallbackWritten?.(rpc, latencyMs);
  }

  onSlowReaderEnded(rpc: string): void {
    for (const each of this.#all) each.onSlowReaderEnded?.(rpc);
  }

  onDenied(rpc: string, code: string): void {
    for (const each of this.#all) each.onDenied?.(rpc, code);
  }

  onConnectionRefused(): void {
    for (const each of this.#all) each.onConnectionRefused?.();
  }

  onReloadFailed(what: string): void {
    for (const each of this.#all) each.onReloadFailed?.(what);
  }
}
