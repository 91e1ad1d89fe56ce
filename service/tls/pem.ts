/** Reads PEM files with one or more certificates and any text between them. */
import { X509Certificate } from 'node:crypto';

const CERTIFICATE = /-----BEGIN (?:X509 )?CERTIFICATE-----.*?-----END (?:X509 )?CERTIFICATE-----/gs;

/** Returns at least one certificate. Throws an Error that does not quote the file. */
export function certificatesIn(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) throw new Error('The file contains no certificate.');
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new Error(`Certificate ${index + 1} of ${blocks.length} in the file is damaged.`);
    }
  });
}
