/** The bundle that `npm run bundle:windows` made, as the tests start it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { startUnderWine, type WindowsProcess, windowsPath } from './wine.js';

export const bundles = fileURLToPath(new URL('../../windows', import.meta.url));
export const bundle = join(bundles, 'wfdd');
export const simulatorLibrary = windowsPath(join(bundle, 'dist/native/simulator/wfdsim.dll'));

/** Starts the bundle's node.exe on `args`, with the bundle as its working folder. */
export function startNode(...args: string[]): WindowsProcess {
  return startUnderWine({ exe: join(bundle, 'node.exe'), args, cwd: bundle });
}

/** Starts the daemon of the bundle, as wfdd.cmd does. */
export function startDaemon(...flags: string[]): WindowsProcess {
  return startNode('service/wfdd.cjs', ...flags);
}

/**
 * Starts the bundle's node.exe on an ES module that may import from `./native/`: the bindings of
 * the repository, on the koffi of the bundle.
 */
export async function startModule(source: string): Promise<WindowsProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'wfdd-module-'));
  const file = join(folder, 'module.mjs');
  const koffi = pathToFileURL(windowsPath(join(bundle, 'node_modules/koffi/index.js')), { windows: true });
  await build({
    stdin: { contents: source, resolveDir: fileURLToPath(new URL('../..', import.meta.url)) },
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'esm',
    plugins: [
      {
        name: 'koffi of the bundle',
        setup: ({ onResolve }) => onResolve({ filter: /^koffi$/ }, () => ({ path: koffi.href, external: true })),
      },
    ],
  });
  const node = startNode(windowsPath(file));
  void node.exited.then(() => rmSync(folder, { recursive: true }));
  return node;
}
