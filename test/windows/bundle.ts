/** The bundle that `npm run bundle:windows` made, as the tests start it. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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
