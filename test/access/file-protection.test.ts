/** Files that decide who is let in, and others on the host who could change them. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { examineMode, examineProtection } from '../../service/access/file-protection.js';
import { Files } from './files.js';

const onPosix = process.platform === 'win32' ? test.skip : test;

const judge = (mode: number, isSecret = false, owner = 1000, gid = owner, uid = 1000) =>
  [...examineMode('/etc/wfdd/x', { mode: 0o100000 | mode, uid: owner, gid }, isSecret, uid)].map(
    ({ severity, message }) => `${severity}: ${message}`,
  );

test('what only its owner and root may write is well, a secret also where its group may read it', (t) => {
  for (const mode of [0o600, 0o640, 0o644, 0o444]) t.deepEqual(judge(mode), []);
  for (const mode of [0o600, 0o640, 0o400]) t.deepEqual(judge(mode, true), []);
  t.deepEqual(judge(0o644, false, 0, 0), []);
  t.deepEqual(judge(0o664), [], 'the group is the owner alone');
});

test('what everybody may write is an error; what a group may write, or everybody may read of secrets, a warning', (t) => {
  t.deepEqual(judge(0o666), ['error: Everybody on this host may write to the file.']);
  t.deepEqual(judge(0o664, false, 1000, 100), ['warning: The group 100 may write to the file.']);
  t.deepEqual(judge(0o644, true), ['warning: Everybody on this host may read the file, and it holds a secret.']);
});

test('a file of another account is a warning, but not to root, who asks for others', (t) => {
  t.regex(judge(0o600, false, 1001)[0] ?? '', /^warning: The file belongs to another account \(uid 1001\)/);
  t.deepEqual(judge(0o600, false, 1001, 1001, 0), []);
});

onPosix('folders count, and the file behind a link', (t) => {
  using files = new Files();
  const messages = (path: string) => [...examineProtection(path, false)].map(({ message }) => message);
  const target = files.write('tokens', '[]');
  const link = files.path('link');
  symlinkSync(target, link);
  t.deepEqual(messages(link), []);
  chmodSync(target, 0o666);
  t.regex(messages(link)[0] ?? '', /Everybody on this host may write to the file/);
  const folder = files.path('open');
  mkdirSync(folder);
  writeFileSync(`${folder}/tokens`, '[]');
  chmodSync(folder, 0o777);
  t.regex(messages(`${folder}/tokens`)[0] ?? '', /may put another file in its place: they may write to .*open/);
  chmodSync(folder, 0o1777);
  t.deepEqual(messages(`${folder}/tokens`), [], 'as in /tmp, nobody takes away what is not theirs');
  t.deepEqual(messages(files.path('missing')), []);
});
