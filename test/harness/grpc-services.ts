/**
 * The services of the contract for grpc-js: clients and definitions, made of what is generated from
 * the `.proto` files.
 */
import {
  type CallOptions,
  type ChannelCredentials,
  type Client,
  type ClientOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type Metadata,
  type MethodDefinition,
  makeGenericClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { SimulatorServiceDefinition } from '../../proto/gen/wifidirect/simulator/v1/simulator_service.js';
import { DeviceServiceDefinition } from '../../proto/gen/wifidirect/v1/device_service.js';
import { HostServiceDefinition } from '../../proto/gen/wifidirect/v1/host_service.js';
import { SessionServiceDefinition } from '../../proto/gen/wifidirect/v1/session_service.js';

interface MessageType<Message> {
  encode(message: Message): { finish(): Uint8Array };
  decode(bytes: Uint8Array): Message;
}

interface GeneratedMethod<Request, Response> {
  readonly name: string;
  readonly requestType: MessageType<Request>;
  readonly requestStream: boolean;
  readonly responseType: MessageType<Response>;
  readonly responseStream: boolean;
}

interface GeneratedService {
  readonly fullName: string;
  // biome-ignore lint/suspicious/noExplicitAny: each method has types of its own, which the mapped types keep.
  readonly methods: Readonly<Record<string, GeneratedMethod<any, any>>>;
}

type Answered<Response> = (error: ServiceError | null, response: Response) => void;

interface UnaryCall<Request, Response> {
  (request: Request, answered: Answered<Response>): ClientUnaryCall;
  (request: Request, metadata: Metadata, answered: Answered<Response>): ClientUnaryCall;
  (request: Request, metadata: Metadata, options: Partial<CallOptions>, answered: Answered<Response>): ClientUnaryCall;
}

interface StreamCall<Request, Response> {
  (request: Request, options?: Partial<CallOptions>): ClientReadableStream<Response>;
  (request: Request, metadata?: Metadata, options?: Partial<CallOptions>): ClientReadableStream<Response>;
}

type CallsOf<Service extends GeneratedService> = {
  [Name in keyof Service['methods']]: Service['methods'][Name] extends GeneratedMethod<infer Request, infer Response>
    ? Service['methods'][Name]['responseStream'] extends true
      ? StreamCall<Request, Response>
      : UnaryCall<Request, Response>
    : never;
};

/** What a server of this service implements. */
export type HandlersOf<Service extends GeneratedService> = {
  [Name in keyof Service['methods']]: Service['methods'][Name] extends GeneratedMethod<infer Request, infer Response>
    ? Service['methods'][Name]['responseStream'] extends true
      ? handleServerStreamingCall<Request, Response>
      : handleUnaryCall<Request, Response>
    : never;
};

type DefinitionOf<Service extends GeneratedService> = {
  readonly [Name in keyof Service['methods']]: Service['methods'][Name] extends GeneratedMethod<
    infer Request,
    infer Response
  >
    ? MethodDefinition<Request, Response>
    : never;
};

type ClientClass<Service extends GeneratedService> = new (
  address: string,
  credentials: ChannelCredentials,
  options?: Partial<ClientOptions>,
) => Client & CallsOf<Service>;

export function grpcDefinition<Service extends GeneratedService>(service: Service): DefinitionOf<Service> {
  const entries = Object.entries(service.methods).map(([key, method]) => {
    const definition: MethodDefinition<unknown, unknown> = {
      path: `/${service.fullName}/${method.name}`,
      requestStream: method.requestStream,
      responseStream: method.responseStream,
      requestSerialize: (request) => Buffer.from(method.requestType.encode(request).finish()),
      requestDeserialize: (bytes) => method.requestType.decode(bytes),
      responseSerialize: (response) => Buffer.from(method.responseType.encode(response).finish()),
      responseDeserialize: (bytes) => method.responseType.decode(bytes),
    };
    return [key, definition];
  });
  return Object.fromEntries(entries) as DefinitionOf<Service>;
}

function clientClass<Service extends GeneratedService>(service: Service): ClientClass<Service> {
  return makeGenericClientConstructor(grpcDefinition(service), service.fullName) as unknown as ClientClass<Service>;
}

export const SessionServiceClient = clientClass(SessionServiceDefinition);
export type SessionServiceClient = InstanceType<typeof SessionServiceClient>;
export const DeviceServiceClient = clientClass(DeviceServiceDefinition);
export type DeviceServiceClient = InstanceType<typeof DeviceServiceClient>;
export const HostServiceClient = clientClass(HostServiceDefinition);
export type HostServiceClient = InstanceType<typeof HostServiceClient>;
export const SimulatorServiceClient = clientClass(SimulatorServiceDefinition);
export type SimulatorServiceClient = InstanceType<typeof SimulatorServiceClient>;
