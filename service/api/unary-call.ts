/** Runs a unary method. An answer in the same turn needs no promise. */
import type { Status } from '../../proto/gen/google/rpc/status.js';
import { unwrap } from '../fault.js';
import { type CallServices, checkRate, toErrorStatus } from './call-services.js';
import type { Context, UnaryMethod } from './method.js';

/** The outcome of a call. */
export type Outcome<Answer> =
  | { readonly isOk: true; readonly answer: Answer }
  | { readonly isOk: false; readonly status: Status };

/** Always calls `done`, once. Otherwise the client would wait for ever. */
export function runUnary<Request, Answer>(
  services: CallServices,
  method: UnaryMethod<Request, Answer>,
  request: Request,
  context: Context,
  done: (outcome: Outcome<Answer>) => void,
): void {
  const { caller, rpc, trace } = context;
  let release = () => {};
  const succeed = (answer: Answer) => {
    done({ isOk: true, answer });
    release();
  };
  const fail = (error: unknown) => {
    done({ isOk: false, status: toErrorStatus(error, rpc, services.log, trace) });
    release();
  };
  let answer: Answer | Promise<Answer>;
  try {
    checkRate(services, method, caller.principal);
    release = unwrap(services.requests.take(caller.principal));
    answer = method.answer(request, context);
  } catch (error) {
    fail(error);
    return;
  }
  if (answer instanceof Promise) answer.then(succeed, fail);
  else succeed(answer);
}
