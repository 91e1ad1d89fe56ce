/**
 * The contract as text: linted, formatted, compatible with what has landed, generated afresh,
 * documented to the last element, and closed where it says so. What it promises in words is tested
 * in `test/story` and beside the rooms.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DescriptorProto, EnumDescriptorProto, FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import test from 'ava';
import { stale } from '../conformance/generated.js';
import { type Comment, commentsOf, ownFiles } from './descriptors.js';
import { grpcDescriptors } from './grpc-descriptors.js';

const GENERATED = ['proto/gen'];
const DESCRIPTORS = 'proto/gen/descriptors.binpb';

/**
 * The closed set: every reason of an error, in the order of its number, with the status code that
 * it comes with.
 */
const REASONS: readonly (readonly [reason: string, code: string])[] = [
  ['INVALID_FIELD', 'INVALID_ARGUMENT'],
  ['REQUEST_ID_REUSED', 'INVALID_ARGUMENT'],
  ['SESSION_ALREADY_EXISTS', 'ALREADY_EXISTS'],
  ['SESSION_NOT_FOUND', 'NOT_FOUND'],
  ['DEVICE_NOT_FOUND', 'NOT_FOUND'],
  ['SESSION_STATE_INVALID', 'FAILED_PRECONDITION'],
  ['WIFI_DIRECT_DISABLED_BY_POLICY', 'FAILED_PRECONDITION'],
  ['WLAN_SERVICE_NOT_RUNNING', 'UNAVAILABLE'],
  ['WLAN_SERVICE_UNREACHABLE', 'UNAVAILABLE'],
  ['NATIVE_LIMIT_REACHED', 'RESOURCE_EXHAUSTED'],
  ['NATIVE_HANDLE_LOST', 'INTERNAL'],
  ['HOST_ACCESS_DENIED', 'FAILED_PRECONDITION'],
  ['DEVICE_NOT_PAIRED', 'FAILED_PRECONDITION'],
  ['OPEN_FAILED', 'ABORTED'],
  ['OPEN_TIMED_OUT', 'DEADLINE_EXCEEDED'],
  ['QUOTA_EXCEEDED', 'RESOURCE_EXHAUSTED'],
  ['UNAUTHENTICATED', 'UNAUTHENTICATED'],
  ['PERMISSION_DENIED', 'PERMISSION_DENIED'],
  ['HOST_STOPPING', 'UNAVAILABLE'],
  ['DRIVER_NOT_AVAILABLE', 'UNIMPLEMENTED'],
  ['NATIVE_ERROR', 'INTERNAL'],
  ['INTERNAL', 'INTERNAL'],
  ['CURSOR_EXPIRED', 'OUT_OF_RANGE'],
  ['WATCHER_TOO_SLOW', 'RESOURCE_EXHAUSTED'],
  ['NOT_IMPLEMENTED', 'UNIMPLEMENTED'],
  ['HOST_RESTARTED', 'UNAVAILABLE'],
];

let scratch = '';
test.before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'contract-'));
});
test.after.always(() => rm(scratch, { recursive: true, force: true }));

test('buf lint has nothing to say', async (t) => {
  t.is(await buf('lint'), '');
});

test('every file is formatted', async (t) => {
  t.is(await buf('format', '--diff', '--exit-code'), '');
});

test('nothing that has landed is broken', async (t) => {
  const landed = await landedContract();
  if (landed === undefined) {
    t.log('There is no other version of the contract in the history of this clone: nothing to compare with.');
    t.pass();
    return;
  }
  t.log(`Compared with ${landed}.`);
  const archive = join(scratch, 'landed.tar');
  const archived = await run('git', ['archive', '--format=tar', `--output=${archive}`, landed, 'buf.yaml', 'proto']);
  t.is(archived.output, '');
  t.is(await buf('breaking', '--against', archive), '');
});

test('generated files are fresh', async (t) => {
  const output = join(scratch, 'descriptors.binpb');
  t.is(await buf('build', '--as-file-descriptor-set', '--exclude-source-info', '--output', output), '');
  const fresh = Buffer.concat([await readFile(output), grpcDescriptors()]);
  t.deepEqual(await readFile(DESCRIPTORS), fresh, 'npm run generate');
  for (const folder of GENERATED) {
    const wrong = (await stale(folder)).filter((path) => !DESCRIPTORS.endsWith(path));
    t.deepEqual(wrong, [], `${folder} is stale: npm run generate`);
  }
});

test('every file, message, field, enum, enum value, service and RPC is documented in sentences', async (t) => {
  for (const { proto: file } of await ownFiles()) {
    const comments = commentsOf(file);
    const bare = elements(file).filter(({ path }) => !/[.?]$/.test(comments.get(path.join())?.text ?? ''));
    t.deepEqual(
      bare.map(({ name }) => name),
      [],
      `${file.name}: without a comment that ends in a full stop`,
    );
  }
});

test('ErrorReason is the closed set, and the comments say the same', async (t) => {
  const file = (await ownFiles()).find(({ name }) => name === 'wifidirect/v1/error')?.proto;
  const index = file?.enumType.findIndex(({ name }) => name === 'ErrorReason') ?? -1;
  const reasons = file?.enumType[index]?.value ?? [];
  const expected = ['UNSPECIFIED', ...REASONS.map(([reason]) => reason)];
  t.deepEqual(
    reasons.map(({ name, number }) => [name, number]),
    expected.map((reason, number) => [`ERROR_REASON_${reason}`, number]),
  );

  const comments = file === undefined ? new Map<string, Comment>() : commentsOf(file);
  for (const [at, [reason, code]] of REASONS.entries()) {
    const comment = comments.get([5, index, 2, at + 1].join())?.text ?? '';
    t.is(/^[A-Z_]+/.exec(comment)?.[0], code, `the comment of ${reason} begins with its code`);
  }
  const [, , ...rows] = (comments.get('12')?.text ?? '').split('\n').filter((line) => line.startsWith('|'));
  const table = rows.map((row) => row.split('|', 3).map((cell) => cell.trim()));
  t.deepEqual(
    table,
    REASONS.map((row) => ['', ...row]),
    'the table at the head of error.proto',
  );
});

/** What buf says; nothing if it is content. */
async function buf(...args: string[]): Promise<string> {
  const { code, output } = await run(process.execPath, ['node_modules/@bufbuild/buf/bin/buf', ...args]);
  return code === 0 ? output : output || `buf ${args[0]} failed`;
}

async function run(command: string, args: string[]): Promise<{ code: number; output: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, args, { maxBuffer: 2 ** 26 });
    return { code: 0, output: (stdout + stderr).trim() };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string };
    return { code: typeof code === 'number' ? code : -1, output: (stdout + stderr).trim() || String(error) };
  }
}

/**
 * The newest ancestor with a contract other than the one in the working tree, so that the
 * comparison is never with itself.
 */
async function landedContract(): Promise<string | undefined> {
  const history = await run('git', ['log', '--format=%H', '--', 'proto/wifidirect']);
  if (history.code !== 0) return undefined;
  for (const commit of history.output.split('\n').filter((line) => line !== '')) {
    const { code } = await run('git', ['diff', '--quiet', commit, '--', 'proto/wifidirect']);
    if (code === 1) return commit;
  }
  return undefined;
}

interface Element {
  readonly name: string;
  readonly path: readonly number[];
}

/** The numbers are those of the fields in descriptor.proto. */
function elements(file: FileDescriptorProto): Element[] {
  return [
    { name: 'the file', path: [12] },
    ...file.messageType.flatMap((message, at) => messageElements(message, message.name, [4, at])),
    ...file.enumType.flatMap((type, at) => enumElements(type, type.name, [5, at])),
    ...file.service.flatMap((service, at) => [
      { name: service.name, path: [6, at] },
      ...service.method.map((rpc, n) => ({ name: `${service.name}.${rpc.name}`, path: [6, at, 2, n] })),
    ]),
  ];
}

function messageElements(message: DescriptorProto, name: string, path: readonly number[]): Element[] {
  if (message.options?.mapEntry === true) return [];
  const oneofs = message.oneofDecl.map((oneof, at) => ({ name: `${name}.${oneof.name}`, path: [...path, 8, at] }));
  const isMadeByOptional = (at: number) =>
    message.field.some((field) => field.proto3Optional && field.oneofIndex === at);
  return [
    { name, path },
    ...message.field.map((field, at) => ({ name: `${name}.${field.name}`, path: [...path, 2, at] })),
    ...oneofs.filter((_, at) => !isMadeByOptional(at)),
    ...message.nestedType.flatMap((type, at) => messageElements(type, `${name}.${type.name}`, [...path, 3, at])),
    ...message.enumType.flatMap((type, at) => enumElements(type, `${name}.${type.name}`, [...path, 4, at])),
  ];
}

function enumElements(type: EnumDescriptorProto, name: string, path: readonly number[]): Element[] {
  const values = type.value.map((value, at) => ({ name: `${name}.${value.name}`, path: [...path, 2, at] }));
  return [{ name, path }, ...values];
}
