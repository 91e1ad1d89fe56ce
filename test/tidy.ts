/**
 * The rules of the house, as far as a program can see them: which room imports which, which package
 * belongs to which room, how long a file may be, and what may lie where. Run on its own it checks
 * the repository; each violation names file, line and rule.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { doors, packages } from './rooms.js';

export interface SourceFile {
  /** Within the repository, with `/`. */
  readonly path: string;
  readonly text: string;
  /** As `.gitattributes` has it: written by a program, or by somebody else. */
  readonly isMarked: boolean;
}

interface Violation {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
}

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

/** How many files a folder of service/ may hold: what can be read in a sitting. */
const ROOM_FILES_MAX = 18;

const COMMENT_COLUMNS_MAX = 100;
/** Comments that a line break would change: instructions to tools, examples, tables, long words. */
const unbreakable = /biome-ignore|^\s*(?:\*|\/\/\/?|#) (?: {2}|\|)|^\s*\S+\s\S+\s*(?:\*\/)?$/;
/** A line that is a comment, in the languages of the repository. */
const commentLine = /^\s*(?:\/\/|\*(?!\w)|\/\*|#(?![![a-z]))/;

/** Their exports are for users of the package, or for tests that read them all as one. */
const exportsForOthers = /^(?:clients\/typescript\/src\/client|native\/constants)\.ts$/;

const LINES_MAX = 500;
/** What the first comment of a longer file says, with the reason. */
const LONGER_BECAUSE = /^\W*[^\n]*(?:\n[^\n]*){0,12}More than 500 lines, because/;
const countsLines = /\.(tsx?|c|cc|h|hpp|cs|go|java|py|rs|sh)$/;

/** Where the daemon may know that there is a simulator. */
const knowsSimulator =
  /^service\/(simulator\/|config\/|bundle\/|release\/|commands\/|main\.ts$|composition\.ts$|daemon\.ts$)/;

const generatedMark = /Code generated|DO NOT EDIT|@generated/;
const vagueName =
  /^(?:export )?(?:abstract )?(?:class|interface|type) (\w*(?:Manager|Helper|Utils?|Impl)|I[A-Z]\w*)\b/gm;

/** Checks these files as if they were the repository. */
export function tidy(files: readonly SourceFile[]): Violation[] {
  return [
    ...files.flatMap((file) => [...placeOf(file), ...(file.isMarked ? [] : [...textOf(file), ...importsOf(file)])]),
    ...cyclesOf(files),
    ...deadExportsOf(files),
    ...crowdedRooms(files),
  ];
}

/**
 * Each group of files that need one another, in TypeScript and Rust. Types count: two files that
 * can't be read one after the other are one. Go has no need of it: its compiler refuses cycles of
 * packages, and the files of a package are one.
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

/** Exported, and named by no other file. */
function deadExportsOf(files: readonly SourceFile[]): Violation[] {
  const own = files.filter(({ path, isMarked }) => isTypeScript(path) && !isMarked);
  const words = new Map(own.map(({ path, text }) => [path, new Set(text.match(/\w+/g))]));
  const isNamedElsewhere = (name: string, path: string) =>
    own.some((other) => other.path !== path && words.get(other.path)?.has(name));
  const exported = /^export (?:async |abstract |declare )*(?:function\*?|class|const|let|interface|type|enum) (\w+)/gm;
  return own
    .filter(({ path }) => !exportsForOthers.test(path))
    .flatMap(({ path, text }) =>
      [...text.matchAll(exported)]
        .filter(([, name = '']) => !isNamedElsewhere(name, path))
        .map(({ 1: name, index }) => ({
          file: path,
          line: lineOf(text, index),
          rule: `no other file imports ${name}: do not export it`,
        })),
    );
}

function crowdedRooms(files: readonly SourceFile[]): Violation[] {
  const counts = new Map<string, number>();
  for (const { path } of files) {
    const [, room] = /^(service\/[^/]+)\/[^/]+$/.exec(path) ?? [];
    if (room !== undefined) counts.set(room, (counts.get(room) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count > ROOM_FILES_MAX)
    .map(([file, count]) => ({
      file,
      line: 1,
      rule: `a room has at most ${ROOM_FILES_MAX} files, this one has ${count}: cut it by meaning`,
    }));
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
  if (countsLines.test(path) && length > LINES_MAX && !LONGER_BECAUSE.test(text)) {
    wrong.push({
      file: path,
      line: LINES_MAX + 1,
      rule: `a file has at most ${LINES_MAX} lines or says why, this one has ${length}`,
    });
  }
  // The formatter of the Java client wraps its comments at 120 columns.
  if ((countsLines.test(path) || path.endsWith('.proto')) && !path.endsWith('.java')) {
    for (const [i, line] of lines.entries()) {
      if (line.length <= COMMENT_COLUMNS_MAX || !commentLine.test(line) || unbreakable.test(line)) continue;
      const rule = `a comment has at most ${COMMENT_COLUMNS_MAX} columns, this one has ${line.length}`;
      wrong.push({ file: path, line: i + 1, rule });
    }
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
