/**
 * Locks a file for one process: `flock` of libc, and on Windows `CreateFileW` without sharing. The
 * system releases the lock when the process ends in any way, so no lock is ever left behind.
 */
import { closeSync, openSync } from 'node:fs';
import koffi from 'koffi';
import { lastError } from './library.js';

/** For `flock`: exclusive, and do not wait. */
const LOCK_EX = 2;
const LOCK_NB = 4;

/** For `CreateFileW`. */
const GENERIC_WRITE = 0x4000_0000;
const SHARED_WITH_NOBODY = 0;
const OPEN_ALWAYS = 4;
const FILE_ATTRIBUTE_NORMAL = 0x80;
const INVALID_HANDLE_VALUE = 0xffff_ffff_ffff_ffffn;
/** Another process has it open. */
const ERROR_SHARING_VIOLATION = 32;

/** Releases the lock. */
export type Unlock = () => void;

/**
 * Takes the lock. Undefined if another process holds it. Throws if the file can't be created.
 * Returns at once, because neither call waits.
 */
export function lockFile(path: string): Unlock | undefined {
  return process.platform === 'win32' ? lockOnWindows(path) : lockOnUnix(path);
}

function lockOnUnix(path: string): Unlock | undefined {
  const fd = openSync(path, 'a', 0o600);
  const flock = koffi.load(null).func('int flock(int fd, int operation)');
  if (flock(fd, LOCK_EX | LOCK_NB) === 0) return () => closeSync(fd);
  closeSync(fd);
  return undefined;
}

function lockOnWindows(path: string): Unlock | undefined {
  // One of the KnownDLLs: Windows maps it from the system directory, whatever the search path.
  const kernel32 = koffi.load('kernel32.dll');
  const createFile = kernel32.func(
    'uintptr_t __stdcall CreateFileW(str16 name, uint32_t access, uint32_t share, void *security, ' +
      'uint32_t disposition, uint32_t flags, void *template)',
  );
  const closeHandle = kernel32.func('int __stdcall CloseHandle(uintptr_t handle)');
  const handle = BigInt(
    createFile(path, GENERIC_WRITE, SHARED_WITH_NOBODY, null, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, null),
  );
  if (BigInt.asUintN(64, handle) !== INVALID_HANDLE_VALUE) return () => void closeHandle(handle);
  const code = lastError();
  if (code === ERROR_SHARING_VIOLATION) return undefined;
  throw new Error(`CreateFileW ${path}: Windows error ${code}`);
}
