/** An async function as a grpc-js handler of a unary call. Nothing can escape it: a rejection would leave the client hanging. */
import type { handleUnaryCall } from '@grpc/grpc-js';
import { type Context, type Edge, must, settle } from './edge.js';

export function unary<Request, Response>(
  edge: Edge,
  rpc: string,
  handle: (request: Request, context: Context) => Response | Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const gone = new AbortController();
    let release = () => {};
    // Also comes after a normal end, where it changes nothing.
    call.once('cancelled', () => gone.abort());
    const answer = async () => {
      const caller = edge.callerOf(call);
      release = must(edge.requests.take(caller.principal));
      return handle(call.request, { caller, rpc, signal: gone.signal, metadata: call.metadata });
    };
    answer()
      .then(
        (response) => callback(null, response),
        (error: unknown) => callback(settle(error, rpc, edge.log)),
      )
      .finally(() => release());
  };
}
