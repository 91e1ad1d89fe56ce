/**
 * Opens a native library and binds its functions. Everything that calls native code goes through here.
 *
 * The rule that must not be broken: **a library is never unloaded, and nothing that native code may still read or write is
 * released before its call has completed.** A library has threads of its own and callbacks under way, and koffi keeps no
 * reference to the Buffers of an asynchronous call; both are held here.
 *
 * A missing file or a missing export is not a failed start: the bound function rejects with LibraryNotAvailable when it is
 * called, and `missing` names it at once.
 */
import { basename, isAbsolute } from 'node:path';
import koffi, { type LibraryHandle } from 'koffi';

type KoffiFunction = ReturnType<LibraryHandle['func']>;

// More threads than this inside callbacks at once would crash the process. Asynchronous calls count too, the default is 256,
// and the setting is refused once a library is loaded or a callback registered.
koffi.config({ max_async_calls: 1024 });

/** A native library, or one function of it, is not there. */
export class LibraryNotAvailable extends Error {
  override readonly name = 'LibraryNotAvailable';
  /** The library's file name, e.g. `wlanapi.dll`. */
  readonly library: string;
  /** The function that is wanted; undefined where the library itself is reported. */
  readonly function: string | undefined;

  constructor(library: string, functionName: string | undefined, why: string) {
    super(why);
    this.library = library;
    this.function = functionName;
  }
}

/** Of dlopen(). */
const RTLD_LAZY = 1;

/** Keeps every loaded library for the life of the process: koffi unloads one that is collected. */
const loaded = new Map<string, LibraryHandle>();

/** The arguments of the calls under way: their Buffers must outlive the call. */
const callsUnderWay = new Set<readonly unknown[]>();

/** How many asynchronous native calls have not returned. `process.exit()` waits for all of them. */
export function nativeCallsUnderWay(): number {
  return callsUnderWay.size;
}

/** One library file and what it lacks. Make it with openLibrary(). */
export class Library {
  /** The absolute path, as given. */
  readonly path: string;
  /** What is not there: the library itself, or its missing exports in the order they were bound. */
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
   * The function of a C prototype, called on a thread of libuv's pool. It rejects with LibraryNotAvailable where the export is
   * missing, and with koffi's TypeError where an argument does not fit; what the function returns is never an error here.
   */
  bind<Args extends unknown[], Result = number>(prototype: string): (...args: Args) => Promise<Result> {
    return this.#bind<Args, Result, Result>(prototype, (result) => result);
  }

  /** The same for a function that leaves to GetLastError why it failed. `lastError` means nothing where it has not. Windows only. */
  bindWithLastError<Args extends unknown[], Result = number>(
    prototype: string,
  ): (...args: Args) => Promise<{ result: Result; lastError: number }> {
    return this.#bind<Args, Result, { result: Result; lastError: number }>(prototype, (result) => ({
      result,
      lastError: lastError(),
    }));
  }

  /** The same, called on the thread of the event loop: only for functions that cannot block, such as those that free memory. */
  bindSync<Args extends unknown[], Result = number>(prototype: string): (...args: Args) => Result {
    const found = this.#find(prototype);
    return (...args) => {
      if (found instanceof LibraryNotAvailable) throw found;
      return found(...args) as Result;
    };
  }

  /** `complete` runs when the call returns, before anything else can call native code on this thread. */
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
 * Opens the library at an absolute path. A relative path, which the system would look for in several places, an absent file and
 * a file for another machine all give a Library whose functions reject.
 */
export function openLibrary(path: string): Library {
  return new Library(path);
}

let getLastError: (() => number) | undefined;

/**
 * GetLastError of the native call that has just returned: right after a synchronous one, or within the completion of an
 * asynchronous one. koffi keeps it for exactly so long. Windows only.
 */
export function lastError(): number {
  getLastError ??= koffi.load('kernel32.dll').func('uint32_t __stdcall GetLastError()') as () => number;
  return getLastError();
}

/** The absolute path of a library of the Windows system directory. Windows only. */
export function system32(name: string): string {
  // kernel32.dll is one of the KnownDLLs: Windows maps it from the system directory whatever the search path.
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
 * Takes a reference to the library that is never given back. When a process runs out of work Node has koffi let go of everything, and
 * the library's own threads would go on in memory where it no longer is.
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
