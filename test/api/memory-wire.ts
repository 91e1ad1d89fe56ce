/**
 * A second wire, without a network: serves the table of methods to callers in this process. It
 * passes each call through the same services as gRPC does (admission, quotas, bytes in flight,
 * observing, audit, open streams), and has nothing of them itself.
 */
import { codeToJSON } from '../../proto/gen/google/rpc/code.js';
import type { Status } from '../../proto/gen/google/rpc/status.js';
import { isChange } from '../../service/access/permissions.js';
import { CallAudit } from '../../service/api/call-audit.js';
import { type CallServices, notServed, takePlace, toErrorStatus } from '../../service/api/call-services.js';
import { type Context, isStream, type Method, type Service } from '../../service/api/method.js';
import { runStream, type Sink } from '../../service/api/stream-call.js';
import { runUnary } from '../../service/api/unary-call.js';
import { FaultError, unwrap } from '../../service/fault.js';

export type Headers = Readonly<Record<string, string>>;

/** How a call ended. `status` is undefined if it was OK. */
export interface Ending {
  readonly messages: readonly Uint8Array[];
  readonly status: Status | undefined;
}

const CLIENT = 'memory:1';

/** What a call holds until it has ended, and what is told when it does. */
interface Passage {
  readonly context: Context;
  readonly see: (message: object) => void;
  readonly established: () => void;
  readonly end: (status: Status | undefined) => void;
}

export class MemoryWire {
  readonly #methods: ReadonlyMap<string, Method>;
  readonly #services: CallServices;

  constructor(services: readonly Service[], calls: CallServices) {
    this.#methods = new Map(services.flatMap(({ methods }) => methods.map((method) => [method.rpc, method] as const)));
    this.#services = calls;
  }

  /** Makes a call, and reads its messages as they come. */
  call(rpc: string, request: Uint8Array, headers: Headers = {}): MemoryCall {
    const call = new MemoryCall();
    const method = this.#methods.get(rpc);
    const rpcObserver = this.#services.observer.onRpcStarted(rpc, (name) => headers[name] ?? '');
    const finish = (status: Status | undefined) => {
      rpcObserver.onEnded(codeToJSON((status?.code ?? 0) as Parameters<typeof codeToJSON>[0]));
      call.end(status);
    };
    try {
      if (method === undefined) throw new FaultError(notServed(rpc));
      const passage = this.#admit(method, request, headers, call, finish, rpcObserver);
      const message = method.decode(request);
      passage.see(message);
      if (isStream(method)) runStream(this.#services, method, message, passage.context, sinkOf(method, call, passage));
      else this.#answer(method, message, call, passage);
    } catch (error) {
      finish(toErrorStatus(error, rpc, this.#services.log, rpcObserver.trace));
    }
    return call;
  }

  #admit(
    { rpc }: Method,
    request: Uint8Array,
    headers: Headers,
    call: MemoryCall,
    finish: (status: Status | undefined) => void,
    observer: ReturnType<CallServices['observer']['onRpcStarted']>,
  ): Passage {
    const { access, inFlight } = this.#services;
    const authorization = headers['authorization'] === undefined ? [] : [headers['authorization']];
    const origin = { client: CLIENT, network: undefined, traceId: observer.trace?.traceId };
    const caller = unwrap(access.admit(rpc, { authorization, certificate: undefined }, origin));
    const leave = unwrap(takePlace(this.#services, rpc, caller.principal));
    const audit = isChange(rpc) ? new CallAudit(access, rpc, CLIENT) : undefined;
    audit?.begin(caller, observer.trace);
    inFlight.total += request.length;
    call.onClosed(() => {
      leave();
      inFlight.total -= request.length;
    });
    return {
      context: { caller, rpc, trace: observer.trace, signal: call.signal },
      see: (message) => audit?.see(message),
      established: () => observer.onEstablished?.(),
      end: (status) => {
        audit?.end(status === undefined ? 'OK' : codeToJSON(status.code as Parameters<typeof codeToJSON>[0]));
        finish(status);
      },
    };
  }

  #answer(method: Exclude<Method, { open: unknown }>, message: unknown, call: MemoryCall, passage: Passage): void {
    runUnary(this.#services, method, message, passage.context, (outcome) => {
      if (!outcome.isOk) {
        passage.end(outcome.status);
        return;
      }
      passage.see(outcome.answer as object);
      call.put(method.encode(outcome.answer), () => {});
      passage.end(undefined);
    });
  }
}

function sinkOf(method: Method, call: MemoryCall, passage: Passage): Sink<object> {
  return {
    establish: passage.established,
    write: (message, taken) => {
      passage.see(message);
      call.put(method.encode(message), taken);
    },
    end: (status) => passage.end(status),
    reset: () => call.end(undefined),
    onClosed: (listener) => call.onClosed(listener),
  };
}

/** One call, as its client has it. Nothing is taken from the stream until it is read. */
class MemoryCall {
  readonly #gone = new AbortController();
  readonly #waiting: { readonly bytes: Uint8Array; readonly taken: () => void }[] = [];
  readonly #closed: (() => void)[] = [];
  #status: Status | undefined;
  #isOver = false;
  #wake = () => {};

  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  put(bytes: Uint8Array, taken: () => void): void {
    this.#waiting.push({ bytes, taken });
    this.#wake();
  }

  end(status: Status | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#status = status;
    for (const listener of this.#closed) listener();
    this.#wake();
  }

  onClosed(listener: () => void): void {
    if (this.#isOver) listener();
    else this.#closed.push(listener);
  }

  /** The client no longer waits. */
  cancel(): void {
    this.#gone.abort('cancelled');
    this.end(undefined);
  }

  /** The next message; undefined when the call has ended. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const first = this.#waiting.shift();
      if (first !== undefined) {
        // In a turn of its own, as on a network.
        setImmediate(first.taken);
        return first.bytes;
      }
      if (this.#isOver) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** All messages to the end. */
  async ending(): Promise<Ending> {
    const messages: Uint8Array[] = [];
    for (let bytes = await this.next(); bytes !== undefined; bytes = await this.next()) messages.push(bytes);
    return { messages, status: this.#status };
  }
}
