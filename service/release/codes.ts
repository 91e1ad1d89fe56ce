/** GUIDs for Windows Installer. They are derived from names, so builds are reproducible. */
import { createHash } from 'node:crypto';

/**
 * The namespace of all codes below. It and the upgrade code must never change: versions find
 * earlier ones by them.
 */
const NAMESPACE = 'f3c1a7d2-5b0e-4c58-9f6a-2d7e8b1c4a90';
export const UPGRADE_CODE = uuid5('upgrade');

/** The product code. It is different for each version, so that a version replaces another. */
export function productCode(version: string): string {
  return uuid5(`product ${version} x64`);
}

/** The component code of a file. It is the same in all versions. */
export function componentCode(path: string): string {
  return uuid5(`component ${path}`);
}

/** The package code. It is different for each .msi with different contents. */
export function packageCode(contentsHash: string): string {
  return uuid5(`package ${contentsHash}`);
}

/** A UUID of version 5 (RFC 9562), in upper case as Windows Installer requires. */
export function uuid5(name: string, namespace = NAMESPACE): string {
  const bytes = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest()
    .subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex').toUpperCase();
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
