/**
 * The interceptor nearest to the wire. It reports every RPC of every service to the observer, with
 * the status that the client gets. Refusals by grpc-js itself are sent with the details of the
 * contract.
 */
import { type Metadata, ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';
import type { Observer, RpcObserver } from '../telemetry/observer.js';
import type { TraceContext } from '../trace.js';
import type { Explain } from './refusals.js';
import { ACCEPTED_ENCODING } from './request-headers.js';
import { changeStatus, discardRequest, http2StreamOf } from './wire.js';

export class Observing {
  readonly #observer: Observer;
  readonly #explain: Explain;
  /** Only the metadata of a call reaches both its interceptors and its handler. */
  readonly #traces = new WeakMap<Metadata, TraceContext>();

  constructor(observer: Observer, explain: Explain) {
    this.#observer = observer;
    this.#explain = explain;
  }

  /** The span of a call, if it is traced. */
  readonly traceOf = ({ metadata }: { readonly metadata: Metadata }): TraceContext | undefined =>
    this.#traces.get(metadata);

  readonly interceptor: ServerInterceptor = ({ path, responseStream }, call) => {
    let rpc: RpcObserver | undefined;
    const end = (code: string) => {
      rpc?.onEnded(code);
      rpc = undefined;
    };
    changeStatus(call, (outcome) => {
      const told = this.#explain(outcome, path.slice(1), rpc?.trace);
      end(status[told.code] ?? String(told.code));
      return told;
    });
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, pass) => {
            rpc = this.#observer.onRpcStarted(path.slice(1), (name) => metadata.get(name).join(','));
            if (rpc.trace !== undefined) this.#traces.set(metadata, rpc.trace);
            pass(metadata);
          },
          // Also runs after a normal end, when it changes nothing.
          onCancel: () => {
            end('CANCELLED');
            const stream = http2StreamOf(call);
            if (stream !== undefined) discardRequest(stream);
          },
        }),
      sendMetadata: (metadata, pass) => {
        metadata.set(...ACCEPTED_ENCODING);
        pass(metadata);
        if (responseStream) rpc?.onEstablished?.();
      },
    });
  };
}
