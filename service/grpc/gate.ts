/**
 * The gate: a server interceptor that every call of every service passes before its handler, health
 * and reflection included.
 *
 * The caller is known before a byte of the request's body is read. Invariant: a call goes on only
 * with a Caller; whatever fails on the way to one ends the call.
 */
import type { Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status,
} from '@grpc/grpc-js';
import type { Caller } from '../access/caller.js';
import { isChange } from '../access/permissions.js';
import { CallAudit } from '../api/call-audit.js';
import { type CallServices, takePlace, toErrorStatus } from '../api/call-services.js';
import { type Result, unwrap } from '../fault.js';
import type { TraceContext } from '../trace.js';
import type { Connections } from './connections.js';
import type { IncomingRequest, InFlightMessages } from './in-flight-messages.js';
import type { Peers } from './peers.js';
import { faultToGrpcStatus, toGrpcStatus } from './status.js';
import { http2StreamOf, originOf } from './wire.js';

/**
 * The caller is stored on the metadata of the call: only the metadata reaches both the interceptor
 * and the handler. Only this file has the symbol. (A WeakMap with an entry for each call costs more
 * than the rest of the gate.)
 */
const admittedAs = Symbol('the caller');
type Known = Metadata & { [admittedAs]?: Caller };

export class Gate {
  readonly #services: Pick<CallServices, 'access' | 'calls' | 'log'>;
  readonly #peers: Peers;
  readonly #inFlight: InFlightMessages;
  readonly #connections: Connections;
  /** The span of a call, if it is traced. */
  readonly traceOf: (call: { readonly metadata: Metadata }) => TraceContext | undefined;

  constructor(
    services: Pick<CallServices, 'access' | 'calls' | 'log'>,
    peers: Peers,
    inFlight: InFlightMessages,
    connections: Connections,
    traceOf: (call: { readonly metadata: Metadata }) => TraceContext | undefined,
  ) {
    this.#services = services;
    this.#peers = peers;
    this.#inFlight = inFlight;
    this.#connections = connections;
    this.traceOf = traceOf;
  }

  /** The caller of this call. Throws if the call did not pass the gate. */
  readonly callerOf = ({ metadata }: { readonly metadata: Known }): Caller => {
    const caller = metadata[admittedAs];
    if (caller === undefined) throw new Error('A call has come past the gate.');
    return caller;
  };

  readonly interceptor: ServerInterceptor = ({ path, requestStream, responseStream }, call) => {
    const rpc = path.slice(1);
    let incoming: IncomingRequest | undefined;
    let admitted: Caller | undefined;
    let trace: TraceContext | undefined;
    let isOver = false;
    let leave = () => {};
    const audit = isChange(rpc) ? new CallAudit(this.#services.access, rpc, call.getPeer()) : undefined;
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
              admitted = caller;
              trace = this.traceOf({ metadata });
              leave = unwrap(takePlace(this.#services, rpc, caller.principal));
              incoming = this.#inFlight.receive(call, requestStream, refuse);
              pass(metadata);
            };
            const fail = (error: unknown) =>
              call.sendStatus(toGrpcStatus(toErrorStatus(error, rpc, this.#services.log, this.traceOf({ metadata }))));
            try {
              enter(this.#admit(rpc, metadata, call));
            } catch (error) {
              fail(error);
            }
          },
          onReceiveMessage: (message, pass) => {
            incoming?.message();
            // A call without a message cannot have changed anything.
            if (admitted !== undefined) audit?.begin(admitted, trace);
            audit?.see(message);
            pass(message);
          },
          onReceiveHalfClose: (pass) => {
            incoming?.end();
            pass();
          },
          // Also runs after a normal end, when it changes nothing.
          onCancel: () => {
            isOver = true;
            leave();
            incoming?.end();
            audit?.end('CANCELLED');
          },
        }),
      sendMessage: (message, pass) => {
        audit?.see(message);
        // The audit records what was requested. The events say what became of it.
        if (responseStream) audit?.end('OK');
        incoming?.answered();
        pass(message);
      },
      sendStatus: (outcome, pass) => {
        audit?.end(status[outcome.code] ?? String(outcome.code));
        pass(outcome);
      },
    });
  };

  /** Returns the caller; or undefined if the call has been ended. */
  #admit(rpc: string, metadata: Known, call: ServerInterceptingCallInterface): Caller | undefined {
    const authorization = metadata.get('authorization').map(String);
    // No handler needs the credential, and what is removed cannot leak.
    metadata.remove('authorization');
    const session = http2StreamOf(call)?.session;
    const { network, certificate } = this.#peers.of(session);
    const traceId = this.traceOf({ metadata })?.traceId;
    const origin = { client: call.getPeer(), network, traceId };
    const admitted = this.#services.access.admit(rpc, { authorization, certificate }, origin);
    if (session !== undefined) this.#tellConnections(session, admitted);
    if (admitted.ok) {
      metadata[admittedAs] = admitted.value;
      return admitted.value;
    }
    call.sendStatus(faultToGrpcStatus(admitted.fault));
    return undefined;
  }

  /** A caller without the permission is known, too. */
  #tellConnections(session: Http2Session, admitted: Result<Caller>): void {
    const isKnown = admitted.ok || admitted.fault.reason === 'PERMISSION_DENIED';
    if (isKnown) this.#connections.identify(session);
    else this.#connections.refuseCall(session);
  }

  /**
   * Whether the caller of an RPC that is not served is known. grpc-js makes no call of such a
   * request.
   */
  recognize({ session }: ServerHttp2Stream, { authorization }: IncomingHttpHeaders): Result<void> {
    const { network, certificate } = this.#peers.of(session);
    const shown = { authorization: authorization === undefined ? [] : [authorization], certificate };
    const client = session === undefined ? 'unknown' : originOf(session.socket);
    return this.#services.access.recognize(shown, { client, network });
  }
}
