/** The methods of a service as grpc-js serves them. */
import { constants } from 'node:http2';
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type MethodDefinition,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { type CallServices, toErrorStatus } from '../api/call-services.js';
import {
  type Context,
  isStream,
  type Method,
  type Service,
  type StreamMethod,
  type UnaryMethod,
} from '../api/method.js';
import { runStream, type Sink } from '../api/stream-call.js';
import { runUnary } from '../api/unary-call.js';
import type { Gate } from './gate.js';
import type { InFlightMessages, OutgoingResponse } from './in-flight-messages.js';
import { toGrpcStatus } from './status.js';
import { http2StreamOf } from './wire.js';

/** The interceptors that each call has passed, as far as handlers need them. */
export interface Interceptors {
  /** The caller and the span of a call. Throws if the call did not pass the gate. */
  readonly gate: Pick<Gate, 'callerOf' | 'traceOf'>;
  readonly inFlight: Pick<InFlightMessages, 'send'>;
}

export function definitionOf({ methods }: Service): ServiceDefinition {
  return Object.fromEntries(methods.map((method) => [method.name, methodDefinition(method)]));
}

function methodDefinition(method: Method): MethodDefinition<unknown, unknown> {
  return {
    path: `/${method.rpc}`,
    requestStream: false,
    responseStream: isStream(method),
    requestSerialize: unused,
    requestDeserialize: method.decode,
    responseSerialize: method.encode,
    responseDeserialize: unused,
  };
}

/** Replaces the functions of a definition that only a client needs. */
export function unused(): never {
  throw new Error('This definition is a server’s.');
}

export function implementationOf(
  { methods }: Service,
  services: CallServices,
  interceptors: Interceptors,
): UntypedServiceImplementation {
  const serve = (method: Method) =>
    isStream(method) ? streamHandler(method, services, interceptors) : unaryHandler(method, services, interceptors);
  return Object.fromEntries(methods.map((method) => [method.name, serve(method)]));
}

function unaryHandler<Request, Answer>(
  method: UnaryMethod<Request, Answer>,
  services: CallServices,
  { gate, inFlight }: Interceptors,
): handleUnaryCall<Request, Answer> {
  return (call, callback) => {
    let response: OutgoingResponse | undefined;
    // Also emitted after a normal end, when the client has taken the answer.
    call.once('cancelled', () => response?.end());
    try {
      runUnary(services, method, call.request, contextOf(call, method.rpc, gate), (outcome) => {
        if (outcome.isOk) {
          callback(null, outcome.answer);
          if (!call.cancelled) response = inFlight.send(call);
        } else {
          callback(toGrpcStatus(outcome.status));
        }
      });
    } catch (error) {
      callback(toGrpcStatus(toErrorStatus(error, method.rpc, services.log)));
    }
  };
}

export function streamHandler<Request, Message>(
  method: StreamMethod<Request, Message>,
  services: CallServices,
  { gate }: Interceptors,
): handleServerStreamingCall<Request, Message> {
  return (call) => {
    call.on('error', () => {});
    const sink = sinkOf(call);
    try {
      runStream(services, method, call.request, contextOf(call, method.rpc, gate), sink);
    } catch (error) {
      sink.end(toErrorStatus(error, method.rpc, services.log));
    }
  };
}

function contextOf(
  call: ServerUnaryCall<unknown, unknown> | ServerWritableStream<unknown, unknown>,
  rpc: string,
  gate: Interceptors['gate'],
): Context {
  // Created when it is used, because few handlers wait for anything.
  let gone: AbortController | undefined;
  return {
    caller: gate.callerOf(call),
    rpc,
    trace: gate.traceOf(call),
    get signal() {
      if (gone === undefined) {
        const leaving = new AbortController();
        gone = leaving;
        if (call.cancelled) leaving.abort('cancelled');
        else call.once('cancelled', () => leaving.abort('cancelled'));
      }
      return gone.signal;
    },
  };
}

function sinkOf<Message>(call: ServerWritableStream<unknown, Message>): Sink<Message> {
  return {
    // The headers of the answer.
    establish: () => call.sendMetadata(new Metadata()),
    write: (message, taken) => call.write(message, taken),
    end: (status) => {
      if (status === undefined) call.end();
      else call.emit('error', toGrpcStatus(status));
    },
    // If the stream is not found, it stays until keepalive closes its connection.
    reset: () => http2StreamOf(call)?.close(constants.NGHTTP2_ENHANCE_YOUR_CALM),
    onClosed: (listener) => call.once('close', listener),
  };
}
