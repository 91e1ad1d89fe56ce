/**
 * The folders of the service below ProgramData. It can read the configuration, and write to the
 * folders of its log and its journal.
 *
 * Invariant: only administrators, the system and this service have access, from the moment a folder
 * exists. Any account can create folders in ProgramData. So an existing folder is used only if it
 * and everything in it belong to accounts that could change Windows anyway, and then the
 * permissions of everything in it are reset to those of the folder.
 *
 * Descriptors are set through advapi32.dll and not by icacls.exe (D-94).
 */
import { lstatSync, readdirSync } from 'node:fs';
import { join, win32 } from 'node:path';
import type { Aclapi } from '../../native/aclapi.js';
import { winerror } from '../../native/constants.js';
import { serviceSid } from './installation.js';
import { Refusal, ServiceError } from './service-error.js';

/**
 * Full access for SYSTEM and administrators, also to new files. Nothing is inherited from
 * ProgramData.
 */
const BASE = 'D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)';

/**
 * The descriptor of a private key: its owner, administrators and the system. The service `wfdd` can
 * also read the key of the host.
 */
export function keyDescriptor(isOfHost: boolean): string {
  const base = 'D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;OW)';
  return isOfHost ? `${base}(A;;FR;;;${serviceSid('wfdd')})` : base;
}

export interface Folders {
  readonly data: string;
  readonly logs: string;
  readonly journal: string;
}

/** The folders of the service with this name. */
export function foldersOf(name: string, environment: NodeJS.ProcessEnv): Folders {
  const data = win32.join(environment['ProgramData'] ?? 'C:\\ProgramData', name);
  return { data, logs: win32.join(data, 'logs'), journal: win32.join(data, 'journal') };
}

/** Creates the folders, or resets the permissions of existing ones. */
export function makeFolders(
  aclapi: Aclapi,
  name: string,
  { data, logs, journal }: Folders,
  environment: NodeJS.ProcessEnv,
): void {
  const sid = serviceSid(name);
  const windows = environment['SystemRoot'] ?? 'C:\\Windows';
  const mayRead = `${BASE}(A;OICI;FRFX;;;${sid})`;
  // The service can delete files in these folders, but not the folders.
  const mayWrite = `${BASE}(A;OICI;FRFWFX;;;${sid})(A;OICIIO;SD;;;${sid})`;
  for (const [folder, sddl] of [
    [data, mayRead],
    [logs, mayWrite],
    [journal, mayWrite],
  ] as const) {
    const { code } = aclapi.CreateDirectoryW(folder, sddl);
    if (code !== winerror.ERROR_ALREADY_EXISTS) {
      check('CreateDirectoryW', code);
      continue;
    }
    const trusted = new Set(['O:BA', 'O:SY', ownerOf(aclapi, windows)]);
    const own = new Set([logs, journal]);
    const below = folder === data ? everythingIn(data, own) : [folder];
    for (const path of below) if (!trusted.has(ownerOf(aclapi, path))) throw belongsToOthers(path);
    check('SetNamedSecurityInfoW', aclapi.SetNamedSecurityInfoW(folder, sddl).code);
    // The previous owner of a file may have an entry of its own, which a change of owner keeps.
    const isOfData = (path: string) => path !== data && !own.has(path);
    const inherits = folder === data ? below.filter(isOfData) : everythingIn(folder, new Set()).slice(1);
    for (const path of inherits) check('InheritSecurityInfo', aclapi.InheritSecurityInfo(path).code);
  }
}

/** The folder and everything in it at any depth, except what the service itself writes. */
function everythingIn(folder: string, own: ReadonlySet<string>): string[] {
  const entry = lstatSync(folder);
  if (entry.isSymbolicLink())
    throw new Refusal(`${folder} is a link and could point anywhere. Delete it, then install again.`);
  if (!entry.isDirectory() || own.has(folder)) return [folder];
  const below = readdirSync(folder).flatMap((name) => everythingIn(join(folder, name), own));
  return [folder, ...below];
}

function ownerOf(aclapi: Aclapi, path: string): string {
  const { code, owner } = aclapi.GetNamedSecurityInfoW(path);
  check('GetNamedSecurityInfoW', code);
  return owner;
}

function check(fn: string, code: number): void {
  if (code !== winerror.ERROR_SUCCESS) throw new ServiceError(fn, code);
}

function belongsToOthers(path: string): Refusal {
  return new Refusal(
    `${path} already exists and is not owned by administrators, so another account could change it later.\n` +
      `Check its contents. Then delete it, or take ownership and install again, which resets its permissions:\n` +
      `  icacls "${path}" /setowner *S-1-5-32-544 /t`,
  );
}
