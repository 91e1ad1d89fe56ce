/**
 * The installer as a database: what Windows Installer would read in it. That it works is seen in
 * windows/msi.test.ts.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { filesIn, sorted } from '../../service/bundle/contents.js';
import { componentCode, packageCode, productCode, UPGRADE_CODE } from '../../service/release/codes.js';
import { buildMsi, hasMsiTools } from '../../service/release/msi.js';
import { componentId, folderId, productVersion } from '../../service/release/msi-source.js';

const toolsTest = hasMsiTools() ? test : test.skip;
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
const contents = sorted([
  ['node.exe', bytes('program')],
  ['service/wfdd.cjs', bytes('script')],
  ['bin/wfdctl.cmd', bytes('command')],
  ['node_modules/@scope/a b.js', bytes('module')],
]);
const folder = mkdtempSync(join(tmpdir(), 'wfdd-msi-test-'));
const file = join(folder, 'wfdd.msi');
if (hasMsiTools()) writeFileSync(file, buildMsi(contents, '1.2.3'));
test.after.always(() => rmSync(folder, { recursive: true }));

/** The rows of a table, without the three lines that describe it, in the order of the text. */
function table(name: string): string[] {
  const text = execFileSync('msiinfo', ['export', file, name], { encoding: 'utf8' });
  return text.replaceAll('\r', '').trimEnd().split('\n').slice(3).sort();
}

toolsTest('its actions run wfdd itself as LocalSystem, and what may fail and what may not is marked', (t) => {
  const inLog = (command: string) =>
    `"[System64Folder]cmd.exe" /d /s /c ""[INSTALLFOLDER]node.exe" "[INSTALLFOLDER]service\\wfdd.cjs" service ${command} >>"[INSTALLFOLDER]install.log" 2>&1"`;
  const seeds = '--seed "listen=[LISTEN]" --seed "hostId=[HOSTID]"';
  const removal = '"[System64Folder]cmd.exe" /d /c rd /s /q "[CommonAppDataFolder]wfdd"';
  // 0xc22: a command line, in the script of the installation, not as the user; 0x40 goes on after a
  // failure, 0x100 is for a rollback, 0x200 for when all is done.
  const rows = table('CustomAction').map((row) => row.trimEnd().split('\t'));
  t.deepEqual(rows, [
    ['InstallService', String(0xc22), 'INSTALLFOLDER', inLog(`install --unattended ${seeds}`)],
    ['RemoveData', String(0xe62), 'TARGETDIR', removal],
    ['StartService', String(0xc62), 'INSTALLFOLDER', inLog('start')],
    ['UndoInstallService', String(0xd62), 'INSTALLFOLDER', inLog('uninstall')],
    ['UndoUninstallService', String(0xd62), 'INSTALLFOLDER', inLog('install --unattended')],
    ['UninstallService', String(0xc62), 'INSTALLFOLDER', inLog('uninstall')],
  ]);
  for (const [name, , , target = ''] of rows) t.true(target.length <= 255, name);
});

toolsTest('the order and the conditions of what it does', (t) => {
  const bySequence = (row: string) => Number(row.split('\t').at(-1));
  const removed = 'REMOVE~="ALL" AND NOT UPGRADINGPRODUCTCODE';
  t.deepEqual(
    table('InstallExecuteSequence')
      .sort((a, b) => bySequence(a) - bySequence(b))
      .map((row) => row.split('\t').slice(0, 2).join(' ').trim()),
    [
      'FindRelatedProducts',
      'LaunchConditions',
      'ValidateProductID',
      'CostInitialize',
      'FileCost',
      'CostFinalize',
      'MigrateFeatureStates',
      'InstallValidate',
      'InstallInitialize',
      'RemoveExistingProducts',
      'ProcessComponents',
      'UnpublishFeatures',
      'StopServices',
      `UndoUninstallService ${removed}`,
      `UninstallService ${removed}`,
      'RemoveEnvironmentStrings',
      'RemoveFiles',
      'InstallFiles',
      'WriteEnvironmentStrings',
      'UndoInstallService NOT Installed AND NOT WIX_UPGRADE_DETECTED',
      'InstallService NOT REMOVE',
      'StartService NOT REMOVE AND START<>"0"',
      'RegisterUser',
      'RegisterProduct',
      'PublishFeatures',
      'PublishProduct',
      `RemoveData ${removed} AND REMOVEDATA="1"`,
      'InstallFinalize',
    ],
  );
});

toolsTest('its properties have the codes of the version, for the whole machine', (t) => {
  const properties = Object.fromEntries(table('Property').map((row) => row.split('\t')));
  t.like(properties, {
    ALLUSERS: '1',
    ARPNOMODIFY: '1',
    ProductVersion: '1.2.3',
    ProductCode: `{${productCode('1.2.3')}}`,
    SecureCustomProperties: 'WIX_DOWNGRADE_DETECTED;WIX_UPGRADE_DETECTED;LISTEN;HOSTID;START;REMOVEDATA',
  });
  t.is(properties['UpgradeCode'].toUpperCase(), `{${UPGRADE_CODE}}`);
});

toolsTest('older versions are replaced, newer ones refuse', (t) => {
  const rows = table('Upgrade').map((row) => row.toUpperCase().split('\t'));
  t.true(rows.every(([code]) => code === `{${UPGRADE_CODE}}`));
  t.deepEqual(rows.map((row) => row.at(-1)).sort(), ['WIX_DOWNGRADE_DETECTED', 'WIX_UPGRADE_DETECTED']);
  t.deepEqual(
    table('LaunchCondition')
      .map((row) => row.split('\t')[0])
      .sort(),
    ['Installed OR (VersionNT64 AND VersionNT >= 603)', 'NOT WIX_DOWNGRADE_DETECTED'],
  );
});

toolsTest('each file is a 64-bit component of its own, and nothing of ProgramData is one', (t) => {
  const components = table('Component').map((row) => row.split('\t'));
  t.deepEqual(components.map(([id]) => id).sort(), [...contents.keys()].map(componentId).sort());
  for (const [path] of contents) {
    const [, code, , attributes] = components.find(([id]) => id === componentId(path)) ?? [];
    t.is(code, `{${componentCode(path)}}`);
    t.is(Number(attributes) & 256, 256, 'msidbComponentAttributes64bit');
  }
  t.false(table('Directory').some((row) => row.includes('CommonAppData')));
});

toolsTest('the PATH of the machine gets the folder of commands, and no node.exe', (t) => {
  t.deepEqual(table('Environment'), [`Path\t=-*PATH\t[~];[${folderId('bin/')}]\t${componentId('bin/wfdctl.cmd')}`]);
});

toolsTest('the service is stopped where its files change, and its log goes with it', (t) => {
  t.deepEqual(table('ServiceControl'), [`StopWfdd\twfdd\t34\t\t1\t${componentId('service/wfdd.cjs')}`]);
  t.deepEqual(table('RemoveFile'), [`RemoveLog\t${componentId('service/wfdd.cjs')}\tinstall.log\tINSTALLFOLDER\t2`]);
});

toolsTest('its files are those that it was made of', (t) => {
  const out = join(folder, 'extracted');
  execFileSync('msiextract', ['--directory', out, file], { stdio: 'ignore' });
  const extracted = sorted(
    filesIn(out, () => true).map(([path, content]) => [path.replace(/^.*?wfdd\//, ''), content]),
  );
  t.deepEqual([...extracted.keys()], [...contents.keys()]);
  for (const [path, content] of contents) t.deepEqual(Buffer.from(extracted.get(path) ?? []), Buffer.from(content));
});

toolsTest('made again, at another time and in another time zone, it is the same; of other files it is not', (t) => {
  const zone = process.env['TZ'];
  process.env['TZ'] = 'Asia/Kathmandu';
  t.teardown(() => {
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
  });
  t.deepEqual(Buffer.from(buildMsi(contents, '1.2.3')), readFileSync(file));
  const summary = (of: string) => execFileSync('msiinfo', ['suminfo', of], { encoding: 'utf8' });
  t.regex(summary(file), /^Template: x64;1033$/m);
  const other = join(folder, 'other.msi');
  writeFileSync(other, buildMsi(sorted([...contents, ['more', bytes('')]]), '1.2.3'));
  const codeOf = (of: string) => /^Revision number .*: (.*)$/m.exec(summary(of))?.[1];
  t.not(codeOf(file), codeOf(other));
});

test('Windows Installer compares three numbers', (t) => {
  t.is(productVersion('1.2.3-rc.1+build'), '1.2.3');
  t.not(packageCode('a'), packageCode('b'));
});
