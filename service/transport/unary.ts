/**
 * A function, async or not, as a grpc-js handler of a unary call. Nothing can escape it: a rejection would leave the client hanging.
 * What is answered in the same turn costs no promise.
 */
import type { handleUnaryCall } from '@grpc/grpc-js';
import { type Edge, must, paced, settle, type UnaryContext } from './edge.js';
import type { Departure } from './transit.js';

export function unary<Request, Response>(
  edge: Edge,
  rpc: string,
  handle: (request: Request, context: UnaryContext) => Response | Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    // Few handlers wait for anything, so few need to know when nobody waits for them.
    let gone: AbortController | undefined;
    let release = () => {};
    // Also comes after a normal end, when the answer has been taken.
    let departure: Departure | undefined;
    call.once('cancelled', () => {
      gone?.abort('cancelled');
      departure?.end();
    });
    const succeed = (response: Response) => {
      callback(null, response);
      if (!call.cancelled) departure = edge.transit.depart(call);
      release();
    };
    const fail = (error: unknown) => {
      callback(settle(error, rpc, edge.log, edge.traceOf(call)));
      release();
    };
    let response: Response | Promise<Response>;
    try {
      const caller = edge.callerOf(call);
      paced(edge, rpc, caller.principal);
      release = must(edge.requests.take(caller.principal));
      response = handle(call.request, {
        caller,
        rpc,
        metadata: call.metadata,
        trace: edge.traceOf(call),
        get signal() {
          gone ??= new AbortController();
          if (call.cancelled) gone.abort('cancelled');
          return gone.signal;
        },
      });
    } catch (error) {
      return fail(error);
    }
    if (response instanceof Promise) response.then(succeed, fail);
    else succeed(response);
  };
}
