/**
 * `grpc.reflection`: the descriptors of what the host serves, for tools that were built without the
 * contract. It serves both versions; they differ only in their names.
 *
 * It is implemented here like health (D-109). The library for it would load a second protobuf
 * runtime, would not describe health and itself, and would take names of JavaScript's objects for
 * files. The descriptors are read at the first request, because few hosts get one.
 */
import { readFile } from 'node:fs/promises';
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import { type handleBidiStreamingCall, type MethodDefinition, type Server, status } from '@grpc/grpc-js';
import { type CallServices, toErrorStatus } from '../api/call-services.js';
import type { Fault } from '../fault.js';
import type { Gate } from './gate.js';
import type { Descriptors } from './reflection-index.js';
import { unused } from './serving.js';
import { faultToGrpcStatus, toGrpcStatus } from './status.js';

/** The numbers of `message_request`, and those of the answers to them. */
const ASK = {
  host: 1,
  fileByFilename: 3,
  fileContainingSymbol: 4,
  fileContainingExtension: 5,
  extensionNumbers: 6,
  services: 7,
};
const ANSWER = { host: 1, request: 2, files: 4, extensionNumbers: 5, services: 6, error: 7 };

const METHOD = 'ServerReflectionInfo';
const VERSIONS = ['v1', 'v1alpha'] as const;

/** The services that the host has besides the contract. */
const OWN_SERVICES = [
  'grpc.health.v1.Health',
  ...VERSIONS.map((version) => `grpc.reflection.${version}.ServerReflection`),
];

interface Question {
  /** The request as it arrived, because the answer repeats it. */
  readonly bytes: Uint8Array;
  readonly host: string;
  /** The field number of the question; 0 if it is unknown. */
  readonly kind: number;
  readonly name: string;
  readonly extension: number;
}

/**
 * `descriptors` is a FileDescriptorSet; `services` returns the services of the contract that are
 * served.
 */
export function addReflection(
  server: Pick<Server, 'addService'>,
  descriptors: URL,
  services: () => string[],
  { streams, log }: Pick<CallServices, 'streams' | 'log'>,
  { callerOf }: Pick<Gate, 'callerOf'>,
): void {
  let loading: Promise<Descriptors> | undefined;
  for (const version of VERSIONS) {
    const path = `/grpc.reflection.${version}.ServerReflection/${METHOD}`;
    const onCall: handleBidiStreamingCall<Question, Uint8Array> = async (call) => {
      try {
        loading ??= load(descriptors);
        const index = await loading;
        // The stream ends with the others, when the host stops or the caller's credential is
        // revoked.
        const stop = (fault: Fault) => call.emit('error', faultToGrpcStatus(fault));
        const end = streams.add({ caller: callerOf(call), waiting: () => 0 }, stop);
        call.once('close', end);
        // A client that sends requests and reads no answers is ended by the limits of messages in
        // transit. Waiting for it here would keep the stream open for ever.
        call.on('data', (question: Question) => call.write(answer(question, index, services)));
        call.once('end', () => call.end());
      } catch (error) {
        loading = undefined;
        call.emit('error', toGrpcStatus(toErrorStatus(error, path.slice(1), log)));
      }
    };
    server.addService({ [METHOD]: methodAt(path) }, { [METHOD]: onCall });
  }
}

async function load(descriptors: URL): Promise<Descriptors> {
  const [bytes, { Descriptors }] = await Promise.all([readFile(descriptors), import('./reflection-index.js')]);
  return new Descriptors(bytes);
}

function methodAt(path: string): MethodDefinition<Question, Uint8Array> {
  return {
    path,
    requestStream: true,
    responseStream: true,
    requestSerialize: unused,
    requestDeserialize: decodeQuestion,
    responseSerialize: (bytes) => Buffer.from(bytes),
    responseDeserialize: unused,
  };
}

function decodeQuestion(bytes: Buffer): Question {
  const reader = new BinaryReader(bytes);
  let [host, kind, name, extension] = ['', 0, '', 0];
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (number === ASK.host && type === 2) {
      host = reader.string();
    } else if (number === ASK.fileContainingExtension && type === 2) {
      kind = number;
      ({ name, extension } = decodeExtension(reader.bytes()));
    } else if (number >= ASK.fileByFilename && number <= ASK.services && type === 2) {
      kind = number;
      name = reader.string();
    } else {
      reader.skip(type);
    }
  }
  return { bytes, host, kind, name, extension };
}

function decodeExtension(bytes: Uint8Array): { name: string; extension: number } {
  const reader = new BinaryReader(bytes);
  let [name, extension] = ['', 0];
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (number === 1 && type === 2) name = reader.string();
    else if (number === 2 && type === 0) extension = reader.int32();
    else reader.skip(type);
  }
  return { name, extension };
}

function answer(question: Question, index: Descriptors, services: () => string[]): Uint8Array {
  const writer = new BinaryWriter();
  writer.uint32(tag(ANSWER.host)).string(question.host);
  writer.uint32(tag(ANSWER.request)).bytes(question.bytes);
  const { kind, name, extension } = question;
  if (kind === ASK.services) writeServices(writer, services());
  else if (kind === ASK.extensionNumbers) writeExtensionNumbers(writer, name, index.extensionNumbersOf(name));
  else if (kind === ASK.fileByFilename) writeFiles(writer, index.fileNamed(name), `file ${name}`);
  else if (kind === ASK.fileContainingSymbol) writeFiles(writer, index.fileWith(name), `symbol ${name}`);
  else if (kind === ASK.fileContainingExtension)
    writeFiles(writer, index.fileWithExtension(name, extension), `extension ${extension} of ${name}`);
  else writeError(writer, status.INVALID_ARGUMENT, 'The request asks for nothing that is known here.');
  return writer.finish();
}

function writeFiles(writer: BinaryWriter, files: readonly Uint8Array[] | undefined, what: string): void {
  if (files === undefined) {
    writeError(writer, status.NOT_FOUND, `There is no ${what}.`);
    return;
  }
  writer.uint32(tag(ANSWER.files)).fork();
  for (const file of files) writer.uint32(tag(1)).bytes(file);
  writer.join();
}

function writeExtensionNumbers(writer: BinaryWriter, type: string, numbers: readonly number[] | undefined): void {
  if (numbers === undefined) {
    writeError(writer, status.NOT_FOUND, `There is no message ${type}.`);
    return;
  }
  writer.uint32(tag(ANSWER.extensionNumbers)).fork().uint32(tag(1)).string(type);
  writer.uint32(tag(2)).fork();
  for (const number of numbers) writer.int32(number);
  writer.join().join();
}

function writeServices(writer: BinaryWriter, contract: readonly string[]): void {
  writer.uint32(tag(ANSWER.services)).fork();
  for (const service of [...new Set([...contract, ...OWN_SERVICES])].sort()) {
    writer.uint32(tag(1)).fork().uint32(tag(1)).string(service).join();
  }
  writer.join();
}

function writeError(writer: BinaryWriter, code: number, message: string): void {
  writer
    .uint32(tag(ANSWER.error))
    .fork()
    .uint32(1 << 3)
    .int32(code)
    .uint32(tag(2))
    .string(message)
    .join();
}

/** The tag of a field that has a length: a string, bytes or a message. */
function tag(number: number): number {
  return (number << 3) | 2;
}
