/** What this host's libraries allow, from what they lack: pure. */
import type { LibraryNotAvailable } from '../../native/library.js';
import type { DisconnectEvidence, SessionKind } from '../session/session.js';

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
