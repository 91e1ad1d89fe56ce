/**
 * The table of clients/README.md: which scenario holds in which language. Written by a run, and
 * compared by every other.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Chapter } from './scenarios.js';

const file = fileURLToPath(new URL('../../../clients/README.md', import.meta.url));
const BEGIN = '<!-- conformance: begin -->';
const END = '<!-- conformance: end -->';

/** Language -> scenario -> what the table says. */
export type Results = ReadonlyMap<string, ReadonlyMap<string, string>>;

export const HOLDS = 'yes';
export const FAILS = 'no';

/** The name of a scenario is unique in its chapter only. */
export const keyOf = (chapter: Chapter, name: string): string => `${chapter.title}: ${name}`;

/** What the table claims. */
export function readTable(): Results {
  const rows = tableIn(readFileSync(file, 'utf8'))
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map(cellsOf);
  const [[, ...languages] = [], , ...body] = rows;
  const results = new Map(languages.map((language) => [language, new Map<string, string>()]));
  let chapter = '';
  for (const [name = '', ...cells] of body) {
    const title = /^\*\*(.*)\*\*$/.exec(name)?.[1];
    if (title !== undefined) chapter = title;
    else
      for (const [i, language] of languages.entries())
        results.get(language)?.set(`${chapter}: ${name}`, cells[i] ?? '');
  }
  return results;
}

/** What was not run stays as it was claimed. */
export function writeTable(chapters: readonly Chapter[], found: Results): void {
  const results = new Map([...readTable(), ...found]);
  const languages = [...results.keys()];
  const row = (name: string, cells: readonly string[]) => `| ${[name, ...cells].join(' | ')} |`;
  const lines = [
    row('', languages),
    row(
      '---',
      languages.map(() => '---'),
    ),
    ...chapters.flatMap((chapter) => [
      row(
        `**${chapter.title}**`,
        languages.map(() => ''),
      ),
      ...chapter.scenarios.map(({ name }) =>
        row(
          name,
          languages.map((language) => results.get(language)?.get(keyOf(chapter, name)) ?? ''),
        ),
      ),
    ]),
  ];
  const text = readFileSync(file, 'utf8');
  const [before = '', after = ''] = text.split(`${BEGIN}${tableIn(text)}${END}`);
  writeFileSync(file, `${before}${BEGIN}\n\n${lines.join('\n')}\n\n${END}${after}`);
}

function tableIn(text: string): string {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${file} has no place for the table: ${BEGIN} ... ${END}`);
  return text.slice(from + BEGIN.length, to);
}

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}
