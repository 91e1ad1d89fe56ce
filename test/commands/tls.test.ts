/** `wfdd tls create` as it is typed. */
import { hostname } from 'node:os';
import test from 'ava';
import { EXIT, readCommandLine } from '../../service/commands/command-line.js';
import { folder } from '../config/loading.js';

function plan(...argv: string[]) {
  const surroundings = {
    environment: {},
    platform: 'linux',
    folder,
    version: '1',
    examineFiles: async () => [],
  } as const;
  return readCommandLine(['tls', 'create', ...argv], surroundings);
}

async function choiceOf(...argv: string[]) {
  const made = await plan(...argv);
  if (made.kind !== 'tls') throw new Error(JSON.stringify(made));
  return made.choice;
}

test('without more there are the names of this host, and no clients', async (t) => {
  const { names, clients, days, renew } = await choiceOf('tls');
  t.deepEqual(names.slice(-3), ['localhost', '127.0.0.1', '::1']);
  t.true(names.includes(hostname().toLowerCase()) || hostname().includes('_'));
  t.deepEqual([clients, days, renew], [[], 365, false]);
});

test('names, clients and files as they are typed', async (t) => {
  const { names, clients } = await choiceOf(
    ...['tls', '--name', 'a.example', '--name', '10.0.0.7', '--client', 'bob', '--client', 'agent=spiffe://e/7'],
  );
  t.deepEqual(names.slice(0, 2), ['a.example', '10.0.0.7']);
  t.deepEqual(clients, [
    { name: 'bob', principal: 'bob' },
    { name: 'agent', principal: 'spiffe://e/7' },
  ]);
});

for (const [what, argv] of Object.entries({
  'no folder': [],
  'a name that is none': ['tls', '--name', 'a b'],
  'files of the authority': ['tls', '--client', 'ca'],
  'files outside of the folder': ['tls', '--client', '../x'],
  'a URI without a name for its files': ['tls', '--client', 'spiffe://e/7'],
  'two clients of one name': ['tls', '--client', 'bob', '--client', 'Bob'],
  'no days': ['tls', '--days', '0'],
})) {
  test(`${what}: refused`, async (t) => {
    const made = await plan(...argv);
    t.is(made.kind === 'answer' ? made.exitCode : 0, EXIT.usage);
  });
}
