/** Reflection, asked by messages that are read with the descriptors that it gives. */
import { readFileSync } from 'node:fs';
import { create, createFileRegistry, type DescMessage, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { Client, credentials } from '@grpc/grpc-js';
import test from 'ava';
import { descriptors } from '../../service/root.js';
import { grpcDescriptors } from '../contract/grpc-descriptors.js';
import { Host, misuses } from '../harness/host.js';

type Question = { readonly case: string; readonly value: unknown };
/** An answer: the case of its `messageResponse`, and what it holds. */
type Answer = { readonly case: string; readonly value: Record<string, unknown> };

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors)));
const versions = ['v1', 'v1alpha'] as const;
let host: Host;

test.before(async () => {
  host = await Host.start({ limits: { callsPerPrincipalMax: 5000 } });
});
test.after.always(async (t) => {
  await host[Symbol.asyncDispose]();
  t.deepEqual(misuses(), []);
});

function schema(version: string, name: string): DescMessage {
  const found = registry.getMessage(`grpc.reflection.${version}.${name}`);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

/** The answers to these questions on one stream, in their order. */
async function ask(questions: readonly Question[], version: (typeof versions)[number] = 'v1'): Promise<Answer[]> {
  const [asked, answered] = [schema(version, 'ServerReflectionRequest'), schema(version, 'ServerReflectionResponse')];
  const client = new Client(host.address, credentials.createInsecure());
  const stream = client.makeBidiStreamRequest<Question, Answer>(
    `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
    (messageRequest) =>
      Buffer.from(toBinary(asked, create(asked, { host: 'h', messageRequest } as Record<string, unknown>))),
    (bytes) => {
      const message = fromBinary(answered, bytes) as unknown as {
        validHost: string;
        originalRequest: { host: string };
        messageResponse: Answer;
      };
      if (message.validHost !== 'h' || message.originalRequest.host !== 'h') throw new Error('not the request');
      return message.messageResponse;
    },
  );
  for (const question of questions) stream.write(question);
  stream.end();
  const answers: Answer[] = [];
  for await (const answer of stream) answers.push(answer as Answer);
  client.close();
  return answers;
}

const symbol = (value: string): Question => ({ case: 'fileContainingSymbol', value });
const file = (value: string): Question => ({ case: 'fileByFilename', value });

/** The names of the files of an answer, the one asked for first. */
function filesOf(answer: Answer | undefined): string[] {
  const bytes = (answer?.value['fileDescriptorProto'] ?? []) as Uint8Array[];
  return bytes.map((each) => fromBinary(FileDescriptorProtoSchema, each).name);
}

for (const version of versions) {
  test(`${version} lists all that is served, itself and health too`, async (t) => {
    const [answer] = await ask([{ case: 'listServices', value: '*' }], version);
    t.is(answer?.case, 'listServicesResponse');
    t.deepEqual(
      ((answer?.value['service'] ?? []) as { name: string }[]).map(({ name }) => name),
      [
        'grpc.health.v1.Health',
        'grpc.reflection.v1.ServerReflection',
        'grpc.reflection.v1alpha.ServerReflection',
        'wifidirect.v1.DeviceService',
        'wifidirect.v1.HostService',
        'wifidirect.v1.SessionService',
      ],
    );
  });

  test(`${version} knows whatever has a name: services, methods, messages, fields, enums and their values`, async (t) => {
    const session = 'wifidirect/v1/session.proto';
    const known: Record<string, string> = {
      'wifidirect.v1.SessionService': 'wifidirect/v1/session_service.proto',
      'wifidirect.v1.SessionService.OpenSession': 'wifidirect/v1/session_service.proto',
      'wifidirect.v1.Session': session,
      'wifidirect.v1.Session.owner': session,
      'wifidirect.v1.SessionState': session,
      'wifidirect.v1.SESSION_STATE_OPEN': session,
      'google.rpc.ErrorInfo': 'google/rpc/error_details.proto',
      'grpc.health.v1.Health': 'grpc/health/v1/health.proto',
      'grpc.health.v1.HealthCheckResponse.NOT_SERVING': 'grpc/health/v1/health.proto',
      'grpc.reflection.v1.ServerReflection': 'grpc/reflection/v1/reflection.proto',
      'grpc.reflection.v1alpha.ServerReflectionRequest.host': 'grpc/reflection/v1alpha/reflection.proto',
    };
    const answers = await ask(Object.keys(known).map(symbol), version);
    t.deepEqual(
      answers.map((answer) => filesOf(answer)[0]),
      Object.values(known),
    );
  });
}

test('a file comes with all that it imports, each once', async (t) => {
  const name = 'wifidirect/v1/session_service.proto';
  const [answer] = await ask([file(name)]);
  const files = filesOf(answer);
  t.is(files[0], name);
  t.is(new Set(files).size, files.length);
  t.true(files.includes('google/protobuf/duration.proto'));
  const bytes = (answer?.value['fileDescriptorProto'] ?? []) as Uint8Array[];
  const imports = bytes.flatMap((each) => fromBinary(FileDescriptorProtoSchema, each).dependency);
  t.deepEqual([...new Set([name, ...imports])].sort(), [...files].sort());
});

test('what there is not is NOT_FOUND, names of JavaScript’s objects too', async (t) => {
  const names = [
    'constructor',
    '__proto__',
    'toString',
    '',
    'wifidirect.v1.SessionState.SESSION_STATE_OPEN',
    'wifidirect',
  ];
  const answers = await ask([
    ...names.flatMap((name) => [file(name), symbol(name)]),
    { case: 'fileContainingExtension', value: { containingType: 'wifidirect.v1.Session', extensionNumber: 1 } },
    { case: 'allExtensionNumbersOfType', value: 'constructor' },
  ]);
  t.is(answers.length, 2 * names.length + 2);
  for (const answer of answers) t.like(answer, { case: 'errorResponse', value: { errorCode: 5 } });
});

test('a message without extensions has an empty list of them', async (t) => {
  const [answer] = await ask([{ case: 'allExtensionNumbersOfType', value: 'wifidirect.v1.Session' }]);
  t.like(answer, {
    case: 'allExtensionNumbersResponse',
    value: { baseTypeName: 'wifidirect.v1.Session', extensionNumber: [] },
  });
});

test('a thousand questions on a stream get a thousand answers', async (t) => {
  const answers = await ask(Array.from({ length: 1000 }, () => symbol('wifidirect.v1.Session')));
  t.is(answers.length, 1000);
  t.true(answers.every((answer) => answer.case === 'fileDescriptorResponse'));
});

test('the descriptors of health and reflection are those of gRPC: `npm run generate` adds them', (t) => {
  const known = readFileSync(descriptors);
  t.true(known.subarray(known.length - grpcDescriptors().length).equals(grpcDescriptors()));
});
