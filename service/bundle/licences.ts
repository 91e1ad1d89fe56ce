/**
 * `LICENSES.txt` of the bundle: the licence text of all third-party code in it. Packages that are
 * bundled into the programs have no folder, so this is the only place for their texts.
 *
 * Invariant: nothing ships without a licence text. For a package without a licence file, the text
 * is in `licences/`. Its file name includes the version, so that it is checked again when the
 * version changes.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const keptTexts = fileURLToPath(new URL('../../../service/bundle/licences', import.meta.url));

export interface Licensed {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly licence: string;
  readonly text: string;
}

/** Reads a package with its licence and notices. Throws if there is no text. */
export function licensed(folder: string, texts = keptTexts): Licensed {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const { name, version, license } = manifest as { name: string; version: string; license: string };
  const kept = join(texts, `${name.replace('/', '+')}@${version}.txt`);
  const own = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|notice|copying)/i.test(file))
    .sort()
    .map((file) => join(folder, file));
  const files = existsSync(kept) ? [...own, kept] : own;
  if (files.length === 0) throw new Error(`${name} ${version} has no licence file. Put its text into ${kept}.`);
  const text = files.map((file) => readFileSync(file, 'utf8').replaceAll('\r', '').trim()).join('\n\n');
  return { name, version, licence: license, text };
}

/** Code that the compiler adds to the simulator. */
export function licensedOfCompiler(): Licensed {
  const text = readFileSync(join(keptTexts, 'mingw-w64.txt'), 'utf8').trim();
  return { name: 'mingw-w64', version: '(parts, in wfdsim.dll)', licence: 'ZPL-2.1', text };
}

/** The whole file. Packages with the same text are grouped. */
export function licencesDocument(all: readonly Licensed[]): string {
  const byText = new Map<string, Licensed[]>();
  for (const one of all) byText.set(one.text, [...(byText.get(one.text) ?? []), one]);
  const title = ({ name, version, licence }: Licensed) => `${name} ${version}: ${licence}`;
  const entries = [...byText].map(([text, those]) => `${those.map(title).join('\n')}\n\n${text}\n`);
  return `The licences of what others made and this folder contains. Its own is in LICENSE.\n\n${entries
    .map((entry) => `${'='.repeat(80)}\n${entry}`)
    .join('\n')}`;
}
