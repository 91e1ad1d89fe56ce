/**
 * Who else on the host may change, or read, a file that decides who is let in. Whoever may write to a list of tokens is
 * whoever they like.
 */
import { realpathSync, type Stats, statSync } from 'node:fs';
import { posix, win32 } from 'node:path';
import { anybodyWith, READ, REPLACE, WITHOUT_ACCOUNT, WRITE } from './windows-acl.js';

export interface Exposure {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly remedy: string;
}

const [OTHERS_WRITE, GROUP_WRITES, OTHERS_READ, STICKY] = [0o002, 0o020, 0o004, 0o1000];

/** The security descriptor of a file or folder of Windows as text; `undefined` where it can't be told. */
export type DescriptorOf = (path: string) => string | undefined;

/** By mode, or on Windows by the descriptor. Nothing where the file isn't there: others say so. */
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
        message: `Everybody on this host may put another file in its place: they may write to ${folder}.`,
        remedy: `chmod o-w ${folder}, or put the file elsewhere.`,
      };
    }
  }
}

/** By who may do what on Windows. */
export function* examineDescriptors(path: string, isSecret: boolean, descriptorOf: DescriptorOf): Iterable<Exposure> {
  const close = (what: string) =>
    `Let administrators and the account of the daemon alone change it: icacls "${what}" /inheritance:r /grant:r *S-1-5-32-544:F *S-1-5-18:F, and (R) for the account.`;
  const whoMay = (rights: number, what: string) => {
    const sddl = descriptorOf(what);
    return sddl === undefined ? [] : anybodyWith(rights, sddl);
  };
  const writers = whoMay(WRITE, path);
  if (writers.length > 0) {
    // Whoever has an account may write to what is made in a new folder of a drive; nobody means that, but it is usual.
    const severity = writers.some((group) => WITHOUT_ACCOUNT.has(group)) ? 'error' : 'warning';
    yield { severity, message: `${writers.join(', ')} may write to the file.`, remedy: close(path) };
  }
  const readers = isSecret ? whoMay(READ, path) : [];
  if (readers.length > 0) {
    const message = `${readers.join(', ')} may read the file, and it holds a secret.`;
    yield { severity: 'warning', message, remedy: close(path) };
  }
  for (const folder of foldersAbove(path, win32)) {
    const replacers = whoMay(REPLACE, folder);
    if (replacers.length === 0) continue;
    const message = `${replacers.join(', ')} may put another file in its place: they may change what is in ${folder}.`;
    // A warning: that a folder keeps its files from others, as a sticky one does, has no place in its descriptor.
    yield { severity: 'warning', message, remedy: close(folder) };
  }
}

function* foldersAbove(path: string, { dirname }: Pick<typeof posix, 'dirname'>): Iterable<string> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    yield folder;
    if (folder === dirname(folder)) return;
  }
}

/** By owner and mode. `uid` is that of this process. */
export function* examineMode(
  path: string,
  { mode, uid: owner, gid }: Pick<Stats, 'mode' | 'uid' | 'gid'>,
  isSecret: boolean,
  uid: number,
): Iterable<Exposure> {
  if ((mode & OTHERS_WRITE) !== 0) {
    const message = 'Everybody on this host may write to the file.';
    yield { severity: 'error', message, remedy: `chmod o-w ${path}` };
    // A group of the same number as its owner is the owner's own, as most distributions make them.
  } else if ((mode & GROUP_WRITES) !== 0 && gid !== owner && gid !== 0) {
    const message = `The group ${gid} may write to the file.`;
    yield { severity: 'warning', message, remedy: `chmod g-w ${path}, unless all of it may decide who is let in.` };
  }
  if (isSecret && (mode & OTHERS_READ) !== 0) {
    const message = 'Everybody on this host may read the file, and it holds a secret.';
    yield { severity: 'warning', message, remedy: `chmod o-r ${path}` };
  }
  // Root may be asked about a daemon that runs as another.
  if (owner !== 0 && owner !== uid && uid !== 0) {
    const message = `The file belongs to another account (uid ${owner}), which may change it.`;
    yield {
      severity: 'warning',
      message,
      remedy: `Give it to root or to the account of the daemon: chown root ${path}`,
    };
  }
}
