/** What this host can do, derived from the functions that its libraries lack. Pure. */
import type { LibraryNotAvailable } from '../../native/library.js';
import type { Fault } from '../fault.js';
import type { DisconnectEvidence, SessionKind } from '../session/session.js';
import { notAvailable } from './win32-error.js';

/**
 * What a session of each kind needs until its end. A session that can't be closed is not opened.
 */
export const requiredToOpen: Readonly<Record<SessionKind, readonly string[]>> = {
  WIFI_DIRECT: ['WFDOpenHandle', 'WFDCloseHandle', 'WFDStartOpenSession', 'WFDCancelOpenSession', 'WFDCloseSession'],
  LEGACY: ['WFDOpenHandle', 'WFDCloseHandle', 'WFDOpenLegacySession', 'WFDCloseSession'],
};

/** The first of these functions that is missing, alone or with its whole library. */
export function firstMissing(
  missing: readonly LibraryNotAvailable[],
  functions: readonly string[],
): LibraryNotAvailable | undefined {
  return missing.find(({ function: name, library }) =>
    name === undefined
      ? libraryOf(functions) === library.toLowerCase() || !isWindowsLibrary(library)
      : functions.includes(name),
  );
}

/**
 * Everything that is missing, as one fault for a host that is DEGRADED; undefined if nothing is.
 */
export function incomplete(missing: readonly LibraryNotAvailable[]): Fault | undefined {
  const [first, ...others] = missing;
  if (first === undefined || others.length === 0) return first && notAvailable(first);
  const libraries = [...new Set(missing.map(({ library }) => library))];
  const lacks = libraries.map((library) => {
    const names = missing.flatMap((each) => (each.library === library ? (each.function ?? []) : []));
    return names.length === 0 ? library : `${names.join(', ')} of ${library}`;
  });
  return {
    ...notAvailable(first),
    message: `This host has no ${lacks.join(', no ')}; what needs them is UNIMPLEMENTED.`,
  };
}

/** The kinds of evidence that this host can give for a disconnection, strongest first. */
export function evidenceKinds(missing: readonly LibraryNotAvailable[]): DisconnectEvidence[] {
  const kinds: DisconnectEvidence[] = [];
  if (!firstMissing(missing, ['DevCreateObjectQuery', 'DevCloseObjectQuery'])) kinds.push('DEVICE_DISCONNECTED');
  if (!firstMissing(missing, ['GetIfEntry2', 'ConvertInterfaceGuidToLuid']))
    kinds.push('INTERFACE_GONE', 'INTERFACE_DOWN');
  return kinds;
}

const libraries = ['wlanapi.dll', 'iphlpapi.dll', 'cfgmgr32.dll'];

/** Any other name is one file that stands for all three libraries. */
function isWindowsLibrary(library: string): boolean {
  return libraries.includes(library.toLowerCase());
}

function libraryOf(functions: readonly string[]): string {
  const [first = ''] = functions;
  if (first.startsWith('WFD')) return 'wlanapi.dll';
  return first.startsWith('Dev') ? 'cfgmgr32.dll' : 'iphlpapi.dll';
}
