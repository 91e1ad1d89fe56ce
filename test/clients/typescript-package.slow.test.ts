/** The package as its users get it: packed, installed beside its dependencies, and its README's example compiled and run. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { startDaemon } from '../harness/daemon.js';

const run = promisify(execFile);
const sources = resolve('clients/typescript');
const tsc = resolve('node_modules/typescript/bin/tsc');

let project = '';
test.before(async () => {
  project = await mkdtemp(join(tmpdir(), 'typescript-client-'));
});
test.after.always(() => rm(project, { recursive: true, force: true }));

test('the example of the README compiles against the package, and runs with nothing but its dependencies', async (t) => {
  await install();
  const readme = await readFile(join(sources, 'README.md'), 'utf8');
  const example = /```ts\n(import [\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const daemon = await startDaemon('--driver', 'simulator');
  try {
    t.regex(example, /'localhost:50051'/);
    await writeFile(join(project, 'example.ts'), example.replace('localhost:50051', daemon.address));
    await run(process.execPath, [tsc, '-p', project]);
    const { stdout, stderr } = await run(process.execPath, [join(project, 'example.js')]);
    t.is(stderr, '');
    t.regex(stdout, /^02:11:22:33:44:01 Meeting Room Display$/m);
    t.regex(stdout, /^OPENING\nOPEN\nopen on the interface [0-9a-f-]{36}\n/m);
    t.regex(stdout, /\nCLOSING\nCLOSED\nclosed, as seen by [A-Z_]+\n$/);
  } finally {
    await daemon.stop();
  }
});

/** What `npm install` would: the package as it is packed, and what its package.json says that it needs. */
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
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
}
