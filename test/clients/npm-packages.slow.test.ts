/** Each npm package has all that it needs, and nothing of the simulator that it does not name. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';

const run = promisify(execFile);
const tsc = resolve('node_modules/typescript/bin/tsc');

const project = mkdtempSync(join(tmpdir(), 'npm-packages-'));
test.before(() => writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module' })));
test.after.always(() => rmSync(project, { recursive: true, force: true }));

interface Package {
  readonly folder: string;
  /** What a program imports, and a name that it then has. */
  readonly imports: string;
  readonly has: string;
  readonly hasSimulator: boolean;
}

const packages: readonly Package[] = [
  {
    folder: 'clients/typescript',
    imports: '@wifi-direct-gateway/client',
    has: 'connect',
    hasSimulator: false,
  },
  {
    folder: 'clients/typescript/simulator',
    imports: '@wifi-direct-gateway/simulator',
    has: 'connectSimulator',
    hasSimulator: true,
  },
  {
    folder: 'proto',
    imports: '@wifi-direct-gateway/proto/wifidirect/v1/session_service',
    has: 'SessionServiceDefinition',
    hasSimulator: false,
  },
];

for (const { folder, imports, has, hasSimulator } of packages) {
  test.serial(`${folder} can be imported with nothing but its dependencies`, async (t) => {
    t.timeout(120_000);
    const text = readFileSync(join(folder, 'package.json'), 'utf8');
    const { name, dependencies, peerDependencies } = JSON.parse(text);
    const target = join(project, 'node_modules', name);
    await run(process.execPath, [tsc, '-p', folder, '--outDir', join(target, 'dist')]);
    writeFileSync(join(target, 'package.json'), text);
    for (const needed of Object.keys({ ...dependencies, ...peerDependencies })) {
      const link = join(project, 'node_modules', needed);
      mkdirSync(dirname(link), { recursive: true });
      rmSync(link, { force: true });
      symlinkSync(resolve('node_modules', needed), link, 'junction');
    }
    const program = `import { ${has} } from '${imports}'; console.log(typeof ${has});`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { cwd: project });
    t.regex(stdout, /^(?:function|object)\n$/);
    const files = readdirSync(target, { recursive: true, encoding: 'utf8' });
    t.is(
      files.some((file) => file.includes('simulator_service')),
      hasSimulator,
    );
  });
}
