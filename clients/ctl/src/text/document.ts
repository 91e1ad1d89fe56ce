/** Plain values as documents: a whole one that people can read too, or one of many, a line or a section each. */
import { Document, visit } from 'yaml';

export type Format = 'text' | 'wide' | 'name' | 'json' | 'yaml';

/** Those of whole messages. */
export type DocumentFormat = 'json' | 'yaml';

/** What a terminal might take for a command, were it printed as it is; JSON and YAML have an escape for it. */
const CONTROL = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

export function wholeDocument(value: unknown, format: DocumentFormat): string {
  return escaped(format === 'json' ? `${JSON.stringify(value, null, 2)}\n` : toYaml(value));
}

/** One of a stream: JSON in one line, or YAML after a `---`. */
export function streamedDocument(value: unknown, format: DocumentFormat): string {
  return escaped(format === 'json' ? `${JSON.stringify(value)}\n` : `---\n${toYaml(value)}`);
}

/** With quotes also where only YAML 1.1 needs them, which many still read: there 12:34:56 is a number. */
function toYaml(value: unknown): string {
  const document = new Document(value, { compat: 'yaml-1.1' });
  visit(document, {
    Scalar: (_, node) => {
      // An escape means something in double quotes alone.
      if (typeof node.value === 'string' && node.value.search(CONTROL) >= 0) node.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 0 });
}

function escaped(text: string): string {
  return text.replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
