/**
 * The last step of `npm run build`: puts the daemon and the packages that it imports together as a few files in `dist/wfdd`. That halves
 * the time of a start, which is mostly the finding and reading of some 500 small files. What is loaded only on some hosts stays apart.
 */
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const outdir = `${repository}dist/wfdd`;

/** These read files beside their own, so they stay packages. */
const external = ['koffi', '@grpc/proto-loader'];

/**
 * Of a CommonJS package that is put in, `import()` would give no names, though Node gives them. So what is loaded late is a file of ours that
 * imports the package as it begins; anything else ends the build.
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

rmSync(outdir, { recursive: true, force: true });
await build({
  // Paths in the output are relative to it, so the same sources give the same bytes wherever they lie.
  absWorkingDir: repository,
  entryPoints: ['dist/service/main.js'],
  outdir,
  external,
  plugins: [noLatePackages],
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  // CommonJS packages ask for Node's own modules by `require`, which ES modules don't have.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  // With the maps of the compiler behind them, so that a stack shows lines of TypeScript.
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
});
