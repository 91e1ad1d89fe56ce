/**
 * The contract as a table of methods: the types of each RPC, who may call it, and the function that
 * does the work. A wire provides bytes and callers and serves whatever the table has. It needs to
 * know nothing else about the contract.
 */
import type { Caller } from '../access/caller.js';
import { type Permission, permissionOf } from '../access/permissions.js';
import type { EventCause } from '../session/session.js';
import type { TraceContext } from '../trace.js';
import type { Source } from './source.js';

/** One call and its caller. */
export interface Context {
  readonly caller: Caller;
  /** `wifidirect.v1.SessionService/CloseSession` */
  readonly rpc: string;
  readonly trace: TraceContext | undefined;
  /** Aborted when the client no longer waits. */
  readonly signal: AbortSignal;
}

interface Described<Request, Message> {
  /** `CloseSession` */
  readonly name: string;
  /** `wifidirect.v1.SessionService/CloseSession` */
  readonly rpc: string;
  readonly permission: Permission;
  readonly decode: (bytes: Uint8Array) => Request;
  readonly encode: (message: Message) => Buffer;
}

export interface UnaryMethod<Request, Answer> extends Described<Request, Answer> {
  readonly answer: (request: Request, context: Context) => Answer | Promise<Answer>;
}

export interface StreamMethod<Request, Message> extends Described<Request, Message> {
  readonly open: (request: Request, context: Context) => Source<Message>;
  /** How long a client that reads nothing may keep a stream open that is to end. */
  readonly graceMs: number;
}

// biome-ignore lint/suspicious/noExplicitAny: a table holds methods of all types; each entry fits together.
export type Method = UnaryMethod<any, any> | StreamMethod<any, any>;

export function isStream(method: Method): method is Extract<Method, { readonly open: unknown }> {
  return 'open' in method;
}

export interface Service {
  /** `wifidirect.v1.SessionService` */
  readonly name: string;
  readonly methods: readonly Method[];
}

/** The functions that are generated for one message type. */
interface MessageType<Message> {
  encode(message: Message): { finish(): Uint8Array };
  decode(bytes: Uint8Array): Message;
}

interface GeneratedMethod<Request, Message> {
  readonly name: string;
  readonly requestType: MessageType<Request>;
  readonly responseType: MessageType<Message>;
  readonly responseStream: boolean;
}

/** What is generated for one service. */
interface GeneratedService {
  readonly fullName: string;
  // biome-ignore lint/suspicious/noExplicitAny: each method has types of its own, which Handlers keeps.
  readonly methods: Readonly<Record<string, GeneratedMethod<any, any>>>;
}

/**
 * The implementation of a method. If it has an `encode` of its own, it may return the parts of a
 * message instead of a message.
 */
type UnaryHandler<Request, Answer> = Pick<UnaryMethod<Request, Answer>, 'answer'> &
  Partial<Pick<UnaryMethod<Request, Answer>, 'encode'>>;
type StreamHandler<Request, Message> = Pick<StreamMethod<Request, Message>, 'open' | 'graceMs'> &
  Partial<Pick<StreamMethod<Request, Message>, 'encode'>>;

type HandlerOf<Method> =
  Method extends GeneratedMethod<infer Request, infer Message>
    ? Method['responseStream'] extends true
      ? // biome-ignore lint/suspicious/noExplicitAny: with an encoding of its own it sends what that takes.
        StreamHandler<Request, Message> | Required<StreamHandler<Request, any>>
      : // biome-ignore lint/suspicious/noExplicitAny: the same.
        UnaryHandler<Request, Message> | Required<UnaryHandler<Request, any>>
    : never;

/** One handler for each method. A missing one does not compile. */
export type Handlers<Generated extends GeneratedService> = {
  readonly [Name in keyof Generated['methods']]: HandlerOf<Generated['methods'][Name]>;
};

/** Combines a generated service with its handlers. */
export function serviceOf<Generated extends GeneratedService>(
  { fullName, methods }: Generated,
  handlers: Handlers<Generated>,
): Service {
  const entries = Object.entries(methods).map(([key, { name, requestType, responseType }]) => {
    const rpc = `${fullName}/${name}`;
    const described = {
      name,
      rpc,
      permission: permissionOf(rpc),
      decode: (bytes: Uint8Array) => requestType.decode(bytes),
      encode: (message: unknown) => Buffer.from(responseType.encode(message).finish()),
    };
    return { ...described, ...(handlers as Record<string, object>)[key] } as Method;
  });
  return { name: fullName, methods: entries };
}

/** The cause that the events of a change record: the call that requested it. */
export function causeOf({ rpc, caller, trace }: Context, requestId: string): EventCause {
  return { source: 'CLIENT', rpc, principal: caller.principal, requestId, ...(trace && { trace }) };
}
