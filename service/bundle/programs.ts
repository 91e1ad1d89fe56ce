/**
 * A step of `npm run build`: bundles each program and its packages into one file in
 * `dist/<program>` (D-108). Other files that a program reads at run time are built later into the
 * same folder.
 *
 * `dist/bundled-packages.json` lists the folders of the bundled packages, for their licences.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const listFile = `${repository}dist/bundled-packages.json`;

/** The folders in `dist/` and the entry point of each program. */
const PROGRAMS = [
  // Source maps are chained with those of the compiler, so that stacks show TypeScript lines.
  { name: 'wfdd', entry: 'dist/service/main.js', sourcemap: 'linked' },
  { name: 'wfdctl', entry: 'dist/clients/ctl/src/main.js', sourcemap: false },
] as const;

/**
 * koffi reads files beside its own, so it stays a package. The proto loader is imported only by
 * functions of grpc-js that are never called here, so it does not ship.
 */
const external = ['koffi', '@grpc/proto-loader'];

/**
 * `import()` of a bundled CommonJS package has no named exports, unlike in Node. So lazy loading
 * must import a file of ours that imports the package statically; anything else fails the build.
 */
const noLatePackages: Plugin = {
  name: 'no late packages',
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind, importer }) => {
      const isFine = kind !== 'dynamic-import' || importer.includes('node_modules') || external.includes(path);
      if (isFine || path.startsWith('node:') || path.startsWith('@bufbuild/protobuf')) return undefined;
      return { errors: [{ text: `${path} is a package. Use import() on a file of ours that imports it.` }] };
    });
  },
};

/**
 * Writes the programs. Returns the folders of the bundled packages, relative to the root of the
 * repository.
 */
async function buildPrograms(): Promise<string[]> {
  const inputs = await Promise.all(PROGRAMS.map(buildProgram));
  return [...new Set(inputs.flat().flatMap(packageFolderOf))].sort();
}

/** The folders of the packages that the last build bundled. */
export function bundledPackages(): string[] {
  return JSON.parse(readFileSync(listFile, 'utf8')) as string[];
}

/** The package of a file; undefined for files of the repository. */
export function packageFolderOf(file: string): string[] {
  const [, folder] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file) ?? [];
  return folder === undefined ? [] : [folder];
}

async function buildProgram({ name, entry, sourcemap }: (typeof PROGRAMS)[number]): Promise<string[]> {
  const outdir = `${repository}dist/${name}`;
  rmSync(outdir, { recursive: true, force: true });
  const { metafile } = await build({
    // Paths in the output are relative, so the same sources give the same bytes in any folder.
    absWorkingDir: repository,
    entryPoints: [entry],
    outdir,
    external,
    plugins: [noLatePackages],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    // CommonJS packages load Node's modules by `require`, which ES modules do not have.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    sourcemap,
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
  });
  const written = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
  return written.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([file]) => file);
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(listFile, `${JSON.stringify(await buildPrograms(), null, 2)}\n`);
}
