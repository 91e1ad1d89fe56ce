/** Formats values as JSON or YAML: one whole document, or one of a stream. */
import { Document, visit } from 'yaml';

export type Format = 'text' | 'wide' | 'name' | 'json' | 'yaml';

type DocumentFormat = 'json' | 'yaml';

/** Characters that could act on a terminal. JSON and YAML can escape them. */
const CONTROL = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

export function wholeDocument(value: unknown, format: DocumentFormat): string {
  return escaped(format === 'json' ? `${JSON.stringify(value, null, 2)}\n` : toYaml(value));
}

/** One document of a stream: a line of JSON, or YAML after `---`. */
export function streamedDocument(value: unknown, format: DocumentFormat): string {
  return escaped(format === 'json' ? `${JSON.stringify(value)}\n` : `---\n${toYaml(value)}`);
}

/**
 * Quotes values for YAML 1.1 as well, because many programs still read that: there 12:34:56 is a
 * number.
 */
function toYaml(value: unknown): string {
  const document = new Document(value, { compat: 'yaml-1.1' });
  visit(document, {
    Scalar: (_, node) => {
      // YAML has escapes only in double quotes.
      if (typeof node.value === 'string' && node.value.search(CONTROL) >= 0) node.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 0 });
}

function escaped(text: string): string {
  return text.replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
