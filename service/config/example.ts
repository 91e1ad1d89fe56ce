/**
 * The commented example of the configuration, made of the schema.
 *
 * `node dist/service/config/example.js` writes service/config/wfdd.example.yaml; a test compares the two.
 */
import { writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { type Group, type Key, outline } from './keys.js';

const COLUMNS = 120;

const HEAD = `\
# The configuration of wfdd. Generated from service/config/schema.ts; the test suite keeps it in step.
#
# Put it to /etc/wfdd/config.yaml or %ProgramData%\\wfdd\\config.yaml, or name it with --config or WFDD_CONFIG. Every key
# is shown at its default, commented out: remove the "#" in front of a key to set it, and keep the indentation. Where the
# default is "not set", an example stands in its place. Environment variables are stronger than this file, flags (--set
# key=value) stronger than both. Relative paths are meant from the folder of this file. An unknown key is an error.
#
# Check it with \`wfdd config check\`; see what is in force with \`wfdd config print\`.
`;

/** The whole text of the example. */
export function exampleYaml(): string {
  const entries = outline.map((item, index) => {
    const before = outline[index - 1];
    const gap = before === undefined || 'schema' in before ? '\n' : '';
    return gap + ('schema' in item ? keyEntry(item) : groupEntry(item));
  });
  return HEAD + entries.join('');
}

function keyEntry({ path, variable, notes, byDefault }: Key): string {
  const indent = indentOf(path);
  const isShown = notes.example === undefined;
  const facts = [
    `Expects ${notes.expects}.`,
    isShown ? '' : `Default: ${notes.defaultText ?? (byDefault === null ? 'not set' : inline(byDefault))}.`,
    notes.isSecret ? 'Secret.' : '',
    `Environment: ${variable}.`,
  ];
  const comments = [notes.description, `Why: ${notes.why}`, facts.filter((fact) => fact !== '').join(' ')];
  const entry = `#${lastName(path)}: ${inline(isShown ? byDefault : notes.example)}`;
  return `${comments.map((text) => comment(text, indent)).join('')}${indent}${entry}\n`;
}

function groupEntry({ path, description }: Group): string {
  const indent = indentOf(path);
  return `${comment(description, indent)}${indent}${lastName(path)}:\n`;
}

/** The text as lines of a comment. */
function comment(text: string, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + word.length + 3 > COLUMNS) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => `${indent}# ${each}\n`).join('');
}

function inline(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim();
}

function indentOf(path: string): string {
  return '  '.repeat(path.split('.').length - 1);
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const file = fileURLToPath(new URL('../../../service/config/wfdd.example.yaml', import.meta.url));
  writeFileSync(file, exampleYaml());
  console.log(`wrote ${file}`);
}
