/** An interceptor that tells the observer of every RPC, whoever serves it, with the status that the client gets. */
import { type Metadata, ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';
import type { Observer, RpcObserver } from '../telemetry/observer.js';
import type { TraceContext } from '../trace.js';

export class Observing {
  readonly #observer: Observer;
  /** The metadata of a call is the one thing that both its interceptors and its handler hold. */
  readonly #traces = new WeakMap<Metadata, TraceContext>();

  constructor(observer: Observer) {
    this.#observer = observer;
  }

  /** The span of a call, where it is traced. */
  readonly traceOf = ({ metadata }: { readonly metadata: Metadata }): TraceContext | undefined =>
    this.#traces.get(metadata);

  readonly interceptor: ServerInterceptor = ({ path, responseStream }, call) => {
    let rpc: RpcObserver | undefined;
    const end = (code: string) => {
      rpc?.ended(code);
      rpc = undefined;
    };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, pass) => {
            rpc = this.#observer.rpcStarted(path.slice(1), (name) => metadata.get(name).join(','));
            if (rpc.trace !== undefined) this.#traces.set(metadata, rpc.trace);
            pass(metadata);
          },
          // Also comes after a normal end, where it changes nothing.
          onCancel: () => end('CANCELLED'),
        }),
      sendMetadata: (metadata, pass) => {
        pass(metadata);
        if (responseStream) rpc?.established?.();
      },
      sendStatus: (outcome, next) => {
        end(status[outcome.code] ?? String(outcome.code));
        next(outcome);
      },
    });
  };
}
