import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const LAUNCHER = fileURLToPath(new URL('../../../service/wfdd.cjs', import.meta.url));

const onPosix = process.platform === 'win32' ? test.skip : test;

/** Runs the launcher in a tree with this as its compiled main, or with none. */
function launch(
  main: string | undefined,
  environment: NodeJS.ProcessEnv,
  ...nodeFlags: string[]
): Promise<{ code: unknown; out: string; error: string }> {
  const root = mkdtempSync(join(tmpdir(), 'wfdd-launcher-'));
  mkdirSync(join(root, 'service'));
  mkdirSync(join(root, 'dist/wfdd'), { recursive: true });
  const launcher = join(root, 'service/wfdd.cjs');
  copyFileSync(LAUNCHER, launcher);
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
  if (main !== undefined) writeFileSync(join(root, 'dist/wfdd/main.js'), main);
  const { UV_THREADPOOL_SIZE: _, ...inherited } = process.env;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...nodeFlags, launcher, 'a'],
      { env: { ...inherited, ...environment }, timeout: 20_000 },
      (failure, out, error) => {
        rmSync(root, { recursive: true, force: true });
        resolve({ code: failure?.code ?? 0, out, error });
      },
    );
  });
}

const ECHO = 'console.log(process.env.UV_THREADPOOL_SIZE, process.argv[2])';

test('the pool gets 16 threads, unless the environment says otherwise', async (t) => {
  t.is((await launch(ECHO, {})).out, '16 a\n');
  t.is((await launch(ECHO, { UV_THREADPOOL_SIZE: '40' })).out, '40 a\n');
});

onPosix('15 calls that block for ever leave a thread of the pool to the rest', async (t) => {
  const main = `
    import { execFileSync } from 'node:child_process';
    import { open, readFile } from 'node:fs';
    const names = Array.from({ length: 15 }, (_, index) => new URL('pipe-' + index, import.meta.url).pathname);
    execFileSync('mkfifo', names);
    // Opening a pipe that nobody writes to holds its thread.
    for (const name of names) open(name, 'r', () => {});
    readFile(import.meta.filename, () => {
      console.log('read');
      process.kill(process.pid, 'SIGKILL');
    });
  `;
  t.is((await launch(main, {})).out, 'read\n');
});

test('before the build it says what to run', async (t) => {
  const { code, error } = await launch(undefined, {});
  t.is(code, 70);
  t.regex(error, /^wfdd is not built: .*main\.js is missing\. Run `npm run build` first\.\n$/);
});

test('a main that fails to load ends the process with its error', async (t) => {
  const { code, error } = await launch("throw new Error('no luck')", {});
  t.not(code, 0);
  t.regex(error, /no luck/);
});

/** Has Node say that it is another: of Windows, with this libuv. */
function asWindows(uv: string): string[] {
  const file = join(mkdtempSync(join(tmpdir(), 'wfdd-launcher-')), 'as-windows.cjs');
  writeFileSync(
    file,
    `Object.defineProperty(process, 'platform', { value: 'win32' });
     Object.defineProperty(process, 'versions', { value: { ...process.versions, uv: '${uv}' } });`,
  );
  return ['--require', file];
}

onPosix(
  'a libuv of Windows that cannot be told the size of its pool from inside is refused with what helps',
  async (t) => {
    const { code, error } = await launch(ECHO, {}, ...asWindows('1.51.0'));
    t.is(code, 70);
    t.regex(error, /libuv 1\.51\.0.*Start it with wfdd\.cmd, set UV_THREADPOOL_SIZE=16 before starting it/);
    t.is((await launch(ECHO, { UV_THREADPOOL_SIZE: '16' }, ...asWindows('1.51.0'))).out, '16 a\n');
    t.is((await launch(ECHO, {}, ...asWindows('1.52.1'))).out, '16 a\n');
    t.is((await launch(ECHO, {}, ...asWindows('2.0.0'))).out, '16 a\n');
  },
);

test('a native module that cannot be loaded is explained: what may block it, and what helps', async (t) => {
  const blocked = `
    import { writeFileSync } from 'node:fs';
    import { fileURLToPath } from 'node:url';
    const file = fileURLToPath(new URL('koffi.node', import.meta.url));
    writeFileSync(file, 'not a library');
    process.dlopen({ exports: {} }, file);
  `;
  for (const main of [
    blocked,
    "throw new Error('Cannot find the native Koffi module; did you bundle it correctly?')",
  ]) {
    const { code, error } = await launch(main, {});
    t.is(code, 70);
    t.regex(error, /^wfdd cannot load its native module: .*Smart App Control.*AppLocker.*event 3077.*Unblock-File/s);
    t.notRegex(error, / at /, 'no stack');
  }
});
