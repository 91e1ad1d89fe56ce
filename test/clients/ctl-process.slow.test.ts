/** `wfdctl` as a process: signals, a reader that leaves, and the package as its users get it. */
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { promisify, stripVTControlCharacters } from 'node:util';
import test from 'ava';
import { display, gatewayForThisFile } from '../harness/gateway.js';
import { Folder } from './ctl-run.js';

const gateway = gatewayForThisFile();
const execute = promisify(execFile);
const launcher = resolve('clients/ctl/wfdctl.mjs');
const env = { ...process.env, WFDCTL_CONFIG: '/nobody/none.yaml' };

class Process {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly exited: Promise<number | null>;
  readonly lines: string[] = [];
  readonly #reader: Interface;

  constructor(...argv: string[]) {
    const args = [launcher, ...argv, '--address', gateway().daemon.address];
    this.child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stderr.pipe(process.stderr);
    this.exited = once(this.child, 'close').then(([code]) => code);
    this.#reader = createInterface({ input: this.child.stdout });
    this.#reader.on('line', (line) => this.lines.push(line));
  }

  async line(pattern: RegExp): Promise<void> {
    while (!this.lines.some((line) => pattern.test(line))) await once(this.#reader, 'line');
  }
}

for (const signal of process.platform === 'win32' ? [] : (['SIGINT', 'SIGTERM'] as const)) {
  test.serial(`${signal} closes the session, and the process ends well`, async (t) => {
    const ctl = new Process('open', display);
    await ctl.line(/OPENED/);
    ctl.child.kill(signal);
    t.is(await ctl.exited, 0);
    t.regex(ctl.lines.at(-1) ?? '', /CLOSED +REQUESTED/);
  });
}

if (process.platform === 'linux') {
  test.serial('SIGHUP closes the session where there is a terminal, which is gone then', async (t) => {
    const quoted = [process.execPath, launcher, 'open', display, '--address', gateway().daemon.address].join(' ');
    // `exec`: the shell under the terminal becomes wfdctl itself, and says which process that is.
    const child = spawn('script', ['-qec', `echo "pid $$ "; exec ${quoted}`, '/dev/null'], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let told = '';
    child.stdout.on('data', (chunk: Buffer) => {
      told += chunk;
    });
    while (!/OPENED/.test(told)) await once(child.stdout, 'data');
    const [, pid] = /pid (\d+) /.exec(told) ?? [];
    process.kill(Number(pid), 'SIGHUP');
    t.is((await once(child, 'close'))[0], 0);
    t.regex(stripVTControlCharacters(told), /CLOSED +REQUESTED/);
  });

  test.serial(
    'under nohup, where there is no terminal, a watch goes on after SIGHUP, and ends at SIGTERM',
    async (t) => {
      const child = spawn(
        'nohup',
        [process.execPath, launcher, 'watch', '-o', 'json', '--address', gateway().daemon.address],
        { env, stdio: ['ignore', 'pipe', 'ignore'] },
      );
      let told = '';
      child.stdout.on('data', (chunk: Buffer) => {
        told += chunk;
      });
      await once(child.stdout, 'data');
      child.kill('SIGHUP');
      const { stream } = await gateway().openSession({ deviceAddress: display });
      while (!/SESSION_EVENT_TYPE_OPENED/.test(told)) await once(child.stdout, 'data');
      stream.cancel();
      child.kill('SIGTERM');
      t.is((await once(child, 'close'))[0], 0);
    },
  );
}

test.serial('a reader that has had enough ends a watch without a word', async (t) => {
  const ctl = new Process('watch', '--since', (await host()).newestCursor);
  ctl.child.stdout.destroy();
  const { stream } = await gateway().openSession({ deviceAddress: display });
  t.is(await ctl.exited, 0);
  stream.cancel();
});

for (const device of process.platform === 'linux' ? ['/dev/full'] : []) {
  test.serial('output that can not be written is an error', async (t) => {
    const full = openSync(device, 'w');
    const args = [launcher, 'devices', '--address', gateway().daemon.address];
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', full, 'pipe'] });
    closeSync(full);
    const [[code], said] = await Promise.all([once(child, 'close'), text(child.stderr as Readable)]);
    t.is(code, 70);
    t.is(said, "wfdctl: The output can't be written (ENOSPC); free some space, or write it to another place.\n");
  });
}

async function host(): Promise<{ newestCursor: string }> {
  const { stdout } = await execute(
    process.execPath,
    [launcher, 'host', '-o', 'json', '--address', gateway().daemon.address],
    { env },
  );
  return JSON.parse(stdout);
}

test.serial('its package has all that it needs, and no more', async (t) => {
  using folder = new Folder();
  const sources = resolve('clients/ctl');
  const installed = join(folder.path, 'node_modules/@wifi-direct-gateway/ctl');
  const manifest = JSON.parse(readFileSync(join(sources, 'package.json'), 'utf8'));
  mkdirSync(installed, { recursive: true });
  for (const file of ['package.json', manifest.bin.wfdctl]) copyFileSync(join(sources, file), join(installed, file));
  const tsc = resolve('node_modules/typescript/bin/tsc');
  await execute(process.execPath, [tsc, '-p', sources, '--outDir', join(installed, 'dist')]);
  for (const name of manifest.files.filter((name: string) => name !== 'dist'))
    cpSync(join(sources, name), join(installed, name), { recursive: true });
  for (const name of Object.keys(manifest.dependencies)) {
    const link = join(folder.path, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(resolve('node_modules', name), link, 'junction');
  }
  const run = (...argv: string[]) =>
    execute(process.execPath, [join(installed, manifest.bin.wfdctl), ...argv], { env });
  t.is((await run('--version')).stdout, `wfdctl ${manifest.version}\n`);
  t.regex((await run('devices', '--address', gateway().daemon.address)).stdout, /Meeting Room Display/);
  t.regex((await run('completion', 'powershell')).stdout, /^Register-ArgumentCompleter /m);
});

test.serial('before the build it says what to run', async (t) => {
  using folder = new Folder();
  mkdirSync(folder.file('clients/ctl'), { recursive: true });
  copyFileSync(launcher, folder.file('clients/ctl/wfdctl.mjs'));
  writeFileSync(folder.file('package.json'), '{}');
  const error = await t.throwsAsync(execute(process.execPath, [folder.file('clients/ctl/wfdctl.mjs')]));
  t.like(error, { code: 70, stderr: 'wfdctl is not built. Run `npm run build` first.\n' });
});
