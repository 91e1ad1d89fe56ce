/**
 * The gate: a server interceptor, so that no call of any service, whoever wrote it, reaches its handler but through here.
 *
 * The caller is known before a byte of the request's body is read. The rule that must not be broken: a call goes on only with a Caller;
 * whatever fails on the way to one ends it.
 */
import type { Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status,
} from '@grpc/grpc-js';
import type { Access } from '../access/access.js';
import type { Caller } from '../access/caller.js';
import { isChange } from '../access/permissions.js';
import type { Quota } from '../access/quota.js';
import type { Result } from '../fault.js';
import type { Log } from '../telemetry/log.js';
import type { TraceContext } from '../trace.js';
import type { Connections } from './connections.js';
import { must, settle } from './edge.js';
import type { Peers } from './peers.js';
import { toStatus } from './status.js';
import type { Arrival, Transit } from './transit.js';
import { http2StreamOf, originOf } from './wire.js';

/**
 * Who makes a call, kept on its metadata: the one thing that both its interceptor and its handler hold. Nothing but this file can name the
 * symbol. (A WeakMap with an entry for each call costs more than all the rest of the gate.)
 */
const admittedAs = Symbol('the caller');
type Known = Metadata & { [admittedAs]?: Caller };

/** Calls that no quota counts. */
const PROBES: ReadonlySet<string> = new Set(['grpc.health.v1.Health/Check', 'grpc.health.v1.Health/List']);

interface Admitted {
  readonly caller: Caller;
  readonly trace: TraceContext | undefined;
}

export class Gate {
  readonly #access: Access;
  readonly #peers: Peers;
  readonly #calls: Quota;
  readonly #transit: Transit;
  readonly #connections: Connections;
  readonly #log: Log;
  readonly #traceOf: (call: { readonly metadata: Metadata }) => TraceContext | undefined;

  /** `traceOf` gives the span of a call, where it is traced. */
  constructor(
    access: Access,
    peers: Peers,
    bounds: { readonly calls: Quota; readonly transit: Transit; readonly connections: Connections },
    log: Log,
    traceOf: (call: { readonly metadata: Metadata }) => TraceContext | undefined,
  ) {
    this.#access = access;
    this.#peers = peers;
    this.#calls = bounds.calls;
    this.#transit = bounds.transit;
    this.#connections = bounds.connections;
    this.#log = log;
    this.#traceOf = traceOf;
  }

  /** Who makes this call. Throws for one that did not come through the gate. */
  readonly callerOf = ({ metadata }: { readonly metadata: Known }): Caller => {
    const caller = metadata[admittedAs];
    if (caller === undefined) throw new Error('A call has come past the gate.');
    return caller;
  };

  readonly interceptor: ServerInterceptor = ({ path, requestStream, responseStream }, call) => {
    const rpc = path.slice(1);
    let arrival: Arrival | undefined;
    let admitted: Admitted | undefined;
    let isOver = false;
    let leave = () => {};
    const audit = isChange(rpc) ? new Audit(this.#access, rpc, call.getPeer()) : undefined;
    const refuse = (outcome: Parameters<ServerInterceptingCallInterface['sendStatus']>[0]) => {
      audit?.end(status[outcome.code] ?? String(outcome.code));
      call.sendStatus(outcome);
    };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, pass) => {
            const enter = (caller: Caller | undefined) => {
              if (caller === undefined || isOver) return;
              admitted = { caller, trace: this.#traceOf({ metadata }) };
              // A prober is answered also where everybody else has had enough; transit and its connection bound it.
              if (!PROBES.has(rpc)) leave = must(this.#calls.take(caller.principal));
              arrival = this.#transit.arrive(call, requestStream, refuse);
              pass(metadata);
            };
            const fail = (error: unknown) =>
              call.sendStatus(settle(error, rpc, this.#log, this.#traceOf({ metadata })));
            try {
              enter(this.#admit(rpc, metadata, call));
            } catch (error) {
              fail(error);
            }
          },
          onReceiveMessage: (message, pass) => {
            arrival?.message();
            // A call without a message is none: it can't have changed anything.
            if (admitted !== undefined) audit?.begin(admitted);
            audit?.see(message);
            pass(message);
          },
          onReceiveHalfClose: (pass) => {
            arrival?.end();
            pass();
          },
          // Also comes after a normal end, where it changes nothing.
          onCancel: () => {
            isOver = true;
            leave();
            arrival?.end();
            audit?.end('CANCELLED');
          },
        }),
      sendMessage: (message, pass) => {
        audit?.see(message);
        // What a stream began with is what was asked for; what becomes of it is in the events.
        if (responseStream) audit?.end('OK');
        arrival?.answered();
        pass(message);
      },
      sendStatus: (outcome, pass) => {
        audit?.end(status[outcome.code] ?? String(outcome.code));
        pass(outcome);
      },
    });
  };

  /** The caller; or undefined, and the call has ended. */
  #admit(rpc: string, metadata: Known, call: ServerInterceptingCallInterface): Caller | undefined {
    const authorization = metadata.get('authorization').map(String);
    // Nothing behind the gate needs it, and what isn't there can't leak.
    metadata.remove('authorization');
    const session = http2StreamOf(call)?.session;
    const { network, certificate } = this.#peers.of(session);
    const traceId = this.#traceOf({ metadata })?.traceId;
    const origin = { client: call.getPeer(), network, traceId };
    const admitted = this.#access.admit(rpc, { authorization, certificate }, origin);
    if (session !== undefined) this.#tellConnections(session, admitted);
    if (admitted.ok) {
      metadata[admittedAs] = admitted.value;
      return admitted.value;
    }
    call.sendStatus(toStatus(admitted.fault));
    return undefined;
  }

  /** Who has no right to call is known all the same. */
  #tellConnections(session: Http2Session, admitted: Result<Caller>): void {
    const isKnown = admitted.ok || admitted.fault.reason === 'PERMISSION_DENIED';
    if (isKnown) this.#connections.identify(session);
    else this.#connections.refuseCall(session);
  }

  /** Whether the sender of a request for an RPC that is not served is known. To grpc-js such a request is no call. */
  recognize({ session }: ServerHttp2Stream, { authorization }: IncomingHttpHeaders): Result<void> {
    const { network, certificate } = this.#peers.of(session);
    const shown = { authorization: authorization === undefined ? [] : [authorization], certificate };
    const client = session === undefined ? 'unknown' : originOf(session.socket);
    return this.#access.recognize(shown, { client, network });
  }
}

/** One record for each call that may change something: the first outcome is the one. */
class Audit {
  readonly #access: Access;
  readonly #rpc: string;
  readonly #client: string;
  #caller: Caller | undefined;
  #sessionId: string | undefined;
  #deviceAddress: string | undefined;
  #requestId: string | undefined;
  #traceId: string | undefined;

  constructor(access: Access, rpc: string, client: string) {
    this.#access = access;
    this.#rpc = rpc;
    this.#client = client;
  }

  begin({ caller, trace }: Admitted): void {
    this.#caller = caller;
    this.#traceId = trace?.traceId;
  }

  /** Takes what a request or an answer says of the session. An answer names it as the rooms behind the gate do. */
  see(message: {
    sessionId?: string;
    deviceAddress?: string;
    requestId?: string;
    session?: { id?: string };
    event?: { session?: { id?: string } } | undefined;
  }): void {
    const { sessionId, deviceAddress, requestId, event, session = event?.session } = message;
    this.#sessionId ??= session?.id ?? (sessionId || undefined);
    this.#deviceAddress ??= deviceAddress || undefined;
    this.#requestId ??= requestId || undefined;
  }

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
