/** What a word may become, for each place on the command line; and what the shells make of it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';
import { type Candidate, candidatesFor, type Sources } from '../../clients/ctl/src/completion/candidates.js';
import { readTyped } from '../../clients/ctl/src/completion/typed.js';
import { makeProgram } from '../../clients/ctl/src/program.js';
import { Folder, wfdctl } from './ctl-run.js';

const program = makeProgram('1.2.3', { out: () => {}, error: () => {}, columns: undefined }, async () => {});

const named = (...values: string[]) => values.map((value): Candidate => ({ value, description: '' }));
const sources: Sources = {
  devices: async () => named('02:11:22:33:44:01', '02:11:22:33:44:02', 'aa:00:00:00:00:01'),
  sessions: async (states = []) => named(...states.map((state) => `s-${state.toLowerCase()}`), 's-any'),
  contexts: async () => named('home', 'lab'),
};

/** What may come where the line ends. */
async function after(line: string): Promise<string[] | 'files'> {
  const candidates = await candidatesFor(readTyped(program, line.split(' ').slice(1)), program, sources);
  return candidates === 'files' ? candidates : candidates.map(({ value }) => value);
}

const completions: readonly (readonly [line: string, may: string[] | 'files'])[] = [
  ['wfdctl cl', ['close']],
  ['wfdctl c', ['close', 'cancel', 'console', 'context', 'completion']],
  ['wfdctl context ', ['list', 'use', 'set', 'delete']],
  ['wfdctl context d', ['delete']],
  ['wfdctl context use ', ['home', 'lab']],
  ['wfdctl context use home ', []],
  ['wfdctl open 02:', ['02:11:22:33:44:01', '02:11:22:33:44:02']],
  ['wfdctl open 02:11:22:33:44:01 ', []],
  ['wfdctl open --ttl 5s aa', ['aa:00:00:00:00:01']],
  ['wfdctl open --detach aa', ['aa:00:00:00:00:01']],
  ['wfdctl -o json visibility a', ['aa:00:00:00:00:01']],
  ['wfdctl list --device a', ['aa:00:00:00:00:01']],
  ['wfdctl list --device=a', ['--device=aa:00:00:00:00:01']],
  ['wfdctl cancel ', ['s-opening', 's-any']],
  ['wfdctl close ', ['s-opening', 's-open', 's-any']],
  ['wfdctl get ', ['s-any']],
  ['wfdctl watch one two ', ['s-any']],
  ['wfdctl get -- s', ['s-any']],
  ['wfdctl get -- -', []],
  ['wfdctl -o ', ['text', 'wide', 'json', 'yaml', 'name']],
  ['wfdctl list --output=j', ['--output=json']],
  ['wfdctl list --state op', ['opening', 'open']],
  ['wfdctl list --state open,cl', ['open,closing', 'open,closed']],
  ['wfdctl completion ', ['bash', 'zsh', 'powershell']],
  ['wfdctl open --d', ['--detach']],
  ['wfdctl open --to', ['--token-file', '--token']],
  ['wfdctl renew x --t', ['--timeout', '--ttl', '--tls', '--token-file', '--token']],
  ['wfdctl --ca ', 'files'],
  ['wfdctl list --token-file=x', 'files'],
  ['wfdctl open --ttl ', []],
  ['wfdctl nonsense ', []],
];
for (const [line, may] of completions) {
  test(`${line}| may become ${may === 'files' ? may : may.join(', ') || 'nothing'}`, async (t) => {
    t.deepEqual(await after(line), may);
  });
}

test('the flags so far are known, so that the right host is asked', (t) => {
  const typed = readTyped(program, ['--address', 'a:1', 'open', '--no-tls', '--context=lab', '']);
  t.deepEqual({ ...typed.flags }, { address: 'a:1', tls: false, context: 'lab' });
  t.is(typed.command.name(), 'open');
});

test('contexts complete from the file, with their addresses; without one there is nothing, and no error', async (t) => {
  using folder = new Folder();
  const environment = { WFDCTL_CONFIG: folder.file('config.yaml') };
  await wfdctl(['context', 'set', 'lab', '--address', 'lab.example'], { environment });
  const complete = (...argv: string[]) => wfdctl(['__complete', ...argv], { environment });
  t.deepEqual(await complete('2', 'context', 'use'), { code: 0, stdout: 'lab\tlab.example:50051\n', stderr: '' });
  t.deepEqual(await complete('4', '--config', folder.path, 'context', 'use'), { code: 0, stdout: '', stderr: '' });
  t.deepEqual(await complete('3', '--address', '127.0.0.1:1', 'open'), { code: 0, stdout: '', stderr: '' });
  t.deepEqual(await complete('1', '--ca'), { code: 0, stdout: ':files\n', stderr: '' });
});

/** Runs wfdctl on its own, and prints at the end which packages it has loaded. */
const loader = (argv: readonly string[]) => `
  import { createRequire } from 'node:module';
  import { run } from '${new URL('../../clients/ctl/src/run.js', import.meta.url)}';
  const stream = { write: () => {} };
  const packageFolder = new URL('file://${process.cwd()}/clients/ctl/');
  const place = { stdout: stream, stderr: stream, variables: {}, platform: 'linux', homeFolder: '/nobody' };
  await run(${JSON.stringify(argv)}, { ...place, workingFolder: '/', packageFolder, onInterrupt: () => () => {} });
  const loaded = Object.keys(createRequire(import.meta.url).cache);
  console.log(JSON.stringify(loaded.flatMap((file) => /node_modules.((?:@[^/]+.)?[^/]+)/.exec(file)?.[1] ?? [])));
`;

for (const [title, argv, loads] of [
  ['the flags of a command are completed', ['__complete', '1', 'open', '--d'], false],
  ['contexts are completed', ['__complete', '2', 'context', 'use', ''], false],
  ['help is printed', ['open', '--help'], false],
  ['a host is asked', ['host', '--address', '127.0.0.1:1', '--timeout', '10ms'], true],
] as const) {
  test(`gRPC is ${loads ? '' : 'not '}loaded when ${title}`, async (t) => {
    const script = ['--input-type=module', '-e', loader(argv)];
    const { stdout } = await promisify(execFile)(process.execPath, script);
    const packages = new Set(JSON.parse(stdout) as string[]);
    t.true(packages.has('commander'));
    t.is(packages.has('@grpc/grpc-js'), loads);
  });
}
