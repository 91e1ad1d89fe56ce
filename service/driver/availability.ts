/** What this host's libraries allow, from what they lack: pure. */
import type { LibraryNotAvailable } from '../../native/library.js';
import type { Fault } from '../fault.js';
import type { DisconnectEvidence, SessionKind } from '../session/session.js';
import { notAvailable } from './win32-error.js';

/** What a session of a kind needs for its whole life: one that could be opened but not closed is not opened. */
export const requiredToOpen: Readonly<Record<SessionKind, readonly string[]>> = {
  WIFI_DIRECT: ['WFDOpenHandle', 'WFDCloseHandle', 'WFDStartOpenSession', 'WFDCancelOpenSession', 'WFDCloseSession'],
  LEGACY: ['WFDOpenHandle', 'WFDCloseHandle', 'WFDOpenLegacySession', 'WFDCloseSession'],
};

/** The first of these functions that is not there, by itself or with its library. */
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

/** All that is missing, as the one reason why this host is DEGRADED; undefined where nothing is. */
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

/** The kinds of evidence of a disconnection that can be had, strongest first. */
export function evidenceKinds(missing: readonly LibraryNotAvailable[]): DisconnectEvidence[] {
  const kinds: DisconnectEvidence[] = [];
  if (!firstMissing(missing, ['DevCreateObjectQuery', 'DevCloseObjectQuery'])) kinds.push('DEVICE_DISCONNECTED');
  if (!firstMissing(missing, ['GetIfEntry2', 'ConvertInterfaceGuidToLuid']))
    kinds.push('INTERFACE_GONE', 'INTERFACE_DOWN');
  return kinds;
}

const libraries = ['wlanapi.dll', 'iphlpapi.dll', 'cfgmgr32.dll'];

/** Otherwise one file stands for all three. */
function isWindowsLibrary(library: string): boolean {
  return libraries.includes(library.toLowerCase());
}

function libraryOf(functions: readonly string[]): string {
  const [first = ''] = functions;
  if (first.startsWith('WFD')) return 'wlanapi.dll';
  return first.startsWith('Dev') ? 'cfgmgr32.dll' : 'iphlpapi.dll';
}
