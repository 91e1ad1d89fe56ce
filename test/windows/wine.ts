/**
 * Wine, for running the Windows bundle where there is no Windows: finds it, starts a program in it,
 * types Ctrl+C at it.
 *
 * A Wine of 10 or newer is taken from `WFD_WINE`, from the PATH, or from the private Debian 13 root
 * that `.ci/install` keeps in the cache. The root is entered by chroot in a mount namespace of its
 * own, with this repository and the temporary folder at the paths they have outside, and with the
 * network of the host: paths and ports mean the same on both sides.
 *
 * The rule that must not be broken: standard output is a file and standard input a terminal. Node
 * for Windows can't open a Unix pipe as either (`open EBADF`), and Ctrl+C reaches a console program
 * only through a console, which Wine makes of the terminal. `script` lends the terminal; the key
 * typed is the key an operator types.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The oldest Wine that runs Node 24. */
const wineVersionMin = 10;
const repository = fileURLToPath(new URL('../../../', import.meta.url));
const { WFD_WINE, XDG_CACHE_HOME } = process.env;
const cache = join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'wifi-direct-gateway');
const privateRoot = join(cache, 'debian-13');
/**
 * One for each checkout: services, and what they leave in the registry, would meet those of
 * another.
 */
const prefix = join(repository, 'dist/wine-prefix');

export interface Wine {
  /** The loader, as seen from inside `root`. */
  readonly loader: string;
  /** The file system it lives in, where that is not the machine's own. */
  readonly root: string | undefined;
  readonly version: string;
}

interface WindowsProgram {
  /** Path of the `.exe`, as this machine writes it. */
  readonly exe: string;
  readonly args?: readonly string[];
  /** Working folder; the repository where it is not given. */
  readonly cwd?: string;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface WindowsProcess {
  /** The exit code, as the low eight bits that Unix keeps of it. */
  readonly exited: Promise<number>;
  /** What it has written so far to standard output and standard error. */
  output(): string;
  /**
   * The first line, past or to come, that `matches`; rejects with the output when the program ends
   * without one.
   */
  line(matches: (line: string) => boolean): Promise<string>;
  /** Types Ctrl+C on the console of the program. */
  pressCtrlC(): void;
  /**
   * Ends the program where it still runs, as TerminateProcess does and without its knowledge; waits
   * until it is gone.
   */
  close(): Promise<void>;
}

/** The path that Windows programs know `path` by. */
export function windowsPath(path: string): string {
  return `Z:${path.replaceAll('/', '\\')}`;
}

/** The path that this machine knows a path on `C:` by. */
export function hostPath(path: string): string {
  return join(prefix, 'drive_c', path.replace(/^C:\\/i, '').replaceAll('\\', '/'));
}

let found: Wine | string | undefined;

/** A Wine that is new enough, or what is lacking, in words. */
export function findWine(): Wine | string {
  found ??= search();
  return found;
}

function wineOrThrow(): Wine {
  const wine = findWine();
  if (typeof wine === 'string') throw new Error(`This machine lacks ${wine}.`);
  return wine;
}

function search(): Wine | string {
  mkdirSync(cache, { recursive: true });
  const loaders = WFD_WINE === undefined ? ['wine64', '/usr/lib/wine/wine64', 'wine'] : [WFD_WINE];
  const candidates: Omit<Wine, 'version'>[] = loaders.map((loader) => ({ loader, root: undefined }));
  if (WFD_WINE === undefined && existsSync(privateRoot)) {
    candidates.push({ loader: '/usr/lib/wine/wine64', root: privateRoot });
  }
  const unfit: string[] = [];
  for (const candidate of candidates) {
    const [command, ...args] = commandLine(candidate.root, repository, [candidate.loader, '--version']);
    const asked = spawnSync(command, args, { encoding: 'utf8', env: environment(prefix) });
    const version = /^wine-(\d+)\S*/m.exec(asked.stdout ?? '');
    if (version && Number(version[1]) >= wineVersionMin) return { ...candidate, version: version[0] };
    if (version) unfit.push(`${candidate.loader} is ${version[0]}`);
    else if (candidate.root) unfit.push(`${candidate.root} can't be entered (root can): ${asked.stderr?.trim()}`);
  }
  return `Wine ${wineVersionMin} or newer${unfit.length > 0 ? ` (${unfit.join('; ')})` : ''}`;
}

/**
 * Makes the Wine prefix where there is none yet, which takes some fifteen seconds. It is made aside
 * and moved into place when its registry has been saved, since one that was cut short looks whole
 * and fails later.
 * @returns the version of Wine
 */
export function prepareWine(): string {
  const wine = wineOrThrow();
  if (existsSync(prefix)) return wine.version;
  const draft = mkdtempSync(`${prefix}-`);
  const make = '"$1" wineboot --init; "$(dirname "$(command -v "$1")")/wineserver" --wait';
  const [command, ...args] = commandLine(wine.root, draft, ['sh', '-c', make, 'sh', wine.loader]);
  const { status, stderr } = spawnSync(command, args, { env: environment(draft), encoding: 'utf8' });
  if (status !== 0) throw new Error(`Wine can't make its prefix: ${stderr}`);
  try {
    renameSync(draft, prefix);
  } catch {
    // Another process was faster; its prefix is as good.
    rmSync(draft, { recursive: true });
  }
  return wine.version;
}

/**
 * Starts a Windows program under Wine.
 * @throws Error where there is no Wine; ask `findWine` first.
 */
export function startUnderWine(program: WindowsProgram): WindowsProcess {
  prepareWine();
  const wine = wineOrThrow();
  const folder = mkdtempSync(join(tmpdir(), 'wfdd-wine-'));
  const outputFile = join(folder, 'output');
  const run = commandLine(wine.root, program.cwd ?? repository, [wine.loader, program.exe, ...(program.args ?? [])]);
  // The shell writes its own process id to the terminal before it becomes the program, so that
  // close() knows whom to end.
  const shell = `echo $$; exec ${run.map(quoted).join(' ')} >${quoted(outputFile)} 2>&1`;
  writeFileSync(outputFile, '');
  const terminal = spawn('script', ['--quiet', '--flush', '--return', '--command', shell, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...environment(prefix), ...program.env },
  });
  return handle(terminal, outputFile, folder);
}

function handle(terminal: ChildProcess, outputFile: string, folder: string): WindowsProcess {
  let isGone = false;
  const exited = once(terminal, 'exit').then(([code]) => {
    isGone = true;
    return Number(code ?? 1);
  });
  const processId = new Promise<number>((resolve) => {
    let typed = '';
    terminal.stdout?.setEncoding('utf8').on('data', (text: string) => {
      typed += text;
      const first = /^(\d+)\r?\n/.exec(typed);
      if (first) resolve(Number(first[1]));
    });
  });
  const read = (): string => readFileSync(outputFile, 'utf8');
  let whole: string | undefined;

  return {
    exited,
    output: () => whole ?? read(),
    line: (matches) => lineOf(outputFile, matches, exited),
    pressCtrlC: () => terminal.stdin?.write('\x03'),
    async close() {
      const pid = await Promise.race([processId, exited.then(() => undefined)]);
      if (pid !== undefined && !isGone) end(pid);
      await exited;
      whole ??= read();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** It may have ended by itself, though its terminal has not said so yet. */
function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function lineOf(file: string, matches: (line: string) => boolean, exited: Promise<number>): Promise<string> {
  const look = (): string | undefined => readFileSync(file, 'utf8').split(/\r?\n/).slice(0, -1).find(matches);
  const ended = new AbortController();
  try {
    return await new Promise<string>((resolve, reject) => {
      const check = (): void => {
        const line = look();
        if (line !== undefined) resolve(line);
      };
      watch(file, { signal: ended.signal }, check);
      exited.then((code) => {
        check();
        reject(new Error(`exited with ${code} before the line came:\n${readFileSync(file, 'utf8')}`));
      }, reject);
      check();
    });
  } finally {
    ended.abort();
  }
}

function environment(winePrefix: string): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env;
  return {
    PATH,
    HOME,
    WINEPREFIX: winePrefix,
    WINEARCH: 'win64',
    WINEDEBUG: '-all',
    // No offers to install .NET and a browser, no entries in the desktop's menus.
    WINEDLLOVERRIDES: 'mscoree=;mshtml=;winemenubuilder.exe=',
    // Debian's Wine keeps the socket of its server here.
    XDG_RUNTIME_DIR: winePrefix,
    // The code page of the Windows side follows the locale.
    LC_ALL: 'C.UTF-8',
  };
}

/** The command that runs `command` in `cwd`, inside the root of this Wine where it has one. */
function commandLine(
  root: string | undefined,
  cwd: string,
  command: readonly string[],
): readonly [string, ...string[]] {
  if (root === undefined) return ['env', '-C', cwd, ...command];
  return ['unshare', '--mount', 'sh', '-c', enterRoot, 'sh', root, cwd, tmpdir(), cache, repository, ...command];
}

/**
 * The mounts belong to the namespace and go with its last process; nothing of them is seen outside.
 */
const enterRoot = `
  set -e
  root=$1 cwd=$2; shift 2
  for folder in /proc /dev "$1" "$2" "$3"; do
    mkdir -p "$root$folder"
    mount --rbind "$folder" "$root$folder"
  done
  shift 3
  exec chroot "$root" env -C "$cwd" "$@"
`;

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
