/**
 * The WiX source for wixl: product, folders, files and components, as text from a list of paths.
 */
import { componentCode, productCode, UPGRADE_CODE, uuid5 } from './codes.js';

export const INSTALL_FOLDER = 'INSTALLFOLDER';

interface Product {
  readonly version: string;
  /** Paths below the folder, with `/`. */
  readonly paths: readonly string[];
}

/** The WiX source. File paths are relative to the folder in which wixl runs. */
export function wixSource({ version, paths }: Product): string {
  return `<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
  <Product Id="${productCode(version)}" UpgradeCode="${UPGRADE_CODE}" Version="${productVersion(version)}"
      Name="Wi-Fi Direct Gateway" Manufacturer="Wi-Fi Direct Gateway" Language="1033">
    <Package InstallerVersion="500" Compressed="yes" InstallScope="perMachine"/>
    <MajorUpgrade DowngradeErrorMessage="A newer version of the Wi-Fi Direct Gateway is installed."/>
    <MediaTemplate EmbedCab="yes"/>
    <Directory Id="TARGETDIR" Name="SourceDir">
      <Directory Id="ProgramFiles64Folder">
        <Directory Id="${INSTALL_FOLDER}" Name="wfdd">
${folder('', paths, '          ')}
        </Directory>
      </Directory>
    </Directory>
    <Feature Id="Main" Level="1" Title="Wi-Fi Direct Gateway">
${paths.map((path) => `      <ComponentRef Id="${componentId(path)}"/>`).join('\n')}
    </Feature>
  </Product>
</Wix>
`;
}

/** The three version numbers that Windows Installer compares. */
export function productVersion(version: string): string {
  const [, numbers = '0.0.0'] = /^(\d+\.\d+\.\d+)/.exec(version) ?? [];
  return numbers;
}

/** An id for the installer tables, because paths contain characters that ids cannot have. */
export function componentId(path: string): string {
  return `c${idOf(path)}`;
}

export function folderId(path: string): string {
  return path === '' ? INSTALL_FOLDER : `d${idOf(path)}`;
}

function idOf(path: string): string {
  return uuid5(`id ${path}`).replaceAll('-', '');
}

/** One component per file, so that repair and upgrade handle each file separately. */
function folder(at: string, paths: readonly string[], indent: string): string {
  const inside = paths.map((path) => path.slice(at.length)).map((rest) => rest.split('/'));
  const files = inside.filter((parts) => parts.length === 1).map(([name = '']) => name);
  const folders = [...new Set(inside.filter((parts) => parts.length > 1).map(([name = '']) => name))];
  return [
    ...files.map((name) => file(`${at}${name}`, name, indent)),
    ...folders.map((name) => {
      const below = `${at}${name}/`;
      const those = paths.filter((path) => path.startsWith(below));
      const inner = folder(below, those, `${indent}  `);
      return `${indent}<Directory Id="${folderId(below)}" Name="${name}">\n${inner}\n${indent}</Directory>`;
    }),
  ].join('\n');
}

function file(path: string, name: string, indent: string): string {
  const source = `<File Id="f${idOf(path)}" Name="${name}" Source="wfdd/${path}" KeyPath="yes"/>`;
  return `${indent}<Component Id="${componentId(path)}" Guid="${componentCode(path)}" Win64="yes">${source}</Component>`;
}
