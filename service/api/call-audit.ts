/** Writes one audit record for each call that may change something. The first outcome counts. */
import type { Access } from '../access/access.js';
import type { Caller } from '../access/caller.js';
import type { TraceContext } from '../trace.js';

/**
 * The fields of requests and answers that identify a session. Answers have the types of `session/`.
 */
interface Message {
  readonly sessionId?: string;
  readonly deviceAddress?: string;
  readonly requestId?: string;
  readonly session?: { readonly id?: string };
  readonly event?: { readonly session?: { readonly id?: string } } | undefined;
}

export class CallAudit {
  readonly #access: Access;
  readonly #rpc: string;
  readonly #client: string;
  #caller: Caller | undefined;
  #sessionId: string | undefined;
  #deviceAddress: string | undefined;
  #requestId: string | undefined;
  #traceId: string | undefined;

  /** `client` is the origin of the call: `address:port`. */
  constructor(access: Access, rpc: string, client: string) {
    this.#access = access;
    this.#rpc = rpc;
    this.#client = client;
  }

  /** The call has a caller and a request, so it may change something. */
  begin(caller: Caller, trace: TraceContext | undefined): void {
    this.#caller = caller;
    this.#traceId = trace?.traceId;
  }

  /** Reads a request or an answer. */
  see(message: Message): void {
    const { sessionId, deviceAddress, requestId, event, session = event?.session } = message;
    this.#sessionId ??= session?.id ?? (sessionId || undefined);
    this.#deviceAddress ??= deviceAddress || undefined;
    this.#requestId ??= requestId || undefined;
  }

  /** Writes the record, with the name of a status code. */
  end(code: string): void {
    if (this.#caller === undefined) return;
    this.#access.audit({
      principal: this.#caller.principal,
      rpc: this.#rpc,
      sessionId: this.#sessionId,
      deviceAddress: this.#deviceAddress,
      requestId: this.#requestId,
      code,
      client: this.#client,
      traceId: this.#traceId,
    });
    this.#caller = undefined;
  }
}
