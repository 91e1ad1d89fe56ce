/**
 * A step of `npm run build`: puts each program together with the packages that it imports, as one file in `dist/<program>`.
 * That halves the time of a start, which is mostly the finding and reading of some 500 small files. What else a program
 * reads at run time lies beside that file, in the same folder; a build of such files runs after this one.
 *
 * `dist/bundled-packages.json` lists the folders of the packages inside, for those who owe their licences.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const listFile = `${repository}dist/bundled-packages.json`;

/** The folders in `dist/`, and where each program begins. */
const PROGRAMS = [
  // With the maps of the compiler behind its own, so that a stack in the log shows lines of TypeScript.
  { name: 'wfdd', entry: 'dist/service/main.js', sourcemap: 'linked' },
  { name: 'wfdctl', entry: 'dist/clients/ctl/src/main.js', sourcemap: false },
] as const;

/**
 * koffi reads files beside its own, so it stays a package. The loader is asked for by functions of grpc-js that nothing
 * here calls, and does not ship.
 */
const external = ['koffi', '@grpc/proto-loader'];

/**
 * `import()` of a CommonJS package that is put in would give no names, though Node gives them. So what is loaded late is
 * a file of ours that imports the package as it begins; anything else ends the build.
 */
const noLatePackages: Plugin = {
  name: 'no late packages',
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, kind, importer }) => {
      const isFine = kind !== 'dynamic-import' || importer.includes('node_modules') || external.includes(path);
      if (isFine || path.startsWith('node:') || path.startsWith('@bufbuild/protobuf')) return undefined;
      return { errors: [{ text: `${path} is a package: import() a file of ours that imports it.` }] };
    });
  },
};

/** Writes the programs; returns the folders of the packages that are in them, from the root of the repository. */
export async function buildPrograms(): Promise<string[]> {
  const inputs = await Promise.all(PROGRAMS.map(buildProgram));
  return [...new Set(inputs.flat().flatMap(packageFolderOf))].sort();
}

/** The folders of the packages that the last build has put into the programs. */
export function bundledPackages(): string[] {
  return JSON.parse(readFileSync(listFile, 'utf8')) as string[];
}

/** The package that a file belongs to; none for files of the repository. */
export function packageFolderOf(file: string): string[] {
  const [, folder] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file) ?? [];
  return folder === undefined ? [] : [folder];
}

async function buildProgram({ name, entry, sourcemap }: (typeof PROGRAMS)[number]): Promise<string[]> {
  const outdir = `${repository}dist/${name}`;
  rmSync(outdir, { recursive: true, force: true });
  const { metafile } = await build({
    // Paths in the output are relative to it, so the same sources give the same bytes wherever they lie.
    absWorkingDir: repository,
    entryPoints: [entry],
    outdir,
    external,
    plugins: [noLatePackages],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    // CommonJS packages ask for Node's own modules by `require`, which ES modules don't have.
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
