/**
 * The rules of the house, as far as a program can see them: which room imports which, which package belongs to which room, how long a
 * file may be, and what may lie where. Run on its own it checks the repository; each violation names file, line and rule.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface SourceFile {
  /** Within the repository, with `/`. */
  readonly path: string;
  readonly text: string;
  /** As `.gitattributes` has it: written by a program, or by somebody else. */
  readonly isMarked: boolean;
}

export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
}

/**
 * What each room may import besides itself: rooms and single files, `type` where only their types. A file that has a row of its own may
 * import that too. A test may import anything, and is in no row, so nothing imports test.
 */
const doors: Readonly<Record<string, readonly string[]>> = {
  native: [],
  'native/simulator': [],
  'proto/gen': [],
  'service/main.ts': [
    'native',
    'service/root.ts',
    'service/access',
    'service/commands',
    'service/composition.ts',
    'service/config',
    'service/daemon.ts',
    'service/doctor',
    'service/journal',
    'service/named-files.ts',
    'service/telemetry',
    'service/tls',
    'service/windows-service',
  ],
  'service/composition.ts': [
    'native',
    'proto/gen',
    'service/fault.ts',
    'service/root.ts',
    'service/access',
    'service/api',
    'service/codec',
    'service/commands',
    'service/config',
    'service/device',
    'service/driver',
    'service/events',
    'service/files',
    'service/grpc',
    'service/journal',
    'service/session',
    'service/telemetry',
  ],
  'service/daemon.ts': [
    'service/awake-clock.ts',
    'type service/composition.ts',
    'service/deadline.ts',
    'service/fault.ts',
    'service/commands',
    'service/config',
  ],
  'service/named-files.ts': ['service/access', 'service/config', 'service/files', 'service/tls'],
  'service/deadline.ts': [],
  'service/multimap.ts': [],
  'service/fault.ts': [],
  'service/once.ts': [],
  'service/visible.ts': [],
  'service/trace.ts': [],
  'service/awake-clock.ts': [],
  'service/bundle': [],
  'service/release': ['service/bundle'],
  'service/root.ts': [],
  'service/config': ['service/root.ts', 'service/visible.ts'],
  'service/commands': ['service/config', 'service/visible.ts'],
  'service/files': ['type service/telemetry/log.ts'],
  'service/tls': [
    'service/access/identity.ts',
    'service/files',
    'type service/access',
    'type service/config/schema.ts',
  ],
  'service/access': [
    'service/files',
    'service/fault.ts',
    'service/once.ts',
    'service/config/role-binding.ts',
    'type service/config/schema.ts',
    'type service/telemetry/log.ts',
  ],
  'service/events': ['service/fault.ts'],
  'service/journal': [
    'native/file-lock.ts',
    'type service/fault.ts',
    'type service/commands/journal.ts',
    'type service/events',
    'type service/session',
    // Events are kept as they go over the wire.
    'service/codec',
    'proto/gen',
  ],
  'service/session': [
    'service/awake-clock.ts',
    'type service/trace.ts',
    'service/fault.ts',
    'service/once.ts',
    'type service/driver/driver.ts',
    'type service/events/stream.ts',
  ],
  'service/device': [
    'type service/trace.ts',
    'service/fault.ts',
    'type service/driver/driver.ts',
    'type service/events/stream.ts',
  ],
  'service/driver': [
    'service/deadline.ts',
    'service/multimap.ts',
    'type service/trace.ts',
    'native',
    'service/awake-clock.ts',
    'service/fault.ts',
    'service/once.ts',
    'type service/session/session.ts',
  ],
  'service/telemetry': [
    'service/deadline.ts',
    'type service/trace.ts',
    'service/visible.ts',
    'service/fault.ts',
    'type service/config/schema.ts',
    'type service/session/session.ts',
  ],
  'service/codec': [
    'proto/gen',
    'service/fault.ts',
    'service/visible.ts',
    'type service/access',
    'type service/config/schema.ts',
    'type service/device',
    'type service/driver/driver.ts',
    'type service/events',
    'type service/session',
  ],
  // It knows no wire: bytes, callers and streams come to it as values.
  'service/api': [
    'proto/gen',
    'service/fault.ts',
    'service/once.ts',
    'type service/trace.ts',
    'service/access',
    'service/codec',
    'service/device',
    'service/events',
    'service/session',
    'type service/driver/driver.ts',
    'type service/telemetry/log.ts',
    'type service/telemetry/observer.ts',
  ],
  'service/api/simulator-service.ts': ['native'],
  'service/api/simulator-messages.ts': ['native/simulator-types.ts'],
  'service/grpc': [
    'proto/gen',
    'service/deadline.ts',
    'service/fault.ts',
    'service/once.ts',
    'type service/trace.ts',
    'service/access',
    'service/api',
    'service/codec/status.ts',
    'service/files',
    'service/tls',
    'type service/config/schema.ts',
    'type service/telemetry/log.ts',
    'type service/telemetry/observer.ts',
  ],
  'service/doctor': [
    'service/deadline.ts',
    'native',
    'service/access',
    'service/commands',
    'service/config',
    'service/driver',
    'service/files',
    'service/root.ts',
    'service/tls',
    'service/windows-service',
  ],
  'service/windows-service': [
    'service/deadline.ts',
    'native',
    'service/commands',
    'service/config',
    'service/telemetry',
  ],
  'clients/typescript': ['proto/gen'],
  'clients/ctl': ['clients/typescript', 'proto/gen'],
  // The page runs in a browser: of the command it knows what comes over the wire.
  'clients/ctl/console': ['type clients/ctl'],
};

/** The rooms, or the files, that may import a package. */
const packages: Readonly<Record<string, readonly string[]>> = {
  '@grpc/grpc-js': ['service/grpc', 'clients/typescript'],
  '@bufbuild/protobuf': ['proto/gen', 'service/codec', 'service/grpc', 'service/journal', 'clients/typescript'],
  koffi: ['native'],
  rxjs: [
    'service/api',
    'service/device',
    'service/driver',
    'service/events',
    'service/grpc',
    'service/session/lifecycle.ts',
    'clients/typescript',
  ],
  zod: ['service/config', 'service/access', 'service/files'],
  yaml: ['service/commands', 'service/config', 'service/files', 'clients/ctl'],
  commander: ['service/commands', 'clients/ctl'],
  '@peculiar/asn1-schema': ['service/tls'],
  '@peculiar/asn1-x509': ['service/tls'],
  pino: ['service/telemetry'],
  'pino-pretty': ['service/telemetry'],
  'prom-client': ['service/telemetry'],
  fflate: ['service/bundle'],
  '@opentelemetry/api': ['service/telemetry'],
  '@opentelemetry/core': ['service/telemetry'],
  '@opentelemetry/resources': ['service/telemetry'],
  '@opentelemetry/sdk-trace': ['service/telemetry'],
  '@opentelemetry/otlp-exporter-base': ['service/telemetry'],
  '@opentelemetry/otlp-transformer': ['service/telemetry'],
  esbuild: ['service/bundle'],
  preact: ['clients/ctl/console'],
  '@preact/signals': ['clients/ctl/console'],
  uplot: ['clients/ctl/console'],
};

/** Pure: they import types, and of values only one another's. */
const pure = [
  'service/events/cursor.ts',
  'service/events/log.ts',
  'service/session/machine.ts',
  'service/session/session.ts',
  'service/session/transition.ts',
];

const topLevel =
  /^(proto|service|native|clients|test|package(-lock)?\.json|buf(\.[a-z]+)?\.yaml|README\.md|LICENSE|(ARCHITECTURE|CHANGELOG|CONTRIBUTING|SECURITY)\.md|tsconfig[a-z.]*\.json|biome\.json|ava\.config\.js|\..+)$/;

const LINES_MAX = 500;
const countsLines = /\.(tsx?|c|cc|h|cs|go|java|py|rs|sh)$/;

/** Where the daemon may know that there is a simulator. */
const knowsSimulator =
  /^service\/(config\/|bundle\/|release\/|commands\/|main\.ts$|composition\.ts$|daemon\.ts$|api\/simulator-[a-z]+\.ts$)/;

const generatedMark = /Code generated|DO NOT EDIT|@generated/;
const vagueName =
  /^(?:export )?(?:abstract )?(?:class|interface|type) (\w*(?:Manager|Helper|Utils?|Impl)|I[A-Z]\w*)\b/gm;

/** Checks these files as if they were the repository. */
export function tidy(files: readonly SourceFile[]): Violation[] {
  return [
    ...files.flatMap((file) => [...placeOf(file), ...(file.isMarked ? [] : [...textOf(file), ...importsOf(file)])]),
    ...cyclesOf(files),
  ];
}

/** The first file of each cycle that is still to be broken. */

/**
 * Each group of files that need one another, in TypeScript and Rust. Types count: two files that can't be read one after the other
 * are one. Go has no need of it: its compiler refuses cycles of packages, and the files of a package are one.
 */
function cyclesOf(files: readonly SourceFile[]): Violation[] {
  const needs = new Map(files.filter(({ isMarked }) => !isMarked).map((file) => [file.path, neededBy(file)]));
  const reached = new Map([...needs.keys()].map((path) => [path, reachable(path, needs)]));
  return [...needs.keys()].flatMap((path) => {
    const cycle = [...(reached.get(path) ?? [])].filter((other) => reached.get(other)?.has(path)).sort();
    if (cycle[0] !== path) return [];
    const rule = cycle.length === 1 ? 'a file does not import itself' : `a cycle of files: ${cycle.join(', ')}`;
    return [{ file: path, line: 1, rule }];
  });
}

/** All that a file needs, directly or by another; itself only if it is in a cycle. */
function reachable(from: string, needs: ReadonlyMap<string, readonly string[]>): Set<string> {
  const found = new Set<string>();
  const open = [from];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    for (const next of needs.get(path) ?? []) {
      if (found.has(next)) continue;
      found.add(next);
      open.push(next);
    }
  }
  return found;
}

function neededBy({ path, text }: SourceFile): string[] {
  if (path.endsWith('.ts')) {
    const own = readImports(text).filter(({ from }) => from.startsWith('.'));
    return own.map(({ from }) => posix.join(posix.dirname(path), from).replace(/\.js$/, '.ts'));
  }
  // Tests stand below what they test, and are compiled with it alone.
  if (!/^clients\/rust\/src\/.*\.rs$/.test(path) || path.endsWith('/tests.rs')) return [];
  const code = text.replace(/^\s*\/\/.*$/gm, '');
  return [...code.matchAll(/\bcrate::([a-z]\w*)/g)].map(([, module]) => `clients/rust/src/${module}.rs`);
}

/** What a file must not be called, or where it must not lie. */
function placeOf({ path, text, isMarked }: SourceFile): Violation[] {
  const at = (rule: string): Violation => ({ file: path, line: 1, rule });
  const [top = ''] = path.split('/');
  const name = basename(path);
  const wrong: Violation[] = [];
  if (!topLevel.test(top)) wrong.push(at('nothing else lies at the top level'));
  const isGenerated = path.includes('/gen/') || generatedMark.test(text.split('\n', 5).join('\n'));
  if (isGenerated && !isMarked) wrong.push(at('a generated file is marked in .gitattributes'));
  if (isMarked) return wrong;
  if (name === 'index.ts') wrong.push(at('no index.ts: import the file that has the thing'));
  if (/\.tsx?$/.test(name) && !/^[a-z0-9.-]+$/.test(name)) wrong.push(at('TypeScript files are named in kebab-case'));
  if (/\.(c|cc|h|proto)$/.test(name) && !/^[a-z0-9_.]+$/.test(name)) wrong.push(at('C and proto: names in snake_case'));
  return wrong;
}

function textOf({ path, text }: SourceFile): Violation[] {
  const wrong: Violation[] = [];
  const lines = text.split('\n');
  const length = lines.length - (text.endsWith('\n') ? 1 : 0);
  if (countsLines.test(path) && length > LINES_MAX) {
    wrong.push({
      file: path,
      line: LINES_MAX + 1,
      rule: `a file has at most ${LINES_MAX} lines, this one has ${length}`,
    });
  }
  if (/^service\/.*\.ts$/.test(path) && !knowsSimulator.test(path)) {
    for (const [i, line] of lines.entries()) {
      if (/simulator/i.test(line))
        wrong.push({ file: path, line: i + 1, rule: 'the word "simulator" stays out of service/' });
    }
  }
  if (!isTypeScript(path)) return wrong;
  for (const match of text.matchAll(vagueName)) {
    wrong.push({
      file: path,
      line: lineOf(text, match.index),
      rule: `"${match[1]}" says nothing: no Manager, Helper, Util, Impl, I-prefix`,
    });
  }
  return wrong;
}

interface Import {
  readonly from: string;
  readonly isTypeOnly: boolean;
  readonly line: number;
}

function importsOf({ path, text }: SourceFile): Violation[] {
  if (!isTypeScript(path) || path.startsWith('test/')) return [];
  if (roomOf(path) === undefined && doors[path] === undefined) {
    return [{ file: path, line: 1, rule: 'every source file belongs to a room' }];
  }
  return readImports(text).flatMap((read) => {
    const rule = read.from.startsWith('.') ? whyNotFile(path, read) : whyNotPackage(path, read);
    return rule === undefined ? [] : [{ file: path, line: read.line, rule }];
  });
}

function whyNotFile(path: string, { from, isTypeOnly }: Import): string | undefined {
  const target = posix.join(posix.dirname(path), from).replace(/\.js$/, '.ts');
  if (pure.includes(path) && !isTypeOnly && !pure.includes(target))
    return `it is pure, and imports values of ${target}`;
  const room = roomOf(path);
  const targetRoom = roomOf(target);
  if (room !== undefined && room === targetRoom) return undefined;
  const open = [...(doors[path] ?? []), ...((room && doors[room]) || [])];
  const doorTo = (kind: string) => open.includes(`${kind}${target}`) || open.includes(`${kind}${targetRoom}`);
  if (doorTo('') || (isTypeOnly && doorTo('type '))) return undefined;
  return `${room ?? path} does not import ${doorTo('type ') ? 'values of ' : ''}${target}`;
}

function whyNotPackage(path: string, { from, isTypeOnly }: Import): string | undefined {
  if (pure.includes(path) && !isTypeOnly) return `it is pure, and imports values of ${from}`;
  if (from.startsWith('node:')) return undefined;
  const name = from.split('/', from.startsWith('@') ? 2 : 1).join('/');
  const rooms = packages[name];
  if (rooms === undefined) return `no room has the package ${name}`;
  return rooms.some((room) => room === path || room === roomOf(path))
    ? undefined
    : `${name} belongs to ${rooms.join(', ')}`;
}

function isTypeScript(path: string): boolean {
  return /\.tsx?$/.test(path);
}

/** The innermost room whose folder the file lies in. */
function roomOf(path: string): string | undefined {
  const rooms = Object.keys(doors).filter((room) => path.startsWith(`${room}/`));
  return rooms.reduce<string | undefined>(
    (inner, room) => (room.length > (inner?.length ?? 0) ? room : inner),
    undefined,
  );
}

function readImports(text: string): Import[] {
  const found: Import[] = [];
  const statement = /^(?:import|export)\s+(type\s+)?([\w$\s{},*]*?)\s*from\s+'([^']+)'/gm;
  for (const { 1: type, 2: clause = '', 3: from = '', index } of text.matchAll(statement)) {
    const [, names] = /^\{(.*)\}$/s.exec(clause) ?? [];
    const areTypes = names?.split(',').every((name) => /^\s*(type\s|$)/.test(name)) ?? false;
    found.push({ from, isTypeOnly: type !== undefined || areTypes, line: lineOf(text, index) });
  }
  for (const { 1: from = '', index } of text.matchAll(/(?:^import\s+|\bimport\()'([^']+)'/gm)) {
    found.push({ from, isTypeOnly: false, line: lineOf(text, index) });
  }
  return found;
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/** Every file that is tracked, or would be. */
function repository(root: string): SourceFile[] {
  const git = (args: readonly string[], input = '') =>
    execFileSync('git', args, { cwd: root, input, encoding: 'utf8' });
  const listed = git(['ls-files', '-z', '--cached', '--others', '--exclude-standard']).split('\0').filter(Boolean);
  const attributes = git(['check-attr', '-z', '--stdin', 'linguist-generated', 'linguist-vendored'], listed.join('\0'));
  const marked = new Set<string>();
  for (const [, path, value] of attributes.matchAll(/([^\0]+)\0[^\0]+\0([^\0]+)\0/g)) {
    if (path !== undefined && value !== 'unspecified' && value !== 'unset' && value !== 'false') marked.add(path);
  }
  return listed.flatMap((path) => {
    const text = read(`${root}${path}`);
    return text === undefined ? [] : [{ path, text, isMarked: marked.has(path) }];
  });
}

/** Undefined where a file has been deleted, and git not been told. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

const self = fileURLToPath(import.meta.url);
if (process.argv[1] === self) {
  const files = repository(fileURLToPath(new URL('../../', import.meta.url)));
  const violations = tidy(files);
  for (const { file, line, rule } of violations) console.log(`${file}:${line}: ${rule}`);
  console.log(violations.length === 0 ? `${files.length} files are tidy.` : `${violations.length} violations.`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
