/** Descriptors by the names of their contents, as reflection looks them up. */
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';

interface File {
  readonly bytes: Uint8Array;
  readonly imports: readonly string[];
}

export class Descriptors {
  readonly #files = new Map<string, File>();
  /** The file of each message, field, enum, enum value, service, method and extension. */
  readonly #symbols = new Map<string, string>();
  /** The extensions of each message, by number, with their files. */
  readonly #extensions = new Map<string, Map<number, string>>();

  /** Reads a FileDescriptorSet that has all imports of its files. */
  constructor(set: Uint8Array) {
    for (const file of fromBinary(FileDescriptorSetSchema, set).file) {
      this.#files.set(file.name, { bytes: toBinary(FileDescriptorProtoSchema, file), imports: file.dependency });
      this.#addFile(file);
    }
  }

  /** The file, then all files that it imports, each once. */
  fileNamed(name: string): readonly Uint8Array[] | undefined {
    if (!this.#files.has(name)) return undefined;
    const names = new Set([name]);
    // A Set may grow during iteration.
    for (const each of names) for (const imported of this.#files.get(each)?.imports ?? []) names.add(imported);
    return [...names].flatMap((each) => this.#files.get(each)?.bytes ?? []);
  }

  fileWith(symbol: string): readonly Uint8Array[] | undefined {
    return this.#fileOf(this.#symbols.get(symbol));
  }

  fileWithExtension(type: string, number: number): readonly Uint8Array[] | undefined {
    return this.#fileOf(this.#extensions.get(type)?.get(number));
  }

  /** Undefined if there is no such message. */
  extensionNumbersOf(type: string): readonly number[] | undefined {
    const numbers = this.#extensions.get(type)?.keys();
    return numbers && [...numbers].sort((a, b) => a - b);
  }

  #fileOf(name: string | undefined): readonly Uint8Array[] | undefined {
    return name === undefined ? undefined : this.fileNamed(name);
  }

  #addFile({ name, package: scope, messageType, enumType, extension, service }: FileDescriptorProto): void {
    for (const message of messageType) this.#addMessage(scope, message, name);
    for (const each of enumType) this.#addEnum(scope, each, name);
    for (const field of extension) this.#addExtension(scope, field, name);
    for (const { name: own, method } of service) {
      const service = this.#add(scope, own, name);
      for (const each of method) this.#add(service, each.name, name);
    }
  }

  #addMessage(
    scope: string,
    { name: own, field, oneofDecl, nestedType, enumType, extension }: DescriptorProto,
    file: string,
  ): void {
    const message = this.#add(scope, own, file);
    if (!this.#extensions.has(message)) this.#extensions.set(message, new Map());
    for (const { name } of [...field, ...oneofDecl]) this.#add(message, name, file);
    for (const nested of nestedType) this.#addMessage(message, nested, file);
    for (const each of enumType) this.#addEnum(message, each, file);
    for (const each of extension) this.#addExtension(message, each, file);
  }

  /** Enum values are siblings of their enum, as in C: `wifidirect.v1.SESSION_STATE_OPEN`. */
  #addEnum(scope: string, { name, value }: EnumDescriptorProto, file: string): void {
    this.#add(scope, name, file);
    for (const each of value) this.#add(scope, each.name, file);
  }

  #addExtension(scope: string, { name, number, extendee }: FieldDescriptorProto, file: string): void {
    this.#add(scope, name, file);
    const type = extendee.replace(/^\./, '');
    const known = this.#extensions.get(type) ?? new Map<number, string>();
    this.#extensions.set(type, known.set(number, file));
  }

  #add(scope: string, name: string, file: string): string {
    const full = scope === '' ? name : `${scope}.${name}`;
    this.#symbols.set(full, file);
    return full;
  }
}
