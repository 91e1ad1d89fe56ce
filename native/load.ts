/**
 * Loads the three libraries from given paths. One path can stand for all three, as the simulator's
 * does.
 *
 * Invariant: a missing library or function does not fail the start. It is listed in `missing`,
 * functions that need it reject with LibraryNotAvailable, and everything else works.
 */
import { bindCfgmgr32, type Cfgmgr32 } from './cfgmgr32.js';
import { bindIphlpapi, type Iphlpapi } from './iphlpapi.js';
import { type Library, type LibraryNotAvailable, openLibrary, system32 } from './library.js';
import { bindWlanapi, type Wlanapi } from './wlanapi.js';

/** The absolute path of each library. */
interface LibraryPaths {
  readonly wlanapi: string;
  readonly iphlpapi: string;
  readonly cfgmgr32: string;
}

/** The native libraries, and what they lack. */
export interface NativeLibraries {
  readonly wlanapi: Wlanapi;
  readonly iphlpapi: Iphlpapi;
  readonly cfgmgr32: Cfgmgr32;
  /**
   * Missing libraries and exports: wlanapi, iphlpapi, cfgmgr32, each in the order of declaration.
   */
  readonly missing: readonly LibraryNotAvailable[];
}

/** The paths of the real libraries, in the system directory. Windows only. */
export function windowsLibraryPaths(): LibraryPaths {
  return {
    wlanapi: system32('wlanapi.dll'),
    iphlpapi: system32('iphlpapi.dll'),
    cfgmgr32: system32('cfgmgr32.dll'),
  };
}

/** Opens the libraries and binds their functions. It does not throw if something is missing. */
export function loadLibraries(paths: LibraryPaths): NativeLibraries {
  const libraries = new Map<string, Library>();
  const open = (path: string) => {
    const library = libraries.get(path) ?? openLibrary(path);
    libraries.set(path, library);
    return library;
  };
  const wlanapi = bindWlanapi(open(paths.wlanapi));
  const iphlpapi = bindIphlpapi(open(paths.iphlpapi));
  const cfgmgr32 = bindCfgmgr32(open(paths.cfgmgr32));
  return { wlanapi, iphlpapi, cfgmgr32, missing: [...libraries.values()].flatMap(({ missing }) => missing) };
}
