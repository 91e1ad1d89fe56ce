/**
 * The manifests for winget: what its schemas (1.10.0) require of these fields, and that they agree
 * with the installer.
 */
import test from 'ava';
import { productCode, UPGRADE_CODE } from '../../service/release/codes.js';
import { wingetManifests } from '../../service/release/winget.js';

const hash = 'ab'.repeat(32);
const manifests = wingetManifests('1.2.3-rc.1', 'wfdd-1.2.3-x64.msi', hash);
const parsed = new Map([...manifests].map(([name, text]) => [name, JSON.parse(text.slice(text.indexOf('\n')))]));
const [version, installer, locale] = [...parsed.values()];

test('there is one of each kind, named after the package', (t) => {
  t.deepEqual(
    [...manifests.keys()],
    [
      'WifiDirectGateway.Wfdd.yaml',
      'WifiDirectGateway.Wfdd.installer.yaml',
      'WifiDirectGateway.Wfdd.locale.en-US.yaml',
    ],
  );
  t.deepEqual(
    [version, installer, locale].map(({ ManifestType }) => ManifestType),
    ['version', 'installer', 'defaultLocale'],
  );
});

test('each says whose it is, of which version and by which schema', (t) => {
  for (const [name, manifest] of parsed) {
    t.regex(manifest.PackageIdentifier, /^[^.\s\\/:*?"<>|]{1,32}(\.[^.\s\\/:*?"<>|]{1,32}){1,7}$/, name);
    t.is(manifest.PackageVersion, '1.2.3-rc.1');
    t.is(manifest.ManifestVersion, '1.10.0');
    const schema = `https://aka.ms/winget-manifest.${manifest.ManifestType}.1.10.0.schema.json`;
    t.true(manifests.get(name)?.startsWith(`# yaml-language-server: $schema=${schema}\n`));
  }
});

test('the installer is found by the codes that it has', (t) => {
  t.like(installer, { InstallerType: 'wix', Scope: 'machine', ProductCode: `{${productCode('1.2.3-rc.1')}}` });
  t.deepEqual(installer.AppsAndFeaturesEntries, [
    { ProductCode: `{${productCode('1.2.3-rc.1')}}`, UpgradeCode: `{${UPGRADE_CODE}}`, DisplayVersion: '1.2.3' },
  ]);
  const [{ Architecture, InstallerUrl, InstallerSha256 }] = installer.Installers;
  t.is(Architecture, 'x64');
  t.regex(InstallerUrl, /^https:\/\/.*\/v1\.2\.3-rc\.1\/wfdd-1\.2\.3-x64\.msi$/);
  t.is(InstallerSha256, hash.toUpperCase());
});

test('what the default locale has to have is there, and short enough', (t) => {
  t.is(version.DefaultLocale, locale.PackageLocale);
  for (const [field, lengthMax] of [
    ['Publisher', 256],
    ['PackageName', 256],
    ['License', 512],
    ['ShortDescription', 256],
  ] as const) {
    t.true(locale[field].length >= 2 && locale[field].length <= lengthMax, field);
  }
});
