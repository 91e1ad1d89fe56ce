import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Aclapi } from '../../native/aclapi.js';
import { winerror } from '../../native/constants.js';
import { foldersOf, makeFolders } from '../../service/windows-service/folders.js';
import { serviceSid } from '../../service/windows-service/installation.js';

const user = 'O:S-1-5-21-1-2-3-1001';

/**
 * Two folders that are not there yet, and a Windows in which everything belongs to the
 * administrators but what `owners` says.
 */
function host(t: ExecutionContext) {
  const root = mkdtempSync(join(tmpdir(), 'wfdd-folders-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const data = join(root, 'wfdd');
  const folders = { data, logs: join(data, 'logs'), journal: join(data, 'journal') };
  const owners = new Map<string, string>();
  const made = new Map<string, string>();
  const closed = new Map<string, string>();
  const inheriting: string[] = [];
  const aclapi: Aclapi = {
    CreateDirectoryW: (path, sddl) => {
      if (existsSync(path)) return { code: winerror.ERROR_ALREADY_EXISTS };
      mkdirSync(path);
      made.set(path, sddl);
      return { code: 0 };
    },
    SetNamedSecurityInfoW: (path, sddl) => {
      closed.set(path, sddl);
      return { code: 0 };
    },
    InheritSecurityInfo: (path) => {
      inheriting.push(path);
      return { code: 0 };
    },
    CheckTokenMembership: () => ({ code: 0, isMember: true }),
    GetNamedSecurityInfoW: (path) => ({ code: 0, owner: owners.get(path) ?? 'O:BA' }),
    GetDaclOf: () => ({ code: 0, sddl: 'D:P' }),
  };
  return { ...folders, owners, made, closed, inheriting, make: () => makeFolders(aclapi, 'wfdd', folders, {}) };
}

test('they are in ProgramData, wherever that is', (t) => {
  t.deepEqual(foldersOf('wfdd', { ProgramData: 'D:\\Data' }), {
    data: 'D:\\Data\\wfdd',
    logs: 'D:\\Data\\wfdd\\logs',
    journal: 'D:\\Data\\wfdd\\journal',
  });
});

test('each is made closed, and open to the service: to read its configuration, to write its log and journal', (t) => {
  const { data, logs, journal, made, make } = host(t);
  make();
  const sid = serviceSid('wfdd');
  for (const sddl of made.values()) t.true(sddl.startsWith('D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)('));
  t.regex(made.get(data) ?? '', new RegExp(`\\(A;OICI;FRFX;;;${sid}\\)$`));
  for (const own of [logs, journal]) {
    t.regex(made.get(own) ?? '', new RegExp(`\\(A;OICI;FRFWFX;;;${sid}\\)\\(A;OICIIO;SD;;;${sid}\\)$`));
  }
});

test('what an administrator put there before stays, and is closed', (t) => {
  const { data, logs, journal, made, closed, make } = host(t);
  mkdirSync(data);
  writeFileSync(join(data, 'config.yaml'), '');
  make();
  t.true(existsSync(join(data, 'config.yaml')));
  t.deepEqual([...closed.keys()], [data]);
  t.deepEqual([...made.keys()], [logs, journal]);
});

test('what lies in a folder that was there before has the permissions of the folder afterwards, and no others', (t) => {
  const { data, logs, closed, inheriting, make } = host(t);
  mkdirSync(join(data, 'tls'), { recursive: true });
  mkdirSync(logs);
  for (const path of ['config.yaml', 'tls/server.key', 'logs/wfdd.1.log']) writeFileSync(join(data, path), '');
  make();
  t.deepEqual([...closed.keys()], [data, logs]);
  t.deepEqual(inheriting.map((path) => path.slice(data.length + 1)).sort(), [
    'config.yaml',
    'logs/wfdd.1.log',
    'tls',
    'tls/server.key',
  ]);
});

test('the advice to take a folder over needs no name of a group, which depends on the language of Windows', (t) => {
  const { data, owners, make } = host(t);
  mkdirSync(data);
  owners.set(data, user);
  t.throws(make, {
    message: /install again, which resets its permissions:\n +icacls ".*" \/setowner \*S-1-5-32-544 \/t$/,
  });
});

test('a folder, or a file in it, that belongs to somebody else is not taken', (t) => {
  for (const planted of ['', 'config.yaml', 'tls/server.key']) {
    const { data, owners, closed, make } = host(t);
    mkdirSync(join(data, 'tls'), { recursive: true });
    if (planted !== '') writeFileSync(join(data, planted), '');
    owners.set(join(data, planted), user);
    t.throws(make, { message: /is not owned by administrators.*icacls/s }, planted);
    t.is(closed.size, 0);
  }
});

test('the log of the service is its own', (t) => {
  const { logs, owners, make } = host(t);
  make();
  writeFileSync(join(logs, 'wfdd.1.log'), '');
  owners.set(join(logs, 'wfdd.1.log'), 'O:LS');
  t.notThrows(make);
});

test('a link is not followed', (t) => {
  const { data, make } = host(t);
  symlinkSync(tmpdir(), data);
  t.throws(make, { message: /is a link/ });
});
