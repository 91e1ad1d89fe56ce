/** The RPCs of a service as a connection calls them, from the code generated for the service. */

/** How one RPC is called, and how its messages are written and read. */
export interface Method<Request, Response> {
  /** `/package.Service/Method` */
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** The generated functions for one message type. */
interface MessageType<Message> {
  encode(message: Message): { finish(): Uint8Array };
  decode(bytes: Uint8Array): Message;
}

interface GeneratedMethod<Request, Response> {
  readonly name: string;
  readonly requestType: MessageType<Request>;
  readonly responseType: MessageType<Response>;
}

interface GeneratedService {
  readonly fullName: string;
  // biome-ignore lint/suspicious/noExplicitAny: MethodsOf keeps the types of each method.
  readonly methods: Readonly<Record<string, GeneratedMethod<any, any>>>;
}

type MethodsOf<Service extends GeneratedService> = {
  readonly [Name in keyof Service['methods']]: Service['methods'][Name] extends GeneratedMethod<
    infer Request,
    infer Response
  >
    ? Method<Request, Response>
    : never;
};

export function methodsOf<Service extends GeneratedService>(service: Service): MethodsOf<Service> {
  const entries = Object.entries(service.methods).map(([key, { name, requestType, responseType }]) => {
    const method: Method<unknown, unknown> = {
      path: `/${service.fullName}/${name}`,
      requestSerialize: (request) => Buffer.from(requestType.encode(request).finish()),
      responseDeserialize: (bytes) => responseType.decode(bytes),
    };
    return [key, method];
  });
  return Object.fromEntries(entries) as MethodsOf<Service>;
}
