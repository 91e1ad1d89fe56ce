/**
 * `LICENSES.txt` of the bundle: the licence text of everything in it that is not of this repository. Packages that are put
 * into the programs leave no folder behind, so their texts are here and nowhere else.
 *
 * The rule that must not be broken: what has no text doesn't ship. A package without a licence file has its text in
 * `licences/`, in the name of its version, so that somebody looks again when the version changes.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const keptTexts = fileURLToPath(new URL('../../../service/bundle/licences', import.meta.url));

export interface Licensed {
  readonly name: string;
  readonly version: string;
  /** As SPDX writes it. */
  readonly licence: string;
  readonly text: string;
}

/** A package as it lies in `folder`, with its licence and notices. Throws where there is no text. */
export function licensed(folder: string, texts = keptTexts): Licensed {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const { name, version, license } = manifest as { name: string; version: string; license: string };
  const kept = join(texts, `${name.replace('/', '+')}@${version}.txt`);
  const own = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|notice|copying)/i.test(file))
    .sort()
    .map((file) => join(folder, file));
  const files = existsSync(kept) ? [...own, kept] : own;
  if (files.length === 0) throw new Error(`${name} ${version} has no licence file: put its text into ${kept}`);
  const text = files.map((file) => readFileSync(file, 'utf8').replaceAll('\r', '').trim()).join('\n\n');
  return { name, version, licence: license, text };
}

/** What the compiler of the simulator puts into it. */
export function licensedOfCompiler(): Licensed {
  const text = readFileSync(join(keptTexts, 'mingw-w64.txt'), 'utf8').trim();
  return { name: 'mingw-w64', version: '(parts, in wfdsim.dll)', licence: 'ZPL-2.1', text };
}

/** The whole file. Those who share a text, word for word, stand above it together. */
export function licencesDocument(all: readonly Licensed[]): string {
  const byText = new Map<string, Licensed[]>();
  for (const one of all) byText.set(one.text, [...(byText.get(one.text) ?? []), one]);
  const title = ({ name, version, licence }: Licensed) => `${name} ${version}: ${licence}`;
  const entries = [...byText].map(([text, those]) => `${those.map(title).join('\n')}\n\n${text}\n`);
  return `The licences of what others made and this folder contains. Its own is in LICENSE.\n\n${entries
    .map((entry) => `${'='.repeat(80)}\n${entry}`)
    .join('\n')}`;
}
