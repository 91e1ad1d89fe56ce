/**
 * Everything that native/ declares against Microsoft's own metadata of Windows: size, alignment and
 * offsets of every struct, the value of every constant, the number and size of the parameters of
 * every function. `windows-sys`, which is generated from the metadata, says them; see
 * metadata/src/main.rs.
 *
 * Two things are known to be otherwise. `PDOT11_MAC_ADDRESS` is `*const *const u8` there, a slip of
 * the metadata: the header has a pointer to six bytes. And what only koffi has a name for is no
 * type of Windows.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import koffi from 'koffi';
import { bindAclapi } from '../../native/aclapi.js';
import * as advapi32 from '../../native/advapi32.js';
import { bindCfgmgr32 } from '../../native/cfgmgr32.js';
import * as constants from '../../native/constants.js';
import * as hostFacts from '../../native/host-facts.js';
import { bindIphlpapi } from '../../native/iphlpapi.js';
import type { Library } from '../../native/library.js';
import * as winsvc from '../../native/winsvc.js';
import { bindWlanapi } from '../../native/wlanapi.js';
import { hasCompiler, root } from './compiler.js';

const native = join(root, 'native');
const sources = readdirSync(native)
  .filter((name) => name.endsWith('.ts') && !name.startsWith('simulator'))
  .map((name) => readFileSync(join(native, name), 'utf8'))
  .join('\n');

/** Every struct that is declared, but for what the metadata has no name for. */
const UNNAMED = new Set(['DOT11_MAC_ADDRESS', 'GUID', 'DEV_QUERY_RESULT_UPDATE_PAYLOAD']);
const structs = [...sources.matchAll(/koffi\.(?:struct|union)\(\s*'(\w+)'/g)]
  .map(([, name = '']) => name)
  .filter((name) => !UNNAMED.has(name));

/** Of this only some bytes are read, so koffi has no struct of it. */
const POWER = 'SYSTEM_POWER_CAPABILITIES';

/** Members that windows-sys calls otherwise: unions without a name are its `Anonymous`. */
const MEMBERS: Readonly<Record<string, string | undefined>> = {
  'WINTRUST_DATA.pFile': 'Anonymous',
  'SOCKADDR_IN6.sin6_scope_id': 'Anonymous',
  'MIB_IPNET_ROW2.Flags': 'Anonymous',
};

const all: Readonly<Record<string, unknown>> = {
  ...constants,
  ...constants.winerror,
  ...advapi32,
  ...winsvc,
  ...hostFacts,
};
const named = <T>(is: (value: unknown, name: string) => value is T): [string, T][] =>
  Object.entries(all).filter((entry): entry is [string, T] => is(entry[1], entry[0]));
const numbers = named((value): value is number | bigint => typeof value === 'number' || typeof value === 'bigint');
const keys = named(
  (value): value is constants.DevPropKey => typeof value === 'object' && value !== null && 'pid' in value,
);
const guids = named((value, name): value is string => typeof value === 'string' && name.startsWith('GUID_'));

/**
 * The functions that are called: those of the libraries as they are bound, and those that a file
 * takes for itself.
 */
const functions = [...boundPrototypes(), sources.replace(/' \+\s*'/g, '')]
  .flatMap((text) => [...text.matchAll(/ __stdcall (\w+)\(([^)'$]*)\)/g)])
  .map(([, name = '', parameters = '']) => ({
    name,
    types: parameters.split(', ').flatMap((parameter) => (parameter === '' ? [] : [typeOf(parameter)])),
  }))
  .filter(({ name }, index, found) => found.findIndex((each) => each.name === name) === index);

function boundPrototypes(): string[] {
  const seen: string[] = [];
  const record = (prototype: string) => {
    seen.push(prototype);
    return () => {
      throw new Error('nothing is called here');
    };
  };
  const library = { bind: record, bindSync: record, bindWithLastError: record } as unknown as Library;
  bindWlanapi(library);
  bindIphlpapi(library);
  bindCfgmgr32(library);
  advapi32.bindAdvapi32(library);
  bindAclapi(library, library);
  hostFacts.bindHostFacts({ wlanapi: library, wintrust: library, powrprof: library });
  return seen;
}

function typeOf(parameter: string): string {
  return parameter
    .replace(/^_(?:Out|Inout)_ /, '')
    .replace(/\w+$/, '')
    .trim();
}

/** What the program is asked, and its answers by their first two words. */
function ask(): ReadonlyMap<string, string> {
  const membersOf = (name: string) =>
    Object.keys(koffi.type(name).members ?? {}).flatMap((member) => {
      const key = `${name}.${member}`;
      return key in MEMBERS ? (MEMBERS[key] ?? []) : [member];
    });
  const questions = [
    `structs! { ${structs.map((name) => `${name} { ${membersOf(name).join(', ')} }`).join('\n')} }`,
    `structs! { ${POWER} { ${Object.keys(hostFacts.powerOffsets).join(', ')} } }`,
    `constants! { ${numbers.map(([name]) => name).join('\n')} }`,
    `keys! { ${keys.map(([name]) => name).join('\n')} }`,
    `guids! { ${guids.map(([name]) => name).join('\n')} }`,
    `functions! { ${functions.map(({ name, types }) => `${name} parameters_${types.length}`).join('\n')} }`,
  ];
  const folder = join(root, 'dist/metadata');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'questions.rs');
  writeFileSync(file, `{\n${questions.join(';\n')};\n}\n`);
  const manifest = join(root, 'test/native/metadata/Cargo.toml');
  const args = [
    'run',
    '--quiet',
    '--message-format',
    'short',
    '--locked',
    '--manifest-path',
    manifest,
    '--target-dir',
    folder,
  ];
  const env = { ...process.env, QUESTIONS: file };
  const { status, stdout, stderr } = spawnSync('cargo', args, { encoding: 'utf8', env, maxBuffer: 2 ** 26 });
  if (status !== 0) throw new Error(stderr);
  return new Map(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => {
        const [, subject = '', answer = ''] = /^(\S+ \S+) (.*)$/.exec(line) ?? [];
        return [subject, answer];
      }),
  );
}

let answers: ReadonlyMap<string, string> | undefined;
const answer = (subject: string): string | undefined => {
  answers ??= ask();
  return answers.get(subject);
};

const withCargo = hasCompiler('cargo') ? test.serial : test.serial.skip;

withCargo('every struct has the size, the alignment and the offsets of the metadata (needs cargo)', (t) => {
  t.timeout(300_000);
  t.true(structs.length > 25);
  for (const name of structs) {
    const { size, alignment, members = {} } = koffi.type(name);
    t.is(answer(`struct ${name}`), `${size} ${alignment}`, name);
    for (const { name: member, offset } of Object.values(members)) {
      const key = `${name}.${member}`;
      const called = key in MEMBERS ? MEMBERS[key] : member;
      if (called !== undefined) t.is(answer(`member ${name}.${called}`), String(offset), key);
    }
  }
});

withCargo('what is read of the kinds of sleep is where the metadata has it (needs cargo)', (t) => {
  t.is(answer(`struct ${POWER}`), '76 4');
  for (const [member, offset] of Object.entries(hostFacts.powerOffsets)) {
    t.is(answer(`member ${POWER}.${member}`), String(offset), member);
  }
});

withCargo('every constant has the value of the metadata (needs cargo)', (t) => {
  t.true(numbers.length > 150);
  for (const [name, value] of numbers) {
    const [told = 'none', bytes] = (answer(`constant ${name}`) ?? '').split(' ');
    const bits = Number(bytes) * 8;
    t.is(BigInt.asUintN(bits, BigInt(told)), BigInt.asUintN(bits, BigInt(value)), name);
  }
  for (const [name, { fmtid, pid }] of keys) t.is(answer(`key ${name}`), `${fmtid} ${pid}`);
  for (const [name, guid] of guids) t.is(answer(`guid ${name}`), guid);
});

withCargo('every function has as many parameters, and as large ones, as the metadata says (needs cargo)', (t) => {
  t.true(functions.length > 55);
  for (const { name, types } of functions) {
    const sizes = JSON.parse(answer(`function ${name}`) ?? '[]') as number[];
    t.is(sizes.length - 1, types.length, name);
    for (const [index, type] of types.entries()) {
      const size = type.endsWith('*') ? 8 : koffi.sizeof(type.replace(/^const /, ''));
      t.is(sizes[index], size, `${name}, parameter ${index + 1}: ${type}`);
    }
  }
});

withCargo('the slip of the metadata is still there (needs cargo)', (t) => {
  t.is(answer('type PDOT11_MAC_ADDRESS'), '*const *const u8');
});
