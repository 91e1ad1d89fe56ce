/**
 * `grpc.reflection`, answered with the contract as it was generated. What answers is loaded at the first question: few hosts are
 * ever asked, and it is a tenth of the daemon's memory and a fifth of its start.
 */
import { readFile } from 'node:fs/promises';
import type {
  handleBidiStreamingCall,
  MethodDefinition,
  Server,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { type Edge, settle } from './edge.js';
import { toStatus } from './status.js';

type Answers = handleBidiStreamingCall<unknown, unknown>;

interface Loaded {
  readonly definition: MethodDefinition<unknown, unknown>;
  readonly answers: Answers;
}

const METHOD = 'ServerReflectionInfo';
const VERSIONS = ['v1', 'v1alpha'] as const;

/** Serves both versions that clients speak. `descriptors` is a FileDescriptorSet, `services` are those to be listed. */
export function addReflection(
  server: Pick<Server, 'addService'>,
  descriptors: URL,
  services: () => string[],
  { callerOf, streams, log }: Edge,
): void {
  let loading: Promise<ReadonlyMap<string, Loaded>> | undefined;
  for (const version of VERSIONS) {
    const path = `/grpc.reflection.${version}.ServerReflection/${METHOD}`;
    let loaded: Loaded | undefined;
    // Nothing is read before the handler reads, and then it is loaded.
    const definition = (): MethodDefinition<unknown, unknown> => {
      if (loaded === undefined) throw new Error('Reflection is used before it is loaded.');
      return loaded.definition;
    };
    const lazy: MethodDefinition<unknown, unknown> = {
      path,
      requestStream: true,
      responseStream: true,
      requestSerialize: (message) => definition().requestSerialize(message),
      requestDeserialize: (bytes) => definition().requestDeserialize(bytes),
      responseSerialize: (message) => definition().responseSerialize(message),
      responseDeserialize: (bytes) => definition().responseDeserialize(bytes),
    };
    const answers: Answers = async (call) => {
      try {
        loading ??= load(descriptors, services());
        loaded = (await loading).get(path);
        if (loaded === undefined) throw new Error(`The library does not serve ${path}.`);
        // It ends with the others, when the host stops or the caller's token is taken back.
        const end = streams.add(callerOf(call), { waiting: 0 }, (fault) => call.emit('error', toStatus(fault)));
        call.once('close', end);
        loaded.answers(call);
      } catch (error) {
        loading = undefined;
        call.emit('error', settle(error, path.slice(1), log));
      }
    };
    server.addService({ [METHOD]: lazy }, { [METHOD]: answers });
  }
}

/** The library's own handlers, by the path of their method. */
async function load(descriptors: URL, services: string[]): Promise<ReadonlyMap<string, Loaded>> {
  const [bytes, { ReflectionService }, { fromBinary, toBinary }, wkt] = await Promise.all([
    readFile(descriptors),
    import('@grpc/reflection'),
    import('@bufbuild/protobuf'),
    import('@bufbuild/protobuf/wkt'),
  ]);
  const set = fromBinary(wkt.FileDescriptorSetSchema, bytes);
  const fileDescriptorProtos = set.file.map((file) => Buffer.from(toBinary(wkt.FileDescriptorProtoSchema, file)));
  // It takes the files from any definition of a package; made by hand, as proto-loader would merge them and lose their imports.
  const contract = { contract: { format: '', type: {}, fileDescriptorProtos } };
  const reflection = new ReflectionService(contract as unknown as ConstructorParameters<typeof ReflectionService>[0], {
    services,
  });
  const loaded = new Map<string, Loaded>();
  reflection.addToServer({
    addService: (service: ServiceDefinition, implementation: UntypedServiceImplementation) => {
      for (const [name, definition] of Object.entries(service)) {
        loaded.set(definition.path, { definition, answers: implementation[name] as Answers });
      }
    },
  });
  return loaded;
}
