/** Files that decide who is let in, and others on the host who could change them. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { examineDescriptors, examineMode, examineProtection } from '../../service/files/file-protection.js';
import { anybodyWith, READ, REPLACE, WRITE } from '../../service/files/windows-acl.js';
import { Files } from '../access/files.js';

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
  t.deepEqual(judge(0o666), ['error: Every account on this host can write to the file.']);
  t.deepEqual(judge(0o664, false, 1000, 100), ['warning: The group 100 can write to the file.']);
  t.deepEqual(judge(0o644, true), ['warning: Every account on this host can read the file, which contains a secret.']);
});

test('a file of another account is a warning, but not to root, who asks for others', (t) => {
  t.regex(judge(0o600, false, 1001)[0] ?? '', /^warning: The file belongs to another account \(uid 1001\)/);
  t.deepEqual(judge(0o600, false, 1001, 1001, 0), []);
});

onPosix('folders count, and the file behind a link', (t) => {
  using files = new Files();
  const messages = (path: string) => [...examineProtection(path, false, undefined)].map(({ message }) => message);
  const target = files.write('tokens', '[]');
  const link = files.path('link');
  symlinkSync(target, link);
  t.deepEqual(messages(link), []);
  chmodSync(target, 0o666);
  t.regex(messages(link)[0] ?? '', /Every account on this host can write to the file/);
  const folder = files.path('open');
  mkdirSync(folder);
  writeFileSync(`${folder}/tokens`, '[]');
  chmodSync(folder, 0o777);
  t.regex(messages(`${folder}/tokens`)[0] ?? '', /can replace the file, because it can write to .*open/);
  chmodSync(folder, 0o1777);
  t.deepEqual(messages(`${folder}/tokens`), [], 'as in /tmp, nobody takes away what is not theirs');
  t.deepEqual(messages(files.path('missing')), []);
});

const CLOSED = 'D:PAI(A;;FA;;;SY)(A;;FA;;;BA)(A;;FRFX;;;S-1-5-80-1-2-3-4-5)';
/** As Windows gives it to what is made in a new folder of `C:\\`. */
const OF_DRIVE = 'D:AI(A;ID;FA;;;BA)(A;ID;FA;;;SY)(A;ID;0x1200a9;;;BU)(A;ID;0x1301bf;;;AU)';
/** Of `C:\\` itself. */
const DRIVE = 'D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)(A;OICIIO;SDGXGWGR;;;AU)(A;;LC;;;AU)';
/** Of `C:\\ProgramData`: everybody may add, and take nothing away. */
const PROGRAM_DATA =
  'D:PAI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIIOID;GA;;;CO)(A;OICIID;0x1200a9;;;BU)(A;CIID;DCLCRPCR;;;BU)';

test('on Windows what counts is what groups that anybody belongs to may do', (t) => {
  const cases: [rights: number, sddl: string, who: string[]][] = [
    [WRITE, CLOSED, []],
    [READ, CLOSED, []],
    [WRITE, OF_DRIVE, ['Authenticated Users']],
    [READ, OF_DRIVE, ['Users', 'Authenticated Users']],
    [REPLACE, DRIVE, []],
    [REPLACE, PROGRAM_DATA, []],
    [REPLACE, OF_DRIVE, ['Authenticated Users']],
    [WRITE, 'D:(A;;FR;;;WD)', []],
    [WRITE, 'D:(A;;FW;;;S-1-1-0)', ['Everyone']],
    [WRITE, 'D:(A;;GA;;;S-1-5-32-545)', ['Users']],
    [WRITE, 'D:(A;;WD;;;BU)', ['Users']],
    [READ, 'D:(A;;GR;;;AN)', ['Anonymous Logon']],
    [WRITE, 'D:(D;;FA;;;BU)(A;;FA;;;BU)', []],
    [WRITE, 'D:(A;OICIIO;FA;;;BU)', []],
    [WRITE, 'D:NO_ACCESS_CONTROL', ['Everyone']],
    [WRITE, 'O:BAG:SY', ['Everyone']],
    [WRITE, 'D:P', []],
  ];
  for (const [rights, sddl, who] of cases) t.deepEqual(anybodyWith(rights, sddl), who, `${rights} ${sddl}`);
});

test('a file below C:\\ProgramData that is closed is well, one in a new folder of C:\\ is not', (t) => {
  const descriptors: Record<string, string> = {
    'C:\\': DRIVE,
    'C:\\ProgramData': PROGRAM_DATA,
    'C:\\ProgramData\\wfdd': CLOSED,
    'C:\\ProgramData\\wfdd\\host.key': CLOSED,
    'C:\\wfdd': OF_DRIVE,
    'C:\\wfdd\\host.key': OF_DRIVE,
  };
  const judged = (path: string) =>
    [...examineDescriptors(path, true, (each) => descriptors[each])].map(
      ({ severity, message }) => `${severity}: ${message}`,
    );
  t.deepEqual(judged('C:\\ProgramData\\wfdd\\host.key'), []);
  t.deepEqual(judged('C:\\wfdd\\host.key'), [
    'warning: Authenticated Users can write to the file.',
    'warning: Users, Authenticated Users can read the file, which contains a secret.',
    'warning: Authenticated Users can replace the file, because they can write to C:\\wfdd.',
  ]);
  const open = [...examineDescriptors('C:\\x', false, (path) => (path === 'C:\\x' ? 'D:(A;;FA;;;WD)' : CLOSED))];
  t.like(open, [{ severity: 'error', message: 'Everyone can write to the file.' }]);
});
