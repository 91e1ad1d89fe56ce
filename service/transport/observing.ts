/** An interceptor that tells the observer of every RPC, whoever serves it, with the status that the client gets. */
import { ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';
import type { Observer } from '../telemetry/observer.js';

export function observing(observer: Observer): ServerInterceptor {
  return ({ path }, call) => {
    const ended = observer.rpcStarted(path.slice(1));
    let isOver = false;
    const end = (code: string) => {
      if (!isOver) ended(code);
      isOver = true;
    };
    return new ServerInterceptingCall(call, {
      // Also comes after a normal end, where it changes nothing.
      start: (next) => next({ onCancel: () => end('CANCELLED') }),
      sendStatus: (outcome, next) => {
        end(status[outcome.code] ?? String(outcome.code));
        next(outcome);
      },
    });
  };
}
