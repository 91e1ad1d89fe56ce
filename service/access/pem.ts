/** Certificates as they stand in files: PEM, several after each other, with any text between. */
import { X509Certificate } from 'node:crypto';

const CERTIFICATE = /-----BEGIN (?:X509 )?CERTIFICATE-----.*?-----END (?:X509 )?CERTIFICATE-----/gs;

/** At least one. Throws an Error that quotes nothing. */
export function certificatesIn(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) throw new Error('There is no certificate in the file.');
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new Error(`Certificate ${index + 1} of ${blocks.length} in the file cannot be read.`);
    }
  });
}
