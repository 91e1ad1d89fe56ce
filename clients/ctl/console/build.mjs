// Builds the page of `wfdctl console` into a folder: page.html, a script and a style sheet with
// hashes in their names, and the licences of the packages in them. The second argument is a JSON
// list of folders of packages, to which this adds the folders of these packages.
//
//   node build.mjs FOLDER [LIST]
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const source = fileURLToPath(new URL('./', import.meta.url));
const repository = resolve(source, '../../..');
const [output, list] = process.argv.slice(2);
if (output === undefined) throw new Error('Usage: node build.mjs FOLDER [LIST]');

const { outputFiles, metafile } = await build({
  absWorkingDir: source,
  entryPoints: { console: 'src/main.tsx', style: 'style.css' },
  outdir: 'out',
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['es2022', 'chrome109', 'firefox115', 'safari16'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  write: false,
  metafile: true,
  logLevel: 'warning',
});

/** The folders of the bundled packages, relative to the root of the repository. */
const packages = new Set();
for (const file of Object.keys(metafile.inputs)) {
  const [, folder] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file) ?? [];
  if (folder !== undefined) packages.add(relative(repository, resolve(source, folder)).replaceAll(sep, '/'));
}

rmSync(output, { recursive: true, force: true });
mkdirSync(output, { recursive: true });
let page = readFileSync(join(source, 'page.html'), 'utf8');
for (const { path, contents } of outputFiles) {
  const [, name, extension] = /([^/\\]+)\.(js|css)$/.exec(path) ?? [];
  const hash = createHash('sha256').update(contents).digest('hex').slice(0, 12);
  writeFileSync(join(output, `${name}-${hash}.${extension}`), contents);
  page = page.replace(`${name}.${extension}`, `${name}-${hash}.${extension}`);
}
const icon = readFileSync(join(source, 'icon.svg'));
const iconName = `icon-${createHash('sha256').update(icon).digest('hex').slice(0, 12)}.svg`;
writeFileSync(join(output, iconName), icon);
writeFileSync(join(output, 'page.html'), page.replace('icon.svg', iconName));

const licences = [...packages].sort().map((folder) => {
  const { name, version } = JSON.parse(readFileSync(join(repository, folder, 'package.json'), 'utf8'));
  return `${name} ${version}\n\n${readFileSync(join(repository, folder, 'LICENSE'), 'utf8')}`;
});
writeFileSync(join(output, 'LICENSES.txt'), licences.join(`\n${'='.repeat(80)}\n`));

if (list !== undefined) {
  const all = new Set([...JSON.parse(readFileSync(list, 'utf8')), ...packages]);
  writeFileSync(list, `${JSON.stringify([...all].sort(), null, 2)}\n`);
}
