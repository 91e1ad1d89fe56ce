/**
 * The winget manifests of a version: three files. They are JSON, which is valid YAML. To publish a
 * version, add them to the winget repository below `manifests/w/WifiDirectGateway/Wfdd/<version>/`.
 */
import { productCode, UPGRADE_CODE } from './codes.js';
import { productVersion } from './msi-source.js';

const ID = 'WifiDirectGateway.Wfdd';
const SCHEMA_VERSION = '1.10.0';
/** The download URL of releases. */
const DOWNLOADS = 'https://github.com/wifi-direct-gateway/wifi-direct-gateway/releases/download';

/** The files by name. `msiHash` is the hexadecimal SHA-256 of the installer. */
export function wingetManifests(version: string, msi: string, msiHash: string): Map<string, string> {
  const common = { PackageIdentifier: ID, PackageVersion: version };
  const product = { ProductCode: `{${productCode(version)}}`, UpgradeCode: `{${UPGRADE_CODE}}` };
  const manifests: [kind: string, suffix: string, content: object][] = [
    ['version', '', { DefaultLocale: 'en-US' }],
    [
      'installer',
      '.installer',
      {
        Platform: ['Windows.Desktop'],
        MinimumOSVersion: '10.0.0.0',
        InstallerType: 'wix',
        Scope: 'machine',
        UpgradeBehavior: 'install',
        ProductCode: product.ProductCode,
        AppsAndFeaturesEntries: [{ ...product, DisplayVersion: productVersion(version) }],
        Installers: [
          {
            Architecture: 'x64',
            InstallerUrl: `${DOWNLOADS}/v${version}/${msi}`,
            InstallerSha256: msiHash.toUpperCase(),
          },
        ],
      },
    ],
    [
      'defaultLocale',
      '.locale.en-US',
      {
        PackageLocale: 'en-US',
        Publisher: 'Wi-Fi Direct Gateway',
        PackageName: 'Wi-Fi Direct Gateway',
        License: 'Apache-2.0',
        ShortDescription: 'Lets remote programs open and close Wi-Fi Direct sessions of a Windows host, over gRPC.',
        Tags: ['grpc', 'wi-fi', 'wifi-direct'],
      },
    ],
  ];
  return new Map(
    manifests.map(([kind, suffix, content]) => [
      `${ID}${suffix}.yaml`,
      text(kind, { ...common, ...content, ManifestType: kind, ManifestVersion: SCHEMA_VERSION }),
    ]),
  );
}

function text(kind: string, content: object): string {
  const schema = `https://aka.ms/winget-manifest.${kind}.${SCHEMA_VERSION}.schema.json`;
  return `# yaml-language-server: $schema=${schema}\n${JSON.stringify(content, null, 2)}\n`;
}
