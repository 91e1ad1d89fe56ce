/**
 * Scripts the world of a simulated host, for tests of programs that use the Wi-Fi Direct Gateway:
 * which devices exist, what their opens and closes do, when links drop. The host has to run with
 * `--driver simulator --simulator-service`.
 */
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { SimulatorServiceDefinition } from '../../../../proto/gen/wifidirect/simulator/v1/simulator_service.js';
import { type Method, methodsOf } from '../../src/methods.js';

type Methods = typeof SimulatorServiceDefinition.methods;

/** What a request may leave out: the simulator then uses its default. */
type Fields<Name extends keyof Methods> = Parameters<Methods[Name]['requestType']['fromPartial']>[0];

type Answer<Name extends keyof Methods> = ReturnType<Methods[Name]['responseType']['decode']>;

/**
 * The simulated world of one host: a method for each RPC of
 * `wifidirect.simulator.v1.SimulatorService`. Each rejects with a ServiceError of grpc-js if the
 * host refuses the call.
 */
export type Simulator = {
  readonly [Name in keyof Methods]: (fields?: Fields<Name>) => Promise<Answer<Name>>;
} & {
  /** Ends the connection. The world stays as it is. */
  close(): void;
};

/** How long a call may take. No call of the simulator waits for anything. */
const TIMEOUT_MS = 10_000;

/**
 * Connects to the host at `host:port`, in clear text: a simulated host belongs on the machine of
 * its tests.
 */
export function connectSimulator(address: string): Simulator {
  const client = new Client(address, credentials.createInsecure());
  const methods = methodsOf(SimulatorServiceDefinition) as unknown as Readonly<
    Record<string, Method<unknown, unknown>>
  >;
  const calls = Object.entries(SimulatorServiceDefinition.methods).map(([name, { requestType }]) => {
    const fromPartial = requestType.fromPartial as (fields: object) => unknown;
    return [name, (fields: object = {}) => call(client, methods[name], fromPartial(fields))] as const;
  });
  return { ...Object.fromEntries(calls), close: () => client.close() } as Simulator;
}

function call(client: Client, method: Method<unknown, unknown> | undefined, request: unknown): Promise<unknown> {
  if (method === undefined) return Promise.reject(new Error('The service has no such method.'));
  const { path, requestSerialize, responseDeserialize } = method;
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + TIMEOUT_MS;
    const answered = (error: ServiceError | null, answer: unknown) =>
      error === null ? resolve(answer) : reject(error);
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, { deadline }, answered);
  });
}

export * from '../../../../proto/gen/wifidirect/simulator/v1/simulator_service.js';
