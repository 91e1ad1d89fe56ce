/**
 * The manual of the API, `README.md` beside the .proto files of a package: made from their
 * comments, which are Markdown. The messages of an RPC stand under it; the other types under the
 * head of their file. Run on its own it writes the manuals.
 */
import { writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DescEnum, type DescField, type DescFile, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { root } from '../conformance/library.js';
import { type Comment, commentsOf, ownFiles } from './descriptors.js';
import { anchor, Links, link, rpcsOf } from './manual-links.js';

/** What a newcomer should read first comes first. */
const ORDER = ['session_service', 'session', 'device_service', 'device', 'host_service', 'error', 'simulator_service'];

/** The manuals as they should be, by their paths. */
export async function manuals(): Promise<Map<string, string>> {
  const place = ({ name }: DescFile) => ORDER.findIndex((last) => name.endsWith(`/${last}`));
  const files = (await ownFiles()).sort((a, b) => place(a) - place(b));
  const packages = new Set(files.map(({ proto }) => proto.package));
  return new Map(
    [...packages].map((name) => [
      join(root, 'proto', ...name.split('.'), 'README.md'),
      manual(
        name,
        files.filter(({ proto }) => proto.package === name),
        [...packages].filter((other) => other !== name),
      ),
    ]),
  );
}

function manual(name: string, files: readonly DescFile[], others: readonly string[]): string {
  const links = new Links(files);
  const chapters = files.map((file) => new Chapter(file, links));
  const folder = (of: string) => of.replaceAll('.', '/');
  const also = others.map((other) => `[${other}](${posix.relative(folder(name), folder(other))}/README.md)`);
  const parts = [
    `# ${name}`,
    '<!-- Code generated from the .proto files by `npm run generate`. DO NOT EDIT. -->',
    `The manual of the API, made from the comments in the \`.proto\` files beside it. See also ${also.join(', ')}.`,
    ...chapters.flatMap((chapter) => chapter.contents()),
    ...chapters.flatMap((chapter) => chapter.text()),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** One file. The numbers in paths are those of the fields in descriptor.proto. */
class Chapter {
  readonly #file: DescFile;
  readonly #comments: ReadonlyMap<string, Comment>;
  readonly #links: Links;

  constructor(file: DescFile, links: Links) {
    this.#file = file;
    this.#comments = commentsOf(file.proto);
    this.#links = links;
  }

  /** Its services, and what each RPC does in a sentence; or what it is about. */
  contents(): string[] {
    if (this.#file.services.length === 0) return [`**${link(this.#head[0])}**: ${firstSentence(this.#head[1])}`];
    return this.#file.services.flatMap(({ name, methods }, at) => [
      `**${link(name)}**: ${this.#comment(6, at)}`,
      table(
        ['RPC', ''],
        methods.map((rpc, n) => [link(rpc.name), cell(firstSentence(this.#comment(6, at, 2, n)))]),
      ),
    ]);
  }

  text(): string[] {
    const file = this.#file;
    const [title, intro] = this.#head;
    const ofRpcs = new Set(rpcsOf(file).flatMap(({ input, output }) => [input, output]));
    const types = [...file.messages.filter((message) => !ofRpcs.has(message)), ...file.enums];
    const line = (type: DescMessage | DescEnum) => this.#comments.get(this.#path(type).join())?.line ?? 0;
    return [
      `## ${title}`,
      this.#links.into(intro, title),
      ...this.#rpcs(),
      ...types
        .sort((a, b) => line(a) - line(b))
        .flatMap((type) => (type.kind === 'enum' ? this.#enumeration(type) : this.#message(type, '###'))),
    ];
  }

  /** The comment of a file begins with what it is about, and a colon. */
  get #head(): [title: string, intro: string] {
    const [, title = '', intro = ''] = /^(.*?): (.*)$/s.exec(this.#comment(12)) ?? [];
    return [title, intro.charAt(0).toUpperCase() + intro.slice(1)];
  }

  #rpcs(): string[] {
    return this.#file.services.flatMap(({ methods }, service) =>
      methods.flatMap(({ name, input, output, methodKind }, at) => [
        `### ${name}`,
        `${signature(input)} → ${methodKind === 'server_streaming' ? 'a stream of ' : ''}${signature(output)}`,
        this.#links.into(this.#comment(6, service, 2, at), name),
        ...[input, output].flatMap((message) => (isEmpty(message) ? [] : this.#message(message, '####'))),
      ]),
    );
  }

  #message(message: DescMessage, level: string): string[] {
    const path = this.#path(message);
    const rows = message.fields.map((field, at) => [
      `\`${field.name}\``,
      typeOf(field),
      cell(this.#links.into(this.#comment(...path, 2, at), message.name)),
    ]);
    return [
      `${level} ${message.name}`,
      this.#links.into(this.#comment(...path), message.name),
      table(['Field', 'Type', ''], rows),
    ];
  }

  #enumeration(type: DescEnum): string[] {
    const path = this.#path(type);
    const rows = type.values.map(({ name, number }, at) => [
      `<a id="${anchor(name)}"></a>\`${name}\``,
      String(number),
      cell(this.#links.into(this.#comment(...path, 2, at), type.name)),
    ]);
    return [
      `### ${type.name}`,
      this.#links.into(this.#comment(...path), type.name),
      table(['Value', 'Number', ''], rows),
    ];
  }

  #path(type: DescMessage | DescEnum): number[] {
    return type.kind === 'enum' ? [5, this.#file.enums.indexOf(type)] : [4, this.#file.messages.indexOf(type)];
  }

  #comment(...path: readonly number[]): string {
    return this.#comments.get(path.join())?.text ?? '';
  }
}

function isEmpty({ fields }: DescMessage): boolean {
  return fields.length === 0;
}

function signature(message: DescMessage): string {
  return isEmpty(message) ? 'nothing' : link(message.name);
}

function typeOf(field: DescField): string {
  const { proto, oneof } = field;
  const isList = field.fieldKind === 'list' ? 'repeated ' : proto.proto3Optional ? 'optional ' : '';
  const name = field.message ?? field.enum ?? `\`${ScalarType[field.scalar ?? 0]?.toLowerCase()}\``;
  const others = oneof?.fields.filter((other) => other !== field).map((other) => ` or \`${other.name}\``) ?? [];
  return `${isList}${typeof name === 'string' ? name : typeLink(name)}${others.length > 0 ? `,${others}` : ''}`;
}

function typeLink({ name, typeName }: DescMessage | DescEnum): string {
  return typeName.startsWith('google.protobuf.')
    ? `[${name}](https://protobuf.dev/reference/protobuf/google.protobuf/#${anchor(name)})`
    : link(name);
}

function firstSentence(text: string): string {
  const [, sentence = text] = /^(.*?)[.:](?=\s|$)/s.exec(text) ?? [];
  return `${sentence}.`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/\n\n+/g, '<br><br>').replaceAll('\n', ' ');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of await manuals()) {
    await writeFile(path, text);
    console.log(`wrote ${path}`);
  }
}
