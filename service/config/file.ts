/**
 * Reads values and their positions from the YAML file. Loaded only if there is a file, because the
 * parser is large.
 */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import { isGroup, keyAt, nearestPath } from './keys.js';
import { isMissing } from './missing.js';
import type { Problem } from './problem.js';
import { type Setting, unknown } from './setting.js';

/** One syntax error causes others; after a few they only repeat each other. */
const FAULTS_MAX = 5;

/** The keys that the file sets, in order. Problems with the file itself are added to `problems`. */
export function readFile(file: string, problems: Problem[]): Setting[] {
  const text = textOf(file, problems);
  if (text === undefined) return [];
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const faults = document.errors.map((error) => ({
    place: placeIn(file, lines, error.pos[0]),
    message: error.message,
  }));
  if (faults.length === 0) faults.push(...aliasFaults(document, file));
  // The parser's excerpt of the line is left out because it may contain a secret.
  for (const { place, message } of faults.slice(0, FAULTS_MAX)) {
    problems.push({
      path: '',
      source: place,
      message: `This is not valid YAML: ${message.replace(/\.$/, '')}.`,
      remedy: 'Fix this line. Indent with spaces, and quote values that contain ": " or " #".',
    });
  }
  if (faults.length > 0 || document.contents === null) return [];
  if (!isMap(document.contents)) {
    problems.push({ path: '', source: file, ...expectedKeys });
    return [];
  }
  return [...settingsIn(document.contents, '', { document, file, lines, problems })];
}

/**
 * Unknown and endlessly multiplying aliases throw only when they are resolved. A value that
 * contains itself has no JSON.
 */
function aliasFaults(document: Document, file: string): { place: string; message: string }[] {
  try {
    JSON.stringify(document.toJS());
    return [];
  } catch (error) {
    const isCircular = error instanceof TypeError;
    return [
      { place: file, message: isCircular ? 'An alias is part of the value that it names' : (error as Error).message },
    ];
  }
}

interface Reading {
  readonly document: Document;
  readonly file: string;
  readonly lines: LineCounter;
  readonly problems: Problem[];
}

const expectedKeys = {
  message: 'Expected keys with values.',
  remedy: 'Write `key: value`, one per line, indented below the group.',
};

function* settingsIn(map: YAMLMap, prefix: string, reading: Reading): Iterable<Setting> {
  const { document, file, lines, problems } = reading;
  for (const pair of map.items) {
    const path = prefix + String(isScalar(pair.key) ? pair.key.value : pair.key);
    const node = isAlias(pair.value) ? pair.value.resolve(document) : (pair.value as Node | null);
    const place = (at: Node | null | undefined) =>
      placeIn(file, lines, at?.range?.[0] ?? (pair.key as Node).range?.[0]);
    const key = keyAt(path);
    if (key !== undefined) {
      yield {
        key,
        value: isNode(node) ? node.toJS(document) : null,
        source: {
          name: place(node),
          folder: dirname(file),
          nameOf: (part) => place(isCollection(node) ? ((node.getIn(part, true) as Node | undefined) ?? node) : node),
        },
      };
    } else if (!isGroup(path)) {
      const value = isNode(node) ? node.toJS(document) : null;
      problems.push(unknown({ path, value, source: place(pair.key as Node), meant: nearestPath(path) }));
    } else if (isMap(node)) {
      yield* settingsIn(node, `${path}.`, reading);
    } else if (!isScalar(node) || node.value !== null) {
      // A group whose keys are all commented out is null. It sets nothing.
      problems.push({ path, source: place(node), ...expectedKeys });
    }
  }
}

function textOf(file: string, problems: Problem[]): string | undefined {
  try {
    const content = readFileSync(file);
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch (error) {
    const isEncoding = error instanceof TypeError;
    problems.push({
      path: '',
      source: file,
      message: isEncoding ? 'The file is not UTF-8.' : `The file cannot be read: ${(error as Error).message}.`,
      remedy: isEncoding
        ? 'Save it as UTF-8. In PowerShell, use `-Encoding utf8`; the default is UTF-16.'
        : isMissing(error)
          ? 'Create it, for example from service/config/wfdd.example.yaml, or name another file with --config or WFDD_CONFIG.'
          : 'Give the account that runs wfdd read access, or name another file with --config or WFDD_CONFIG.',
    });
    return undefined;
  }
}

function placeIn(file: string, lines: LineCounter, offset: number | undefined): string {
  if (offset === undefined) return file;
  const { line, col } = lines.linePos(offset);
  return `${file}:${line}:${col}`;
}
