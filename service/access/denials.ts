/** What was refused: each is counted, and logged unless there are too many. */
import type { Log } from '../telemetry/log.js';
import { LineLimits } from './line-limit.js';

/** Lines about callers that nobody knows, from all addresses together. */
const UNKNOWN_PER_SECOND_MAX = 100;

/** Told of what the gate refuses, for metrics. Must not throw. */
export interface AccessObserver {
  /** One call was refused. `rpc` is one that the host serves, so there are few of them. */
  denied(rpc: string, code: 'UNAUTHENTICATED' | 'PERMISSION_DENIED'): void;
  /** A connection was refused, by TLS or for the number of them. */
  connectionRefused(): void;
  /** A file that has changed can't be used; `what` is one of few. */
  reloadFailed(what: string): void;
}

/** For the log: where a call came from, and the trace that it belongs to. */
export interface Origin {
  readonly client: string;
  /** What counts as one address among clients; `undefined` where the connection is local. */
  readonly network?: string | undefined;
  readonly traceId?: string | undefined;
}

export class Denials {
  readonly #log: Log;
  readonly #observer: AccessObserver;
  /** Who is known has a limit of their own; who is not, one for each address that they come from, and one for all. */
  readonly #lines = {
    UNAUTHENTICATED: new LineLimits(UNKNOWN_PER_SECOND_MAX),
    PERMISSION_DENIED: new LineLimits(),
    connection: new LineLimits(UNKNOWN_PER_SECOND_MAX),
  };

  constructor(log: Log, observer: AccessObserver) {
    this.#log = log;
    this.#observer = observer;
  }

  /** `why` is in the log alone. `principal` is who it was, or would have been. */
  call(
    rpc: string,
    code: 'UNAUTHENTICATED' | 'PERMISSION_DENIED',
    { why, principal, client, traceId }: Origin & { why: string; principal: string | undefined },
  ): void {
    this.#observer.denied(rpc, code);
    const fields = { rpc, code, principal, client, trace_id: traceId };
    const key = code === 'PERMISSION_DENIED' && principal !== undefined ? principal : addressOf(client);
    this.#write(this.#lines[code].take(key), 'access-denied', `${rpc} was refused: ${why}`, fields);
  }

  connection(client: string, message: string): void {
    this.#observer.connectionRefused();
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

/** Without the port, which is another for each connection. */
function addressOf(client: string): string {
  return client.replace(/:\d+$/, '');
}
