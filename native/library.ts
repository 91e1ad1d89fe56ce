/**
 * Opens a native library and binds its functions. Every native call goes through here.
 *
 * Invariant: a library is never unloaded, and memory that native code may still read or write is
 * not released before its call has completed. A library has threads of its own and running
 * callbacks, and koffi keeps no reference to the Buffers of an asynchronous call. Both are held
 * here.
 *
 * A missing file or a missing export does not fail the start. A call of the bound function rejects
 * with LibraryNotAvailable, and `missing` lists it at once.
 */
import { basename, isAbsolute } from 'node:path';
import koffi, { type LibraryHandle } from 'koffi';

type KoffiFunction = ReturnType<LibraryHandle['func']>;

// The process would crash if more threads than this were inside callbacks at once. Asynchronous
// calls count too. The default is 256. koffi refuses the setting after a library is loaded or a
// callback is registered.
koffi.config({ max_async_calls: 1024 });

/** A native library, or one of its functions, is missing. */
export class LibraryNotAvailable extends Error {
  override readonly name = 'LibraryNotAvailable';
  /** The library's file name, e.g. `wlanapi.dll`. */
  readonly library: string;
  /** The missing function; undefined if the library itself is missing. */
  readonly function: string | undefined;

  constructor(library: string, functionName: string | undefined, why: string) {
    super(why);
    this.library = library;
    this.function = functionName;
  }
}

/** Of dlopen(). */
const RTLD_LAZY = 1;

/** Keeps every loaded library for the life of the process: koffi unloads a collected one. */
const loaded = new Map<string, LibraryHandle>();

/** The arguments of the running calls: their Buffers must outlive the call. */
const callsUnderWay = new Set<readonly unknown[]>();

/** How many asynchronous native calls have not returned. `process.exit()` waits for all of them. */
export function nativeCallsUnderWay(): number {
  return callsUnderWay.size;
}

/** One library file and what it lacks. Create it with openLibrary(). */
export class Library {
  /** The absolute path, as given. */
  readonly path: string;
  /** The library itself if it is missing, otherwise its missing exports in the order of binding. */
  readonly missing: readonly LibraryNotAvailable[];

  readonly #missing: LibraryNotAvailable[] = [];
  readonly #handle: LibraryHandle | undefined;

  constructor(path: string) {
    this.path = path;
    this.missing = this.#missing;
    try {
      this.#handle = load(path);
    } catch (error) {
      this.#missing.push(new LibraryNotAvailable(basename(path), undefined, `Cannot load ${path}: ${reasonOf(error)}`));
    }
  }

  /**
   * Binds the function of a C prototype. It is called on a thread of libuv's pool. A call rejects
   * with LibraryNotAvailable if the export is missing, and with koffi's TypeError if an argument
   * does not fit. No return value of the function is an error here.
   */
  bind<Args extends unknown[], Result = number>(prototype: string): (...args: Args) => Promise<Result> {
    return this.#bind<Args, Result, Result>(prototype, (result) => result);
  }

  /**
   * Like `bind`, for a function that reports its error by GetLastError. `lastError` has no meaning
   * if the function succeeded. Windows only.
   */
  bindWithLastError<Args extends unknown[], Result = number>(
    prototype: string,
  ): (...args: Args) => Promise<{ result: Result; lastError: number }> {
    return this.#bind<Args, Result, { result: Result; lastError: number }>(prototype, (result) => ({
      result,
      lastError: lastError(),
    }));
  }

  /**
   * Like `bind`, but the function is called on the thread of the event loop. Only for functions
   * that can't block, such as those that free memory.
   */
  bindSync<Args extends unknown[], Result = number>(prototype: string): (...args: Args) => Result {
    const found = this.#find(prototype);
    return (...args) => {
      if (found instanceof LibraryNotAvailable) throw found;
      return found(...args) as Result;
    };
  }

  /** `complete` runs when the call returns, before any other native call on this thread. */
  #bind<Args extends unknown[], Result, Answer>(
    prototype: string,
    complete: (result: Result) => Answer,
  ): (...args: Args) => Promise<Answer> {
    const found = this.#find(prototype);
    return (...args) =>
      new Promise<Answer>((resolve, reject) => {
        if (found instanceof LibraryNotAvailable) throw found;
        callsUnderWay.add(args);
        found.async(...args, (error: Error | null, result: Result) =>
          error ? reject(error) : resolve(complete(result)),
        );
      }).finally(() => callsUnderWay.delete(args));
  }

  #find(prototype: string): KoffiFunction | LibraryNotAvailable {
    const name = /(\w+)\s*\(/.exec(prototype)?.[1];
    if (name === undefined) throw new TypeError(`Not a C prototype: ${prototype}`);
    const library = basename(this.path);
    if (this.#handle === undefined) {
      return new LibraryNotAvailable(library, name, `Cannot call ${name}: ${this.#missing[0]?.message}`);
    }
    try {
      this.#handle.symbol(name);
    } catch {
      const missing = new LibraryNotAvailable(library, name, `${this.path} has no function ${name}`);
      this.#missing.push(missing);
      return missing;
    }
    return this.#handle.func(prototype);
  }
}

/**
 * Opens the library at an absolute path. The functions of the Library reject if the file does not
 * exist, is for another machine, or its path is relative: the system would search several places
 * for it.
 */
export function openLibrary(path: string): Library {
  return new Library(path);
}

let getLastError: (() => number) | undefined;

/**
 * GetLastError of the native call that has just returned. Valid right after a synchronous call, or
 * within the completion of an asynchronous one; koffi keeps it no longer (D-93). Windows only.
 */
export function lastError(): number {
  getLastError ??= koffi.load('kernel32.dll').func('uint32_t __stdcall GetLastError()') as () => number;
  return getLastError();
}

/** The absolute path of a library of the Windows system directory. Windows only. */
export function system32(name: string): string {
  // kernel32.dll is one of the KnownDLLs: Windows always maps it from the system directory.
  const GetSystemDirectoryW = koffi
    .load('kernel32.dll')
    .func('uint32_t __stdcall GetSystemDirectoryW(_Out_ uint16_t *lpBuffer, uint32_t uSize)');
  const characters = 512;
  const lpBuffer = Buffer.alloc(characters * 2);
  const length: number = GetSystemDirectoryW(lpBuffer, characters);
  return `${lpBuffer.toString('utf16le', 0, length * 2)}\\${name}`;
}

function load(path: string): LibraryHandle {
  if (!isAbsolute(path)) throw new Error('the path is not absolute');
  const handle = loaded.get(path) ?? koffi.load(path);
  if (!loaded.has(path)) pin(path);
  loaded.set(path, handle);
  return handle;
}

/**
 * Takes a reference to the library and never releases it (D-75). When the process ends, Node makes
 * koffi unload everything, while the library's own threads still run in its memory.
 */
function pin(path: string): void {
  if (process.platform === 'win32') {
    koffi.load('kernel32.dll').func('void * __stdcall LoadLibraryW(str16 lpLibFileName)')(path);
  } else {
    koffi.load(null).func('void *dlopen(const char *filename, int flags)')(path, RTLD_LAZY);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
