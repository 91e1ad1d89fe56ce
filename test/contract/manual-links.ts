/** What the words of the manual lead to. */
import type { DescFile, DescMethod } from '@bufbuild/protobuf';

/** Codes of gRPC as well: where one stands in a text, the code is meant. */
const CODES = ['INTERNAL', 'PERMISSION_DENIED', 'UNAUTHENTICATED'];

/** As forges make it of a heading. */
export function anchor(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^\w -]/g, '')
    .replaceAll(' ', '-');
}

export function link(name: string): string {
  return `[${name}](#${anchor(name)})`;
}

export const rpcsOf = ({ services }: DescFile): DescMethod[] => services.flatMap(({ methods }) => methods);

const wordsAndCode = /^ {4}.*$|`[^`]*`|"[^"]*"|\bAIP-(\d+)|\b[A-Z]\w*(\.\w+)*/gm;

export class Links {
  readonly #targets = new Map<string, string>();

  constructor(files: readonly DescFile[]) {
    for (const file of files) {
      for (const { name } of [...file.services, ...rpcsOf(file), ...file.messages, ...file.enums]) {
        this.#targets.set(name, anchor(name));
      }
      for (const { values } of file.enums) {
        for (const { name } of values) this.#targets.set(name, anchor(name));
      }
      // An error is called by its reason, as on the wire.
      const reasons = file.enums.find(({ name }) => name === 'ErrorReason')?.values ?? [];
      for (const { name, localName } of reasons) {
        if (!CODES.includes(localName)) this.#targets.set(localName, anchor(name));
      }
    }
  }

  /**
   * A text with its names as links, each once: those of types in a compound word (`SessionEnd`,
   * `Limits.session_retention`), since "device" or "session" at the head of a sentence is no name;
   * nothing in code, and none to `self`, where the reader is.
   */
  into(text: string, self: string): string {
    const seen = new Set([self]);
    return text.replace(wordsAndCode, (word: string, aip: string | undefined, field: string | undefined) => {
      const [name = ''] = word.split('.');
      if (seen.has(word) || seen.has(name)) return word;
      const target = this.#target(word, name, field);
      if (aip === undefined && target === undefined) return word;
      seen.add(word);
      return aip === undefined ? `[${word}](#${target})` : `[${word}](https://google.aip.dev/${aip})`;
    });
  }

  #target(word: string, name: string, field: string | undefined): string | undefined {
    if (field !== undefined) return this.#targets.get(field.slice(1)) ?? this.#targets.get(name);
    return /[a-z][A-Z]|_/.test(name) ? this.#targets.get(word) : undefined;
  }
}
