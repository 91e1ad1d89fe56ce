import test from 'ava';
import { describeProblem } from '../../service/config/problem.js';
import { problemsOf, set, type Written, write } from './loading.js';

/** One line a problem: path, value, source, message, remedy. */
async function linesOf(written: Written): Promise<string[]> {
  return (await problemsOf(written)).map((problem) =>
    [problem.path, problem.value, problem.source, problem.message, problem.remedy].filter(Boolean).join(' | '),
  );
}

const says = test.macro(async (t, written: Written, ...lines: string[]) => {
  t.deepEqual(await linesOf(written), lines);
});

const LIST_HINT = '`wfdd config print` lists all keys.';
const OPEN_TIMEOUT = 'a whole number of milliseconds from 1 to 86400000';

test(
  'an unknown key in a file is named with its line, and the key that was meant',
  says,
  { yaml: 'session:\n  openTimoutMs: 5\n  open_timeout_ms: 6\nsesion: {}\nopenTimeoutMs: 7\nzebra: 8\n' },
  `session.openTimoutMs | 5 | yaml:2:3 | There is no such key. | Did you mean session.openTimeoutMs? ${LIST_HINT}`,
  `session.open_timeout_ms | 6 | yaml:3:3 | There is no such key. | Did you mean session.openTimeoutMs? ${LIST_HINT}`,
  `sesion | {} | yaml:4:1 | There is no such key. | Did you mean session? ${LIST_HINT}`,
  `openTimeoutMs | 7 | yaml:5:1 | There is no such key. | Did you mean session.openTimeoutMs? ${LIST_HINT}`,
  `zebra | 8 | yaml:6:1 | There is no such key. | Remove it. ${LIST_HINT}`,
);

test(
  'an unknown environment variable is named, and the one that was meant',
  says,
  { environment: { WFDD_SESSION_OPEN_TIMEOUT: '5' } },
  `WFDD_SESSION_OPEN_TIMEOUT | "5" | environment WFDD_SESSION_OPEN_TIMEOUT | There is no such key. | Did you mean WFDD_SESSION_OPEN_TIMEOUT_MS? ${LIST_HINT}`,
);

test(
  'an unknown key in a flag is named, and so is a group taken for a key',
  says,
  { assignments: [set('log.levle', 'debug'), set('log', 'debug')] },
  `log.levle | "debug" | flag --set | There is no such key. | Did you mean log.level? ${LIST_HINT}`,
  `log | "debug" | flag --set | This is a group of keys, not a key. | Remove it. ${LIST_HINT}`,
);

test(
  'a value out of range, of the wrong type or empty is said to be so, from every source at once',
  says,
  {
    yaml: 'session:\n  openTimeoutMs: 0\nlog: { level: }\nlisten: 127.0.0.1:1\n',
    environment: { WFDD_SESSION_OPEN_TIMEOUT_MS: '5s', WFDD_LOG_ADDRESSES: 'yes' },
    assignments: [{ path: 'driver.kind', value: 'real', flag: '--driver' }],
  },
  `session.openTimeoutMs | 0 | yaml:2:18 | This is not ${OPEN_TIMEOUT}. | Give ${OPEN_TIMEOUT}.`,
  'log.level | null | yaml:3:15 | This is not one of debug, info, warn, error. | Give one of debug, info, warn, error.',
  'listen | "127.0.0.1:1" | yaml:4:9 | This is not a list of 1 to 16 addresses like "127.0.0.1:50051", "unix:/run/wfdd.sock" or "pipe:wfdd". | Give a list of 1 to 16 addresses like "127.0.0.1:50051", "unix:/run/wfdd.sock" or "pipe:wfdd".',
  `session.openTimeoutMs | "5s" | environment WFDD_SESSION_OPEN_TIMEOUT_MS | This is not ${OPEN_TIMEOUT}. | Give ${OPEN_TIMEOUT}.`,
  'log.addresses | "yes" | environment WFDD_LOG_ADDRESSES | This is not true or false. | Give true or false.',
  'driver.kind | "real" | flag --driver | This is not one of auto, wlanapi, simulator. | Give one of auto, wlanapi, simulator.',
);

test('a bad element of a list is named with its place and line', async (t) => {
  const [address, role, field] = await problemsOf({
    yaml: 'listen:\n  - 127.0.0.1:1\n  - localhost\naccess:\n  roles:\n    - role: king\n      principals: [a]\n      rank: 1\n',
  });
  t.is(`${address?.path} ${address?.value} ${address?.source}`, 'listen[1] "localhost" yaml:3:5');
  t.is(address?.message, 'Expected "host:port".');
  t.is(`${role?.path} ${role?.value} ${role?.source}`, 'access.roles[0].role "king" yaml:6:13');
  t.regex(role?.message ?? '', /prober.*viewer.*operator.*admin/);
  t.is(`${field?.path} ${field?.source}`, 'access.roles[0] yaml:6:7');
  t.regex(field?.message ?? '', /rank/);
});

test('a list in the environment that is not JSON is refused, not half read', async (t) => {
  const [problem] = await problemsOf({ environment: { WFDD_ACCESS_ROLES: 'admin=ops' } });
  t.is(problem?.path, 'access.roles');
  t.is(problem?.value, '"admin=ops"');
});

test('a group that is no group is said to be so', async (t) => {
  t.deepEqual(await linesOf({ yaml: 'tls: yes\n' }), [
    'tls | yaml:1:6 | Expected keys with values. | Write `key: value`, one per line, indented below the group.',
  ]);
  t.like(await problemsOf({ yaml: '- a\n' }), [{ path: '', source: 'yaml', message: 'Expected keys with values.' }]);
});

test('broken YAML is reported with its line, without showing the line', async (t) => {
  const problems = await problemsOf({ yaml: 'tls:\n  keyPassphrase: "hunter2\nlog: {}\n' });
  t.regex(problems[0]?.source ?? '', /^yaml:\d+:\d+$/);
  t.regex(problems[0]?.message ?? '', /^This is not valid YAML: /);
  t.false(JSON.stringify(problems).includes('hunter2'));
});

for (const [what, yaml] of [
  ['a key twice', 'hostId: a\nhostId: b\n'],
  ['an alias of nothing', 'hostId: *a\n'],
  ['an alias of what it stands in', 'listen: &a [*a]\nzebra: &b { c: *b }\n'],
  [
    'aliases that multiply',
    `a0: &a0 [x]\n${[1, 2, 3, 4, 5, 6].map((n) => `a${n}: &a${n} [${Array(9).fill(`*a${n - 1}`)}]\n`).join('')}`,
  ],
  ['two documents', 'hostId: a\n---\nhostId: b\n'],
  ['ten thousand brackets', '['.repeat(10_000)],
] as const) {
  test(`${what} in the file: a few problems, no crash`, async (t) => {
    const problems = await problemsOf({ yaml });
    t.true(problems.length >= 1 && problems.length <= 5);
    t.regex(problems[0]?.message ?? '', /^This is not valid YAML: /);
  });
}

test('of a file that cannot be read nothing is guessed', async (t) => {
  const problems = await problemsOf({ yaml: 'tls: {', assignments: [set('listen', '0.0.0.0:1')] });
  t.true(problems.every(({ message }) => message.startsWith('This is not valid YAML')));
});

test('a file that is missing, a folder, or not UTF-8 is said to be so', async (t) => {
  const named = async (file: string) => (await problemsOf({ environment: { WFDD_CONFIG: file } }))[0];
  const missing = await named('/nowhere/wfdd.yaml');
  t.is(missing?.source, '/nowhere/wfdd.yaml');
  t.regex(missing?.message ?? '', /^The file cannot be read: ENOENT/);
  t.regex(missing?.remedy ?? '', /--config or WFDD_CONFIG/);
  t.regex((await named('/'))?.message ?? '', /^The file cannot be read: EISDIR/);
  const utf16 = await named(write(Buffer.from('\uFEFFhostId: a', 'utf16le')));
  t.is(utf16?.message, 'The file is not UTF-8.');
  t.regex(utf16?.remedy ?? '', /-Encoding utf8/);
});

test('a secret is not taken from a flag', async (t) => {
  t.deepEqual(await linesOf({ assignments: [set('tls.keyPassphrase', 'hunter2')] }), [
    'tls.keyPassphrase | ******** | flag --set | A secret cannot be set on the command line, because the process list would show it. | Set it in the file, or in the environment variable WFDD_TLS_KEY_PASSPHRASE.',
  ]);
});

test('no problem shows a secret, nor what may be one under a misspelt name', async (t) => {
  const problems = await problemsOf({
    yaml: 'tls:\n  keyPassphrase: [hunter2]\n  keyPasphrase: hunter2\ntsl: { keyPassphrase: hunter2 }\n',
    environment: { WFDD_TLS_KEY_PASSPHRAS: 'hunter2', WFDD_TRACES: '{"headers":["authorization: Bearer hunter2"]}' },
  });
  t.is(problems.length, 5);
  t.true(problems.every(({ value }) => value === '********'));
  t.false(JSON.stringify(problems).includes('hunter2'));
});

test('no problem shows what a URL has of a secret', async (t) => {
  const [inName, inQuery] = await Promise.all(
    ['https://me:hunter2@a.example/v1', 'https://a.example/v1?key=hunter2'].map((url) =>
      linesOf({ yaml: `traces: { endpoint: "${url}" }\n` }),
    ),
  );
  t.regex(inName?.join() ?? '', /"https:\/\/\*{8}@a\.example\/v1" .* A URL must not contain credentials\./);
  t.regex(inQuery?.join() ?? '', /"https:\/\/a\.example\/v1\?\*{8}" .* The URL must not have a query or a fragment\./);
});

test('a problem reads as key and value, source, what is wrong and what to do', (t) => {
  const problem = { path: 'a.b', value: '1', source: 'flag --set', message: 'It is odd.', remedy: 'Make it even.' };
  t.is(describeProblem(problem), 'a.b: 1  (flag --set)\n  It is odd.\n  Make it even.\n');
});
