/**
 * Certificates for tests, made on the spot: a small authority that can also issue the odd ones
 * (expired, of any name).
 *
 * X.509 version 3 (RFC 5280) in DER, of only the parts that the tests need; node:crypto reads
 * certificates but makes none.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** PEM, as the files of a daemon and the options of a client take it. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

export interface Wanted {
  readonly commonName?: string;
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ips?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** P-256 where nothing else is wanted. */
  readonly keyType?: 'ec' | 'rsa' | 'ed25519';
  /** For servers; else it is a client's. */
  readonly isServer?: boolean;
}

export interface Authority {
  /** The certificate of the authority itself, PEM. */
  readonly cert: string;
  issue(wanted: Wanted): Issued;
}

const HOUR_MS = 3_600_000;

const oids = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  alternativeNames: '2.5.29.17',
  subjectKeyIdentifier: '2.5.29.14',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

export function makeAuthority(commonName: string): Authority {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const isAuthority = extension(oids.basicConstraints, sequence(Buffer.of(0x01, 0x01, 0xff)));
  const maySign = extension(oids.keyUsage, Buffer.of(0x03, 0x02, 0x01, 0x06));
  const issuer = { name: commonName, key: pair.privateKey };
  return {
    cert: certificate(issuer, { commonName }, pair.publicKey, [isAuthority, maySign, ...identifiers(pair.publicKey)]),
    issue: (wanted) => {
      const { privateKey, publicKey } = keyPair(wanted.keyType);
      const usage = oid(wanted.isServer ? oids.serverAuth : oids.clientAuth);
      const extensions = [
        extension(oids.extendedKeyUsage, sequence(usage)),
        ...identifiers(publicKey, pair.publicKey),
        ...alternativeNames(wanted),
      ];
      return { cert: certificate(issuer, wanted, publicKey, extensions), key: pem(privateKey) };
    },
  };
}

function keyPair(type: Wanted['keyType'] = 'ec') {
  if (type === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  return type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function certificate(
  issuer: { readonly name: string; readonly key: KeyObject },
  { commonName, notBefore, notAfter }: Wanted,
  publicKey: KeyObject,
  extensions: readonly Buffer[],
): string {
  const algorithm = sequence(oid(oids.ecdsaWithSha256));
  const now = Date.now();
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.of(2))),
    tagged(0x02, Buffer.concat([Buffer.of(0x01), randomBytes(15)])),
    algorithm,
    name(issuer.name),
    sequence(time(notBefore ?? new Date(now - HOUR_MS)), time(notAfter ?? new Date(now + HOUR_MS))),
    name(commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions)),
  );
  const signature = tagged(0x03, Buffer.concat([Buffer.of(0), sign('sha256', body, issuer.key)]));
  const base64 = sequence(body, algorithm, signature).toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** By these, and not by its name, the right one of two authorities that have one name is found. */
function identifiers(subject: KeyObject, issuer?: KeyObject): Buffer[] {
  const idOf = (key: KeyObject) =>
    createHash('sha1')
      .update(key.export({ type: 'spki', format: 'der' }))
      .digest();
  const own = extension(oids.subjectKeyIdentifier, tagged(0x04, idOf(subject)));
  if (issuer === undefined) return [own];
  return [own, extension(oids.authorityKeyIdentifier, sequence(tagged(0x80, idOf(issuer))))];
}

function alternativeNames({ commonName, uris = [], dnsNames = [], ips = [] }: Wanted): Buffer[] {
  const names = [
    ...uris.map((uri) => tagged(0x86, Buffer.from(uri))),
    ...dnsNames.map((dns) => tagged(0x82, Buffer.from(dns))),
    ...ips.map((ip) => tagged(0x87, Buffer.from(ip.split('.').map(Number)))),
  ];
  // Where they alone say whose certificate it is they must be critical, or Java takes it for
  // incomplete.
  const isCritical = commonName === undefined;
  return names.length === 0 ? [] : [extension(oids.alternativeNames, sequence(...names), isCritical)];
}

function extension(id: string, value: Buffer, isCritical = false): Buffer {
  const critical = isCritical ? [tagged(0x01, Buffer.of(0xff))] : [];
  return sequence(oid(id), ...critical, tagged(0x04, value));
}

function name(commonName: string | undefined): Buffer {
  if (commonName === undefined) return sequence();
  return sequence(tagged(0x31, sequence(oid(oids.commonName), tagged(0x0c, Buffer.from(commonName)))));
}

/** GeneralizedTime: `20260101000000Z` */
function time(date: Date): Buffer {
  return tagged(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]|\.\d+/g, '')}`));
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((part) => {
    const digits = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
    return digits;
  });
  return tagged(0x06, Buffer.from(bytes));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
