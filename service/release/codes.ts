/** The codes by which Windows Installer knows what is what. They come from names alone, so a build gives the same again. */
import { createHash } from 'node:crypto';

/** The namespace of all codes below. It and the upgrade code stay for ever: by them a version finds the one before. */
const NAMESPACE = 'f3c1a7d2-5b0e-4c58-9f6a-2d7e8b1c4a90';
export const UPGRADE_CODE = uuid5('upgrade');

/** A code each version has anew, so that one replaces another. */
export function productCode(version: string): string {
  return uuid5(`product ${version} x64`);
}

/** A file keeps its code from version to version. */
export function componentCode(path: string): string {
  return uuid5(`component ${path}`);
}

/** A code for each .msi: one that differs in anything has another. */
export function packageCode(contentsHash: string): string {
  return uuid5(`package ${contentsHash}`);
}

/** A UUID of version 5 (RFC 9562), in the capitals that Windows Installer asks for. */
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
