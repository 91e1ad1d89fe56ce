/**
 * Generates the commented example of the configuration from the schema.
 *
 * `node dist/service/config/example.js` writes service/config/wfdd.example.yaml. A test checks that
 * the file is up to date.
 */
import { writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { type Group, type Key, outline } from './keys.js';

const COLUMNS = 100;

const HEAD = `\
# The configuration of wfdd. Generated from service/config/schema.ts; do not edit.
#
# Copy it to /etc/wfdd/config.yaml or %ProgramData%\\wfdd\\config.yaml, or name it with --config or
# WFDD_CONFIG. Every key is commented out and shows its default. To set a key, remove the "#" in
# front of it and keep the indentation. A key without a default shows an example value instead.
#
# Environment variables override this file, and flags (--set key=value) override both. Relative
# paths are resolved against the folder of this file. An unknown key is an error.
#
# \`wfdd config check\` checks the configuration. \`wfdd config print\` shows the one in effect.
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
