/** Which host is asked, and what it is shown: the file of contexts, the environment, the flags. */
import { chmodSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import test from 'ava';
import { chooseTarget } from '../../clients/ctl/src/contexts/choice.js';
import {
  parseContexts,
  withContext,
  withCurrent,
  withoutContext,
} from '../../clients/ctl/src/contexts/context-file.js';
import { changeContextFile, contextFilePath } from '../../clients/ctl/src/contexts/storage.js';
import { connectOptions, withPort } from '../../clients/ctl/src/contexts/target.js';
import { Folder, lines, wfdctl } from './ctl-run.js';

const text = `# hosts of the lab
current: lab
contexts:
  # the one with the robots
  lab:
    address: lab.example:50051
    ca: /etc/ca.pem
    token: secret
  home:
    address: home.example:50051
`;
const file = parseContexts(text, 'config.yaml');
const readToken = async () => 'token';

test('the context in use is the flag, else the environment, else the file; without any it is this machine', async (t) => {
  const chosen = async (flag?: string, environment?: string, from = file) =>
    (await chooseTarget({ flags: { context: flag }, context: environment }, async () => from)).target.address;
  t.is(await chosen(), 'lab.example:50051');
  t.is(await chosen(undefined, 'home'), 'home.example:50051');
  t.is(await chosen('home', 'lab'), 'home.example:50051');
  t.is(await chosen(undefined, undefined, parseContexts('', 'none')), '127.0.0.1:50051');
  await t.throwsAsync(chosen('mars'), { message: /No context mars in config\.yaml; run wfdctl context list/ });
});

test('an address alone is shown nothing of any context', async (t) => {
  const wishes = { flags: { address: 'other', tls: true }, context: 'lab' };
  const choice = await chooseTarget(wishes, () => Promise.reject(new Error('nobody asks for contexts')));
  t.deepEqual(choice, { target: { address: 'other:50051', tls: true } });
});

test('files of a context are named from where the file of contexts lies', async (t) => {
  const relative = parseContexts(
    'contexts: { a: { address: a, ca: ca.pem, tokenFile: /run/t } }',
    '/etc/lab/config.yaml',
  );
  const { target } = await chooseTarget({ flags: { context: 'a' }, context: undefined }, async () => relative);
  t.like(target, { ca: resolve('/etc/lab/ca.pem'), tokenFile: resolve('/run/t') });
});

test('flags beside a context win, and one token replaces another', async (t) => {
  const flags = { context: 'lab', address: 'other', tokenFile: '/t' };
  const { target } = await chooseTarget({ flags, context: undefined }, async () => file);
  t.like(target, { address: 'other:50051', ca: '/etc/ca.pem', tokenFile: '/t', token: undefined });
});

for (const [address, whole] of [
  ['host', 'host:50051'],
  ['host:1', 'host:1'],
  ['10.0.0.1', '10.0.0.1:50051'],
  ['::1', '[::1]:50051'],
  ['[::1]', '[::1]:50051'],
  ['[::1]:7', '[::1]:7'],
  ['unix:/run/wfdd.sock', 'unix:/run/wfdd.sock'],
  ['dns:///host:1', 'dns:///host:1'],
] as const) {
  test(`${address} is ${whole}`, (t) => {
    t.is(withPort(address), whole);
    t.notThrows(() => connectOptions({ address: whole }, readToken));
  });
}

test('options of TLS turn it on; a contradiction is named, and so is a port that is none', async (t) => {
  const address = 'host:1';
  t.is(connectOptions({ address }, readToken).tls, undefined);
  t.is(connectOptions({ address, tls: false }, readToken).tls, false);
  t.like(connectOptions({ address, ca: 'ca.pem' }, readToken).tls, { ca: { file: 'ca.pem' } });
  const { token } = connectOptions({ address, tokenFile: 'f' }, readToken);
  t.is(typeof token === 'function' && (await token()), 'token');
  for (const [target, says] of [
    [{ address, tls: false, ca: 'x' }, /--no-tls uses no certificates/],
    [{ address, cert: 'x' }, /--cert and --key belong together/],
    [{ address, token: 'a', tokenFile: 'b' }, /either --token or --token-file/],
    [{ address: '' }, /Invalid address ;/],
    [{ address: ':1' }, /Invalid address :1;/],
    [{ address: 'host:' }, /Invalid address host:;/],
    [{ address: 'host:http' }, /Invalid address host:http;/],
    [{ address: 'host:99999' }, /Invalid address host:99999; give HOST, or HOST:PORT with a port up to 65535/],
  ] as const) {
    t.throws(() => connectOptions(target, readToken), { message: says });
  }
});

for (const [wrong, says] of [
  ['[', /it is not YAML/],
  ['- a', /the file is not a list of keys and values/],
  ['curent: a', /unknown key curent/],
  ['current: 7', /current is not a name/],
  ['contexts: { a: {} }', /contexts\.a has no address/],
  ['contexts: { a: { address: 7 } }', /contexts\.a\.address is not a string/],
  ['contexts: { a: { address: x, tls: maybe } }', /contexts\.a\.tls is not a boolean/],
  ['contexts: { a: { address: x, adress: y } }', /unknown key contexts\.a\.adress/],
  ['contexts: { "a b": { address: x } }', /"a b" is not a valid name for a context/],
] as const) {
  test(`a file that says ${JSON.stringify(wrong)} is told so`, (t) => {
    t.throws(() => parseContexts(wrong, 'config.yaml'), {
      message: new RegExp(`${says.source}.*correct config\\.yaml`),
    });
  });
}

test('a change keeps what people wrote around it', (t) => {
  t.is(withCurrent(text, file, 'home'), text.replace('current: lab', 'current: home'));
  const added = withContext(text, file, 'mars', { address: 'mars:1', tls: true });
  t.is(added, `${text}  mars:\n    address: mars:1\n    tls: true\n`);
  const changed = withContext(text, file, 'lab', { address: 'lab.example:50051', tokenFile: '/t' });
  t.deepEqual(parseContexts(changed, '').contexts.get('lab'), { address: 'lab.example:50051', tokenFile: '/t' });
  t.true(changed.includes('# the one with the robots'));
});

test('the first context is in use at once, and one that is forgotten is in use no more', (t) => {
  const first = withContext('', parseContexts('', ''), 'a', { address: 'x:1' });
  t.is(parseContexts(first, '').current, 'a');
  const none = withoutContext(text, file, 'lab');
  t.is(parseContexts(none, '').current, undefined);
  t.deepEqual([...parseContexts(none, '').contexts.keys()], ['home']);
  t.is(parseContexts(withoutContext(text, file, 'home'), '').current, 'lab');
});

test('the file lies where the platform keeps settings, or where it is said to', (t) => {
  const path = (platform: NodeJS.Platform, environment: Record<string, string> = {}, flag?: string) =>
    contextFilePath(flag, {
      platform,
      variables: environment,
      homeFolder: platform === 'win32' ? 'C:\\Users\\a' : '/home/a',
    });
  t.is(path('linux'), '/home/a/.config/wfdctl/config.yaml');
  t.is(path('linux', { XDG_CONFIG_HOME: '/x' }), '/x/wfdctl/config.yaml');
  t.is(path('darwin'), '/home/a/Library/Application Support/wfdctl/config.yaml');
  t.is(path('win32'), 'C:\\Users\\a\\AppData\\Roaming\\wfdctl\\config.yaml');
  t.is(path('win32', { APPDATA: 'D:\\r' }), 'D:\\r\\wfdctl\\config.yaml');
  t.is(path('linux', { WFDCTL_CONFIG: '/y' }), '/y');
  t.is(path('linux', { WFDCTL_CONFIG: '/y' }, '/z'), '/z');
});

test('the file is for its owner alone, and a link to it stays a link', async (t) => {
  using folder = new Folder();
  const real = folder.file('deep/real.yaml');
  await changeContextFile(real, (before) => `${before}a`);
  chmodSync(real, 0o644);
  symlinkSync(real, folder.file('link.yaml'));
  await changeContextFile(folder.file('link.yaml'), (before) => `${before}b`);
  t.is(readFileSync(real, 'utf8'), 'ab');
  t.true(lstatSync(folder.file('link.yaml')).isSymbolicLink());
  if (process.platform !== 'win32') t.is(statSync(real).mode & 0o777, 0o600);
});

test('contexts are set, listed, used and deleted', async (t) => {
  using folder = new Folder();
  const environment = { WFDCTL_CONFIG: folder.file('config.yaml') };
  const ctl = (...argv: string[]) => wfdctl(['context', ...argv], { environment, workingFolder: '/certs' });
  t.like(await ctl('list'), { code: 0, stdout: 'No contexts. Create one: wfdctl context set NAME --address HOST\n' });
  t.like(await ctl('set', 'lab', '--address', 'lab.example', '--ca', 'ca.pem', '--token', 'secret'), {
    code: 0,
    stderr: '',
  });
  t.like(await ctl('set', 'home', '--address', 'home.example:7'), { code: 0, stdout: '' });
  t.like(await ctl('use', 'home'), { code: 0 });
  t.like(await ctl('set', 'lab', '--cert', 'a.pem', '--key', 'a.key'), { code: 0 });
  t.is(
    (await ctl('list')).stdout,
    `CURRENT  NAME  ADDRESS            TLS     CREDENTIAL
         lab   lab.example:50051  mutual  token
*        home  home.example:7     auto    -
`,
  );
  const { stdout } = await ctl('list', '-o', 'json');
  t.false(stdout.includes('secret'));
  t.like(JSON.parse(stdout), {
    current: 'home',
    contexts: { 0: { name: 'lab', ca: '/certs/ca.pem', hasToken: true } },
  });
  t.like(await ctl('delete', 'home'), { code: 0 });
  t.like(await ctl('delete', 'home'), { code: 78 });
  t.regex((await ctl('use', 'home')).stderr, /^wfdctl: No context home in .*config\.yaml; run wfdctl context list/);
  t.like(await ctl('set', 'new'), {
    code: 64,
    stderr: 'wfdctl: Context new is new and needs the address of a host; add --address.\n',
  });
  t.like(await ctl('set', 'a b', '--address', 'x'), {
    code: 64,
    stderr: 'wfdctl: Invalid context name a b; use letters, digits, dots, dashes and underscores.\n',
  });
  t.like(await ctl('set', 'lab', '--no-tls'), { code: 64 });
});

test('of twenty changes at a time, each is kept', async (t) => {
  using folder = new Folder();
  const environment = { WFDCTL_CONFIG: folder.file('config.yaml') };
  const names = Array.from({ length: 20 }, (_, i) => `lab-${String(i).padStart(2, '0')}`);
  const ends = await Promise.all(
    names.map((name) => wfdctl(['context', 'set', name, '--address', `${name}.example`], { environment })),
  );
  for (const end of ends) t.like(end, { code: 0, stderr: '' });
  const { stdout } = await wfdctl(['context', 'list', '-o', 'name'], { environment });
  t.deepEqual(stdout.trimEnd().split('\n').sort(), names);
  t.deepEqual(readdirSync(folder.path), ['config.yaml']);
});

test('a change that fails leaves the file as it was, and no lock', async (t) => {
  using folder = new Folder();
  const path = folder.file('config.yaml');
  const kept = () => readFileSync(path, 'utf8');
  writeFileSync(path, text);
  const failing = changeContextFile(path, () => {
    throw new Error('no');
  });
  await t.throwsAsync(failing);
  t.is(kept(), text);
  t.deepEqual(readdirSync(folder.path), ['config.yaml']);
});

for (const [what, wrong, says] of [
  ['an alias', 'contexts:\n  a: &a { address: x:1 }\n  b: *a\n', /the alias \*a is not supported/],
  ['an alias of itself', 'contexts: &a\n  a: *a\n', /the alias \*a is not supported/],
  ['a merge', 'contexts:\n  a: &a { address: x:1 }\n  b: { <<: *a }\n', /the alias \*a is not supported/],
  ['two documents', 'current: a\n---\ncurrent: b\n', /more than one document/],
] as const) {
  test(`a file with ${what} is refused in one sentence, and not changed`, async (t) => {
    using folder = new Folder();
    const environment = { WFDCTL_CONFIG: folder.file('config.yaml') };
    writeFileSync(folder.file('config.yaml'), wrong, { mode: 0o600 });
    for (const argv of [
      ['context', 'list'],
      ['context', 'set', 'a', '--address', 'y'],
    ]) {
      const { code, stderr } = await wfdctl(argv, { environment });
      t.is(code, 78);
      t.regex(stderr, says);
      t.regex(stderr, /^wfdctl: Invalid context file: [^\n]*; correct [^\n]*config\.yaml\.\n$/);
    }
    t.is(readFileSync(folder.file('config.yaml'), 'utf8'), wrong);
  });
}

test('keys that nobody has filled in are as if they were not there', async (t) => {
  using folder = new Folder();
  const environment = { WFDCTL_CONFIG: folder.file('config.yaml') };
  writeFileSync(folder.file('config.yaml'), 'current:\ncontexts:\n', { mode: 0o600 });
  t.like(await wfdctl(['context', 'list'], { environment }), { code: 0 });
  t.like(await wfdctl(['context', 'set', 'a', '--address', 'y'], { environment }), { code: 0, stderr: '' });
  t.is(readFileSync(folder.file('config.yaml'), 'utf8'), 'current: a\ncontexts:\n  a:\n    address: y:50051\n');
});

test('tokens that others can read are warned of', async (t) => {
  using folder = new Folder();
  writeFileSync(folder.file('config.yaml'), text, { mode: 0o644 });
  const environment = { WFDCTL_CONFIG: folder.file('config.yaml') };
  const argv = ['context', 'list'];
  t.regex(
    (await wfdctl(argv, { environment })).stderr,
    /^wfdctl: Other users can read the tokens in .*; run chmod 600/,
  );
  const [warned] = lines((await wfdctl([...argv, '-o', 'json'], { environment })).stderr);
  t.regex((warned as { warning: { message: string } }).warning.message, /^Other users can read/);
  chmodSync(folder.file('config.yaml'), 0o600);
  t.is((await wfdctl(argv, { environment })).stderr, '');
});

test('a file that is wrong, or a token that is not there, ends with 78', async (t) => {
  using folder = new Folder();
  const environment = { WFDCTL_CONFIG: folder.file('config.yaml') };
  const lacking = ['host', '--address', '127.0.0.1:1', '--token-file', folder.file('none')];
  const { code, stderr } = await wfdctl(lacking, { environment });
  t.is(code, 78);
  t.regex(stderr, /^wfdctl: The token can't be read \(ENOENT\); check the file .*none\.\n$/);
  writeFileSync(folder.file('config.yaml'), 'contexts: 7');
  t.like(await wfdctl(['host'], { environment }), { code: 78 });
  t.like(await wfdctl(['host', '--config', folder.path], { environment }), { code: 78 });
});
