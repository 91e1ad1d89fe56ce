/**
 * The folder of the service below ProgramData: its configuration, which it may read, and in folders of their own its log and its
 * journal, which it may write.
 *
 * The rule that must not be broken: **only administrators, the system and this one service enter, from the folder's first moment.**
 * Everybody may create folders in ProgramData, so one that is there already is used only if it and what is in it belong to
 * somebody who could change Windows anyway; and everything in it then has the permissions of the folder and no others.
 *
 * The descriptor is set by SetNamedSecurityInfoW and not by icacls.exe: a folder is made with it instead of before it, a SID needs no
 * name, and nothing has to be read from the words of a program in the language of the host.
 */
import { lstatSync, readdirSync } from 'node:fs';
import { join, win32 } from 'node:path';
import type { Aclapi } from '../../native/aclapi.js';
import { winerror } from '../../native/constants.js';
import { serviceSid } from './installation.js';
import { Refusal, ServiceError } from './service-error.js';

/** SYSTEM and the administrators: everything, also in what will be made in it. Nothing is inherited from ProgramData. */
const BASE = 'D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)';

/** A private key: of its owner, the administrators and the system; that of the host the service `wfdd` reads as well. */
export function keyDescriptor(isOfHost: boolean): string {
  const base = 'D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;OW)';
  return isOfHost ? `${base}(A;;FR;;;${serviceSid('wfdd')})` : base;
}

export interface Folders {
  readonly data: string;
  readonly logs: string;
  readonly journal: string;
}

/** Where the service of this name has its files. */
export function foldersOf(name: string, environment: NodeJS.ProcessEnv): Folders {
  const data = win32.join(environment['ProgramData'] ?? 'C:\\ProgramData', name);
  return { data, logs: win32.join(data, 'logs'), journal: win32.join(data, 'journal') };
}

/** Makes the folders, or closes them where they are there. */
export function makeFolders(
  aclapi: Aclapi,
  name: string,
  { data, logs, journal }: Folders,
  environment: NodeJS.ProcessEnv,
): void {
  const sid = serviceSid(name);
  const windows = environment['SystemRoot'] ?? 'C:\\Windows';
  const mayRead = `${BASE}(A;OICI;FRFX;;;${sid})`;
  // It may delete what is in the folders of its log and its journal, but not the folders.
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
    // Who made a file before it was ours may have left himself an entry, which a change of owner keeps.
    const isOfData = (path: string) => path !== data && !own.has(path);
    const inherits = folder === data ? below.filter(isOfData) : everythingIn(folder, new Set()).slice(1);
    for (const path of inherits) check('InheritSecurityInfo', aclapi.InheritSecurityInfo(path).code);
  }
}

/** The folder and what is in it at any depth, but for what the service itself writes. */
function everythingIn(folder: string, own: ReadonlySet<string>): string[] {
  const entry = lstatSync(folder);
  if (entry.isSymbolicLink()) throw new Refusal(`${folder} is a link, and could lead anywhere; delete it.`);
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
    `${path} is there already and does not belong to the administrators, so somebody else could change it later.\n` +
      `Look at what is in it; then delete it, or take it over and install again, which resets its permissions:\n` +
      `  icacls "${path}" /setowner *S-1-5-32-544 /t`,
  );
}
