/**
 * The package as its users get it: packed, installed beside its dependencies, and its README's
 * example compiled and run.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { type DaemonProcess, startDaemon } from '../harness/daemon.js';

const run = promisify(execFile);
const sources = resolve('clients/typescript');
const tsc = resolve('node_modules/typescript/bin/tsc');

const oldest = resolve('test/clients/oldest-typescript');

/** Longer than fetching a compiler for the first time takes. */
const TIME_MAX_MS = 5 * 60_000;

let project = '';
/** The example of the README, made to call a host. */
let example = '';
let daemon: DaemonProcess;
test.before(async (t) => {
  t.timeout(TIME_MAX_MS);
  project = await mkdtemp(join(tmpdir(), 'typescript-client-'));
  await install();
  const readme = await readFile(join(sources, 'README.md'), 'utf8');
  daemon = await startDaemon('--driver', 'simulator');
  [, example = ''] = /```ts\n(import [\s\S]*?)```/.exec(readme) ?? [];
  t.regex(example, /'localhost:50051'/);
  example = example.replace('localhost:50051', daemon.address);
});
test.after.always(async () => {
  await daemon?.stop();
  await rm(project, { recursive: true, force: true });
});

test.serial('the example of the README compiles, and runs with nothing but its dependencies', async (t) => {
  t.timeout(TIME_MAX_MS);
  await writeFile(join(project, 'example.ts'), example);
  await run(process.execPath, [tsc, '-p', project]);
  const { stdout, stderr } = await run(process.execPath, [join(project, 'example.js')]);
  t.is(stderr, '');
  t.regex(stdout, /^02:11:22:33:44:01 Meeting Room Display$/m);
  t.regex(stdout, /^OPENING\nOPEN\nopen on the interface [0-9a-f-]{36}\n/m);
  t.regex(stdout, /\nCLOSING\nCLOSED\nclosed, as seen by [A-Z_]+\n$/);
});

test.serial('a program of CommonJS compiles, and requires it', async (t) => {
  t.timeout(TIME_MAX_MS);
  const [imports = '', ...lines] = example.split('\n');
  const common = `${imports}\nasync function main(): Promise<void> {\n${lines.join('\n')}}\nvoid main();\n`;
  await writeFile(join(project, 'common.cts'), common);
  const flags = ['--module', 'nodenext', '--target', 'es2022', '--strict', '--types', 'node'];
  await run(process.execPath, [tsc, ...flags, '--ignoreConfig', 'common.cts'], { cwd: project });
  t.regex(await readFile(join(project, 'common.cjs'), 'utf8'), /require\("@wifi-direct-gateway\/client"\)/);
  const { stdout } = await run(process.execPath, [join(project, 'common.cjs')]);
  t.regex(stdout, /\nclosed, as seen by [A-Z_]+\n$/);
});

test.serial('the types of the package are those that programs rely on', async (t) => {
  t.timeout(TIME_MAX_MS);
  const types = await typesOfPackage();
  await writeFile(join(project, 'types.mts'), types);
  const flags = ['--noEmit', '--module', 'nodenext', '--target', 'es2022', '--strict', '--types', 'node'];
  const compile = () => run(process.execPath, [tsc, ...flags, '--ignoreConfig', 'types.mts'], { cwd: project });
  await t.notThrowsAsync(compile());
  // An error that is expected and does not come is an error.
  await writeFile(join(project, 'types.mts'), types.replace('connect();', "connect('localhost:50051');"));
  const { stdout } = await t.throwsAsync<Error & { stdout: string }>(compile());
  t.regex(stdout, /TS2578: Unused '@ts-expect-error' directive/);
});

test.serial('the oldest TypeScript of the README compiles it, by each way of resolving modules', async (t) => {
  t.timeout(TIME_MAX_MS);
  const { dependencies } = JSON.parse(await readFile(join(oldest, 'package.json'), 'utf8'));
  const readme = await readFile(join(sources, 'README.md'), 'utf8');
  t.true(readme.includes(`TypeScript ${dependencies.typescript.replace(/\.\d+$/, '')} or newer`));
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: oldest,
    shell: process.platform === 'win32',
  });
  await writeFile(join(project, 'oldest.mts'), example);
  await writeFile(join(project, 'types.mts'), await typesOfPackage());
  for (const [module, resolution] of [
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ] as const) {
    const flags = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--types', 'node'];
    const how = ['--module', module, '--moduleResolution', resolution];
    const compiler = join(oldest, 'node_modules/typescript/lib/tsc.js');
    await t.notThrowsAsync(
      run(process.execPath, [compiler, ...flags, ...how, 'oldest.mts', 'types.mts'], { cwd: project }),
      resolution,
    );
  }
});

/** `typescript-types.ts`, of the package in place of its sources. */
async function typesOfPackage(): Promise<string> {
  const text = await readFile('test/clients/typescript-types.ts', 'utf8');
  return text.replace("'../../clients/typescript/src/client.js'", "'@wifi-direct-gateway/client'");
}

/**
 * What `npm install` would: the package as it is packed, and what its package.json says that it
 * needs.
 */
async function install(): Promise<void> {
  const text = await readFile(join(sources, 'package.json'), 'utf8');
  const { name, dependencies, peerDependencies } = JSON.parse(text);
  const packageFolder = join(project, 'node_modules', name);
  await run(process.execPath, [tsc, '-p', sources, '--outDir', join(packageFolder, 'dist')]);
  await writeFile(join(packageFolder, 'package.json'), text);
  for (const needed of [...Object.keys({ ...dependencies, ...peerDependencies }), '@types/node']) {
    const link = join(project, 'node_modules', needed);
    await mkdir(dirname(link), { recursive: true });
    await symlink(resolve('node_modules', needed), link, 'junction');
  }
  await writeFile(join(project, 'package.json'), JSON.stringify({ type: 'module' }));
  const compilerOptions = { module: 'nodenext', target: 'es2022', strict: true, types: ['node'] };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['example.ts'] }));
}
