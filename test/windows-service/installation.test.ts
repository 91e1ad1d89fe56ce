import test from 'ava';
import {
  SERVICE_CONFIG_FAILURE_ACTIONS,
  SERVICE_CONFIG_PRESHUTDOWN_INFO,
  SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO,
} from '../../native/winsvc.js';
import type { InstallCommand } from '../../service/commands/service.js';
import { makeConfig } from '../../service/config/schema.js';
import {
  assertProtected,
  installationOf,
  notesOn,
  quoted,
  serviceConfig,
  serviceInfos,
  serviceSid,
  stopLimitMs,
  unprotectedPaths,
} from '../../service/windows-service/installation.js';

const program = ['C:\\Program Files\\wfdd\\node.exe', 'C:\\Program Files\\wfdd\\service\\wfdd.cjs'] as const;

function command(
  values: Parameters<typeof makeConfig>[0] = {},
  more: Partial<InstallCommand> & { file?: string } = {},
): InstallCommand {
  const loaded = { config: makeConfig(values), file: more.file, sources: new Map(), warnings: [] };
  const flags = { allowUnprotected: false, firewall: false, unattended: false, seeds: [] };
  return { verb: 'install', name: 'wfdd', account: 'LocalService', loaded, assigned: [], ...flags, ...more };
}

/**
 * The arguments of a command line, by the rules of CommandLineToArgvW: of backslashes before a
 * quote each two are one, and an odd one makes the quote plain; a quote that is not plain begins or
 * ends a part in which spaces are plain too.
 */
function split(line: string): string[] {
  const found: string[] = [];
  let part: string | undefined;
  let isQuoted = false;
  for (const [token, slashes = '', quote = ''] of line.matchAll(/(\\*)(")|\\+|[^\\"]/g)) {
    if (quote !== '') {
      part = (part ?? '') + '\\'.repeat(slashes.length / 2);
      if (slashes.length % 2 === 1) part += quote;
      else isQuoted = !isQuoted;
    } else if (token !== ' ' || isQuoted) part = (part ?? '') + token;
    else if (part !== undefined) {
      found.push(part);
      part = undefined;
    }
  }
  return part === undefined ? found : [...found, part];
}

for (const argument of [
  '',
  'plain',
  'C:\\Program Files\\wfdd\\node.exe',
  'ends with a backslash\\',
  'two\\\\',
  '["127.0.0.1:1","pipe:wfdd"]',
  '\\"',
]) {
  test(`the argument ${JSON.stringify(argument)} is given to the program as it is`, (t) => {
    t.deepEqual(split(`${quoted(argument)} ${quoted('next')}`), [argument, 'next']);
  });
}

test('the command line has every path in quotes, the file, and the flags that were given', (t) => {
  const given = command(
    { listen: ['127.0.0.1:1', 'pipe:wfdd'], driver: { kind: 'simulator' }, limits: { sessionsMax: 300 } },
    { assigned: ['listen', 'driver.kind', 'limits.sessionsMax', 'metrics.listen'] },
  );
  const loaded = { ...given.loaded, file: 'C:\\Users\\An Admin\\wfdd.yaml' };
  const { lpBinaryPathName } = serviceConfig(installationOf({ ...given, loaded }, program));
  t.true(lpBinaryPathName.startsWith(`"${program[0]}" "${program[1]}" "service" "run" "--name" "wfdd" `));
  t.deepEqual(split(lpBinaryPathName).slice(6), [
    ...['--config', 'C:\\Users\\An Admin\\wfdd.yaml'],
    ...['--set', 'listen=["127.0.0.1:1","pipe:wfdd"]'],
    ...['--set', 'driver.kind=simulator'],
    ...['--set', 'limits.sessionsMax=300'],
    ...['--set', 'metrics.listen='],
  ]);
});

test('without a file, the service looks for the usual one', (t) => {
  t.false(serviceConfig(installationOf(command(), program)).lpBinaryPathName.includes('--config'));
});

test('it depends on no service: Windows would stop it with WlanSvc, and not start it where there is none', (t) => {
  for (const kind of ['auto', 'simulator'] as const) {
    t.deepEqual(serviceConfig(installationOf(command({ driver: { kind } }), program)).lpDependencies, []);
  }
});

test('accounts that need no password are taken, by the name that Windows has for them', (t) => {
  const account = (text: string) => installationOf(command({}, { account: text }), program).account;
  t.is(account('localservice'), 'NT AUTHORITY\\LocalService');
  t.is(account('NT Authority\\NetworkService'), 'NT AUTHORITY\\NetworkService');
  t.is(account('LocalSystem'), 'LocalSystem');
  t.is(account('NT SERVICE\\wfdd'), 'NT SERVICE\\wfdd');
  t.is(account('CORP\\wfdd$'), 'CORP\\wfdd$');
  t.throws(() => account('CORP\\somebody'), { message: /needs a password/ });
  t.throws(() => account(''), { message: /needs a password/ });
});

test('the SID of a service is that which Windows derives from its name', (t) => {
  const trustedInstaller = 'S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464';
  t.is(serviceSid('TrustedInstaller'), trustedInstaller);
  t.is(serviceSid('TRUSTEDINSTALLER'), trustedInstaller);
});

test('it is restarted after a failure, later each time; shuts down in its own time; and has one privilege', (t) => {
  const config = makeConfig({ shutdown: { graceMs: 20_000 } });
  const infos = new Map<number, Readonly<Record<string, unknown>>>(
    serviceInfos({ ...installationOf(command(), program), config }).map(({ level, info }) => [level, info]),
  );
  const actions = infos.get(SERVICE_CONFIG_FAILURE_ACTIONS)?.['lpsaActions'] as { Delay: number }[];
  t.deepEqual(
    actions.map(({ Delay }) => Delay),
    actions.map(({ Delay }) => Delay).toSorted((a, b) => a - b),
  );
  t.is(infos.get(SERVICE_CONFIG_FAILURE_ACTIONS)?.['cActions'], actions.length);
  t.true(stopLimitMs(config) > 20_000);
  const shutdownMs = infos.get(SERVICE_CONFIG_PRESHUTDOWN_INFO)?.['dwPreshutdownTimeout'] as number;
  t.true(shutdownMs > stopLimitMs(config));
  const privileges = infos.get(SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO)?.['pmszRequiredPrivileges'] as Buffer;
  t.is(privileges.toString('utf16le'), 'SeChangeNotifyPrivilege\0\0');
});

test('whoever installs is told of settings that the service lacks, and of what others may change', (t) => {
  t.deepEqual(notesOn(command(), []), []);
  const sources = new Map([['log.level', 'environment WFDD_LOG_LEVEL'] as const]);
  const given = command();
  const notes = notesOn({ ...given, loaded: { ...given.loaded, sources } }, ['D:\\wfdd']);
  t.regex(notes[0] ?? '', /environment WFDD_LOG_LEVEL/);
  t.regex(notes[1] ?? '', /only administrators can change D:\\wfdd/);
});

const environment = { ProgramFiles: 'C:\\Program Files', SystemRoot: 'C:\\Windows' };
const data = 'C:\\ProgramData\\wfdd';

test('a program and a file are protected below folders that only administrators write to, in any spelling', (t) => {
  const paths = (script: string, file?: string) =>
    unprotectedPaths(command({}, file === undefined ? {} : { file }), script, environment, data);
  t.deepEqual(paths(program[1]), []);
  t.deepEqual(paths('c:\\PROGRAM FILES\\x\\..\\wfdd\\service\\wfdd.cjs', `${data}\\config.yaml`), []);
  t.deepEqual(paths(program[1], 'C:\\Program Files\\wfdd\\my.yaml'), []);
  t.deepEqual(paths('C:\\Program Files (mine)\\wfdd\\service\\wfdd.cjs'), ['C:\\Program Files (mine)\\wfdd']);
  t.deepEqual(paths('C:\\Program Files\\..\\wfdd\\service\\wfdd.cjs'), ['C:\\wfdd']);
  t.deepEqual(paths(program[1], 'C:\\Users\\me\\wfdd.yaml'), ['C:\\Users\\me\\wfdd.yaml']);
  t.deepEqual(paths(program[1], 'C:\\ProgramData\\wfdd2\\config.yaml'), ['C:\\ProgramData\\wfdd2\\config.yaml']);
});

test('what others could change is installed only by who answers for it, and never for LocalSystem', (t) => {
  const install = (paths: string[], account: string, isAllowed: boolean) => () =>
    assertProtected(paths, account, isAllowed, data);
  const service = 'NT AUTHORITY\\LocalService';
  t.notThrows(install([], 'LocalSystem', false));
  t.throws(install(['D:\\wfdd'], service, false), {
    message: /change D:\\wfdd, and.*Program Files.*--allow-unprotected/s,
  });
  t.notThrows(install(['D:\\wfdd'], service, true));
  t.throws(install(['D:\\wfdd'], 'LocalSystem', true), { message: /--allow-unprotected has no effect/ });
});
