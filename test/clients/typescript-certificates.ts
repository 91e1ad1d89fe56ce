/**
 * Certificates for a test, made on the spot: X.509 (RFC 5280) in DER, ECDSA with P-256, good for a
 * day.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface Identity {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Identity {
  /** A certificate signed by it; `addresses` are the IPv4 addresses it stands for. */
  issue(name: string, addresses?: readonly string[]): Identity;
}

const DAY_MS = 86_400_000;
const oids = {
  commonName: '550403',
  basicConstraints: '551d13',
  subjectAltName: '551d11',
  ecdsaWithSha256: '2a8648ce3d040302',
} as const;

export function authority(name: string): Authority {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const isAuthority = sequence(der(0x01, Buffer.from([0xff])));
  const cert = certificate({ name, publicKey, issuer: name, issuerKey: privateKey }, 'basicConstraints', isAuthority);
  return {
    ...pem(cert, privateKey),
    issue: (leaf, addresses = []) => {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const names = addresses.map((address) => der(0x87, Buffer.from(address.split('.').map(Number))));
      const alternatives = sequence(der(0x82, Buffer.from(leaf)), ...names);
      const to = { name: leaf, publicKey: pair.publicKey, issuer: name, issuerKey: privateKey };
      return pem(certificate(to, 'subjectAltName', alternatives), pair.privateKey);
    },
  };
}

interface Subject {
  readonly name: string;
  readonly publicKey: KeyObject;
  readonly issuer: string;
  readonly issuerKey: KeyObject;
}

function certificate(
  { name, publicKey, issuer, issuerKey }: Subject,
  extension: keyof typeof oids,
  value: Buffer,
): Buffer {
  const algorithm = sequence(oid('ecdsaWithSha256'));
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    distinguishedName(issuer),
    sequence(time(Date.now() - DAY_MS / 2), time(Date.now() + DAY_MS / 2)),
    distinguishedName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(sequence(oid(extension), der(0x04, value)))),
  );
  const signature = sign('sha256', body, issuerKey);
  return sequence(body, algorithm, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
}

function distinguishedName(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid('commonName'), der(0x0c, Buffer.from(commonName)))));
}

function time(ms: number): Buffer {
  return der(0x17, Buffer.from(`${new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14)}Z`));
}

function oid(name: keyof typeof oids): Buffer {
  return der(0x06, Buffer.from(oids[name], 'hex'));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function pem(certificate: Buffer, key: KeyObject): Identity {
  const lines = certificate.toString('base64').replace(/.{64}/g, '$&\n');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
