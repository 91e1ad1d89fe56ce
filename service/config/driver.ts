/** The driver that the keys of the group `driver` select on this host. */
import { fileURLToPath } from 'node:url';
import { root } from '../root.js';
import type { Config } from './schema.js';

type DriverChoice =
  | { readonly kind: 'wlanapi' }
  /** `library` is the absolute path of the simulator's library. */
  | { readonly kind: 'simulator'; readonly library: string };

/** `auto` is always wlanapi on Windows, and the simulator elsewhere. */
export function chooseDriver({ driver }: Config, platform: NodeJS.Platform): DriverChoice {
  const kind = driver.kind === 'auto' ? (platform === 'win32' ? 'wlanapi' : 'simulator') : driver.kind;
  return kind === 'wlanapi' ? { kind } : { kind, library: driver.simulatorLibrary ?? builtSimulator(platform) };
}

/** Where the build and the bundle for Windows put the library. */
function builtSimulator(platform: NodeJS.Platform): string {
  const name = platform === 'win32' ? 'wfdsim.dll' : 'libwfdsim.so';
  return fileURLToPath(new URL(`dist/native/simulator/${name}`, root));
}
