/**
 * Reads from the security descriptor (SDDL) of a Windows file or folder who can change or read it.
 *
 * Source: learn.microsoft.com/windows/win32/secauthz/ace-strings, .../file-access-rights-constants
 */

/** Groups that any account on the host or on the network belongs to, in both notations of SDDL. */
const ANYBODY: ReadonlyMap<string, string> = new Map([
  ...both('WD', 'S-1-1-0', 'Everyone'),
  ...both('AU', 'S-1-5-11', 'Authenticated Users'),
  ...both('BU', 'S-1-5-32-545', 'Users'),
  ...both('BG', 'S-1-5-32-546', 'Guests'),
  ...both('AN', 'S-1-5-7', 'Anonymous Logon'),
  ...both('IU', 'S-1-5-4', 'Interactive'),
  ...both('NU', 'S-1-5-2', 'Network'),
]);

/** Those of them that need no account on the host. */
export const WITHOUT_ACCOUNT: ReadonlySet<string> = new Set(['Everyone', 'Guests', 'Anonymous Logon']);

/** Rights as SDDL writes them. */
const RIGHTS: Readonly<Record<string, number>> = {
  ...{ GA: 0x1000_0000, GX: 0x2000_0000, GW: 0x4000_0000, GR: 0x8000_0000 },
  ...{ SD: 0x1_0000, RC: 0x2_0000, WD: 0x4_0000, WO: 0x8_0000 },
  ...{ FA: 0x1f_01ff, FR: 0x12_0089, FW: 0x12_0116, FX: 0x12_00a0 },
  ...{ CC: 0x1, DC: 0x2, LC: 0x4, SW: 0x8, RP: 0x10, WP: 0x20, DT: 0x40, LO: 0x80, CR: 0x100 },
};

/** DELETE, WRITE_DAC, WRITE_OWNER, GENERIC_ALL. */
const TAKE_OVER = 0x1_0000 | 0x4_0000 | 0x8_0000 | 0x1000_0000;
/** FILE_WRITE_DATA, FILE_APPEND_DATA. */
export const WRITE = TAKE_OVER | 0x2 | 0x4 | 0x4000_0000;
/** FILE_READ_DATA. */
export const READ = 0x1 | 0x8000_0000 | 0x1000_0000;
/** FILE_DELETE_CHILD: files in the folder can be replaced. */
export const REPLACE = TAKE_OVER | 0x40;

/** The groups of ANYBODY that have one of these rights. */
export function anybodyWith(rights: number, sddl: string): string[] {
  const dacl = /D:([A-Z_]*)((?:\([^()]*\))*)/.exec(sddl);
  // Without a DACL everyone has all rights.
  if (dacl === null || dacl[1]?.includes('NO_ACCESS_CONTROL')) return ['Everyone'];
  const denied = new Map<string, number>();
  const found = new Set<string>();
  for (const [, entry = ''] of (dacl[2] ?? '').matchAll(/\(([^()]*)\)/g)) {
    const [type = '', flags = '', mask = '', , , sid = ''] = entry.split(';');
    const group = ANYBODY.get(sid);
    // An inherit-only entry applies to new files in the folder, not to the folder.
    if (group === undefined || [...flags.matchAll(/../g)].some(([flag]) => flag === 'IO')) continue;
    const before = denied.get(group) ?? 0;
    if (type === 'D') denied.set(group, before | maskOf(mask));
    else if (type === 'A' && (maskOf(mask) & ~before & rights) !== 0) found.add(group);
  }
  return [...found];
}

function maskOf(text: string): number {
  if (/^0x/i.test(text)) return Number.parseInt(text, 16) | 0;
  return (text.match(/../g) ?? []).reduce((mask, right) => mask | (RIGHTS[right] ?? 0), 0);
}

function both(short: string, sid: string, name: string): [string, string][] {
  return [
    [short, name],
    [sid, name],
  ];
}
