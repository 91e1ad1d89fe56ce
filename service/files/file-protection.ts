/**
 * Checks who else on the host can change or read a file that decides about access. An account that
 * can write to the tokens file can become any caller.
 */
import { realpathSync, type Stats, statSync } from 'node:fs';
import { posix, win32 } from 'node:path';
import { anybodyWith, READ, REPLACE, WITHOUT_ACCOUNT, WRITE } from './windows-acl.js';

interface Exposure {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly remedy: string;
}

const [OTHERS_WRITE, GROUP_WRITES, OTHERS_READ, STICKY] = [0o002, 0o020, 0o004, 0o1000];

/**
 * The security descriptor of a file or folder on Windows as text; `undefined` if it cannot be read.
 */
export type DescriptorOf = (path: string) => string | undefined;

/**
 * Checks the mode, or on Windows the descriptor. Yields nothing if the file does not exist; other
 * checks report that.
 */
export function* examineProtection(
  file: string,
  isSecret: boolean,
  descriptorOf: DescriptorOf | undefined,
): Iterable<Exposure> {
  let path: string;
  try {
    path = realpathSync(file);
  } catch {
    return;
  }
  if (descriptorOf !== undefined) yield* examineDescriptors(path, isSecret, descriptorOf);
  else if (process.platform !== 'win32') yield* examineModes(path, isSecret);
}

function* examineModes(path: string, isSecret: boolean): Iterable<Exposure> {
  yield* examineMode(path, statSync(path), isSecret, process.getuid?.() ?? 0);
  for (const folder of foldersAbove(path, posix)) {
    const { mode } = statSync(folder);
    if ((mode & OTHERS_WRITE) !== 0 && (mode & STICKY) === 0) {
      yield {
        severity: 'error',
        message: `Every account on this host can replace the file, because it can write to ${folder}.`,
        remedy: `Run chmod o-w ${folder}, or move the file elsewhere.`,
      };
    }
  }
}

/** Checks security descriptors on Windows. */
export function* examineDescriptors(path: string, isSecret: boolean, descriptorOf: DescriptorOf): Iterable<Exposure> {
  const close = (what: string) =>
    `Allow only administrators and the account of the daemon: icacls "${what}" /inheritance:r /grant:r *S-1-5-32-544:F *S-1-5-18:F, and grant (R) to the account.`;
  const whoMay = (rights: number, what: string) => {
    const sddl = descriptorOf(what);
    return sddl === undefined ? [] : anybodyWith(rights, sddl);
  };
  const writers = whoMay(WRITE, path);
  if (writers.length > 0) {
    // By default every account can write to files in a new folder of a drive. That is common, so it
    // is only a warning.
    const severity = writers.some((group) => WITHOUT_ACCOUNT.has(group)) ? 'error' : 'warning';
    yield { severity, message: `${writers.join(', ')} can write to the file.`, remedy: close(path) };
  }
  const readers = isSecret ? whoMay(READ, path) : [];
  if (readers.length > 0) {
    const message = `${readers.join(', ')} can read the file, which contains a secret.`;
    yield { severity: 'warning', message, remedy: close(path) };
  }
  for (const folder of foldersAbove(path, win32)) {
    const replacers = whoMay(REPLACE, folder);
    if (replacers.length === 0) continue;
    const message = `${replacers.join(', ')} can replace the file, because they can write to ${folder}.`;
    // Only a warning: a descriptor cannot say that a folder protects its files like a sticky one
    // does.
    yield { severity: 'warning', message, remedy: close(folder) };
  }
}

function* foldersAbove(path: string, { dirname }: Pick<typeof posix, 'dirname'>): Iterable<string> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    yield folder;
    if (folder === dirname(folder)) return;
  }
}

/** Checks owner and mode. `uid` is that of this process. */
export function* examineMode(
  path: string,
  { mode, uid: owner, gid }: Pick<Stats, 'mode' | 'uid' | 'gid'>,
  isSecret: boolean,
  uid: number,
): Iterable<Exposure> {
  if ((mode & OTHERS_WRITE) !== 0) {
    const message = 'Every account on this host can write to the file.';
    yield { severity: 'error', message, remedy: `Run chmod o-w ${path}` };
    // A group with the same number as the owner is the private group of the owner, as on most
    // distributions.
  } else if ((mode & GROUP_WRITES) !== 0 && gid !== owner && gid !== 0) {
    const message = `The group ${gid} can write to the file.`;
    yield {
      severity: 'warning',
      message,
      remedy: `Run chmod g-w ${path}, unless every member of the group may decide about access.`,
    };
  }
  if (isSecret && (mode & OTHERS_READ) !== 0) {
    const message = 'Every account on this host can read the file, which contains a secret.';
    yield { severity: 'warning', message, remedy: `Run chmod o-r ${path}` };
  }
  // Root may check the files of a daemon that runs as another account.
  if (owner !== 0 && owner !== uid && uid !== 0) {
    const message = `The file belongs to another account (uid ${owner}), which can change it.`;
    yield {
      severity: 'warning',
      message,
      remedy: `Make root or the account of the daemon its owner: chown root ${path}`,
    };
  }
}
