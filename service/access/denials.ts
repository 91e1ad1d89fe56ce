/** Counts every refusal, and logs refusals up to a limit. */
import type { Log } from '../telemetry/log.js';
import { LineLimits } from './line-limit.js';

/** Lines about unknown callers, for all addresses together. */
const UNKNOWN_PER_SECOND_MAX = 100;

/** Is called for each refusal, for metrics. Must not throw. */
export interface AccessObserver {
  /** A call was refused. `rpc` is an RPC that the host serves, so there are few of them. */
  onDenied(rpc: string, code: 'UNAUTHENTICATED' | 'PERMISSION_DENIED'): void;
  /** A connection was refused, by TLS or because of a limit. */
  onConnectionRefused(): void;
  /** A changed file cannot be used. `what` is one of a few words. */
  onReloadFailed(what: string): void;
}

/** For the log: where a call came from, and the trace that it belongs to. */
export interface Origin {
  readonly client: string;
  /** The network that limits apply to; `undefined` for a local connection. */
  readonly network?: string | undefined;
  readonly traceId?: string | undefined;
}

export class Denials {
  readonly #log: Log;
  readonly #observer: AccessObserver;
  /**
   * Known callers have a limit per principal. Unknown callers have one per address, and one for all
   * together.
   */
  readonly #lines = {
    UNAUTHENTICATED: new LineLimits(UNKNOWN_PER_SECOND_MAX),
    PERMISSION_DENIED: new LineLimits(),
    connection: new LineLimits(UNKNOWN_PER_SECOND_MAX),
  };

  constructor(log: Log, observer: AccessObserver) {
    this.#log = log;
    this.#observer = observer;
  }

  /** `why` goes only to the log. `principal` is the caller, or who it would have been. */
  call(
    rpc: string,
    code: 'UNAUTHENTICATED' | 'PERMISSION_DENIED',
    { why, principal, client, traceId }: Origin & { why: string; principal: string | undefined },
  ): void {
    this.#observer.onDenied(rpc, code);
    const fields = { rpc, code, principal, client, trace_id: traceId };
    const key = code === 'PERMISSION_DENIED' && principal !== undefined ? principal : addressOf(client);
    this.#write(this.#lines[code].take(key), 'access-denied', `${rpc} was refused: ${why}`, fields);
  }

  connection(client: string, message: string): void {
    this.#observer.onConnectionRefused();
    this.#write(this.#lines.connection.take(addressOf(client)), 'connection-refused', message, { client });
  }

  #write(
    turn: ReturnType<LineLimits['take']>,
    event: string,
    message: string,
    fields: Readonly<Record<string, string | undefined>>,
  ): void {
    if (turn !== undefined) this.#log.warn(event, message, { ...fields, ...turn });
  }
}

/** Strips the port, which differs for each connection. */
function addressOf(client: string): string {
  return client.replace(/:\d+$/, '');
}
