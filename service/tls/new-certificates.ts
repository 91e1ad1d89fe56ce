/**
 * Certificates for `wfdd tls create`: an authority, and certificates signed by it. All are of a
 * kind that every TLS stack accepts: ECDSA P-256, SHA-256, PKCS#8, X.509 version 3 with the
 * extensions of RFC 5280. Keys and signatures come from OpenSSL through node:crypto (D-60).
 */
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import * as asn from '@peculiar/asn1-x509';
import { certificatesIn } from './pem.js';

/** A certificate and its private key, both PEM. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

/** The authority that signs. */
export interface Issuer extends Issued {
  readonly name: asn.Name;
  readonly keyId: asn.KeyIdentifier;
  readonly signingKey: KeyObject;
  readonly notAfter: Date;
}

const DAY_MS = 86_400_000;
/** Certificates are valid from this long ago, because clocks of clients may be behind. */
const SKEW_MS = 3_600_000;
const AUTHORITY_DAYS = 3650;
/** RFC 5280. */
const COMMON_NAME_CHARACTERS_MAX = 64;
const COMMON_NAME = '2.5.4.3';
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const { keyCertSign, cRLSign, digitalSignature } = asn.KeyUsageFlags;

/** A new authority of this name. */
export function makeIssuer(commonName: string, nowMs: number): Issuer {
  const { privateKey, publicKey } = newKeys();
  const name = nameOf(commonName);
  const keyId = keyIdOf(publicKey);
  const life = lifeOf(nowMs, AUTHORITY_DAYS);
  const cert = certificate({
    ...{ issuer: name, signingKey: privateKey, subject: name, publicKey, life },
    extensions: [
      // It signs end-entity certificates, no further authorities.
      extension(asn.id_ce_basicConstraints, new asn.BasicConstraints({ cA: true, pathLenConstraint: 0 }), true),
      extension(asn.id_ce_keyUsage, new asn.KeyUsage(keyCertSign | cRLSign), true),
      extension(asn.id_ce_subjectKeyIdentifier, new asn.SubjectKeyIdentifier(keyId.buffer)),
    ],
  });
  return { cert, key: pemOfKey(privateKey), name, keyId, signingKey: privateKey, notAfter: life.notAfter };
}

/**
 * Reads an existing authority. Throws an Error, which quotes nothing, if wfdd did not create it.
 */
export function readIssuer({ cert, key }: Issued): Issuer {
  const [found] = certificatesIn(cert);
  const signingKey = createPrivateKey(key);
  if (found === undefined || !found.ca) throw new Error('It is not the certificate of an authority.');
  if (!found.checkPrivateKey(signingKey)) throw new Error('Its key belongs to another certificate.');
  if (signingKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new Error('Its key is not ECDSA P-256, so wfdd did not create it.');
  }
  const { tbsCertificate } = AsnConvert.parse(found.raw, asn.Certificate);
  const [id] = tbsCertificate.extensions?.filter(({ extnID }) => extnID === asn.id_ce_subjectKeyIdentifier) ?? [];
  if (id === undefined) throw new Error('It has no subjectKeyIdentifier, so wfdd did not create it.');
  const keyId = new asn.KeyIdentifier(AsnConvert.parse(id.extnValue, asn.SubjectKeyIdentifier).buffer);
  return { cert, key, name: tbsCertificate.subject, keyId, signingKey, notAfter: new Date(found.validTo) };
}

/** A certificate for a host with these names and addresses. The first is the common name. */
export function issueForHost(issuer: Issuer, names: readonly string[], days: number, nowMs: number): Issued {
  const alternatives = names.map(
    (value) => new asn.GeneralName(isIP(value) ? { iPAddress: value } : { dNSName: value }),
  );
  return issue(issuer, names[0] ?? 'wfdd', alternatives, asn.id_kp_serverAuth, lifeOf(nowMs, days));
}

/**
 * A certificate for a client with this principal: a URI (SPIFFE) as alternative name, or the common
 * name.
 */
export function issueForClient(issuer: Issuer, name: string, principal: string, days: number, nowMs: number): Issued {
  const isUri = principal.includes('://');
  const alternatives = isUri ? [new asn.GeneralName({ uniformResourceIdentifier: principal })] : [];
  return issue(issuer, isUri ? name : principal, alternatives, asn.id_kp_clientAuth, lifeOf(nowMs, days));
}

function issue(issuer: Issuer, commonName: string, names: asn.GeneralName[], usage: string, life: Life): Issued {
  const { privateKey, publicKey } = newKeys();
  // A certificate is not trusted for longer than its authority.
  const notAfter = issuer.notAfter < life.notAfter ? issuer.notAfter : life.notAfter;
  const authorityId = new asn.AuthorityKeyIdentifier({ keyIdentifier: issuer.keyId });
  const ownId = new asn.SubjectKeyIdentifier(keyIdOf(publicKey).buffer);
  const alternative = new asn.SubjectAlternativeName(names);
  const cert = certificate({
    ...{ issuer: issuer.name, signingKey: issuer.signingKey, subject: nameOf(commonName), publicKey },
    life: { ...life, notAfter },
    extensions: [
      extension(asn.id_ce_basicConstraints, new asn.BasicConstraints(), true),
      extension(asn.id_ce_keyUsage, new asn.KeyUsage(digitalSignature), true),
      extension(asn.id_ce_extKeyUsage, new asn.ExtendedKeyUsage([usage])),
      ...(names.length > 0 ? [extension(asn.id_ce_subjectAltName, alternative)] : []),
      extension(asn.id_ce_subjectKeyIdentifier, ownId),
      extension(asn.id_ce_authorityKeyIdentifier, authorityId),
    ],
  });
  return { cert, key: pemOfKey(privateKey) };
}

interface Life {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

interface Wanted {
  readonly issuer: asn.Name;
  readonly signingKey: KeyObject;
  readonly subject: asn.Name;
  readonly publicKey: KeyObject;
  readonly life: Life;
  readonly extensions: readonly asn.Extension[];
}

function certificate({ issuer, signingKey, subject, publicKey, life, extensions }: Wanted): string {
  const algorithm = new asn.AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 });
  const body = new asn.TBSCertificate({
    ...{ version: asn.Version.v3, serialNumber: newSerial(), signature: algorithm, issuer, subject },
    validity: new asn.Validity(life),
    subjectPublicKeyInfo: AsnConvert.parse(spkiOf(publicKey), asn.SubjectPublicKeyInfo),
    extensions: new asn.Extensions([...extensions]),
  });
  const signature = sign('sha256', Buffer.from(AsnConvert.serialize(body)), signingKey);
  const whole = new asn.Certificate({
    tbsCertificate: body,
    signatureAlgorithm: algorithm,
    signatureValue: bytesOf(signature),
  });
  const lines =
    Buffer.from(AsnConvert.serialize(whole))
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function extension(extnID: string, value: unknown, critical = false): asn.Extension {
  return new asn.Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function newKeys() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/**
 * 16 random bytes (RFC 5280: at most 20). The first byte is set so that the number is positive and
 * has full length.
 */
function newSerial(): ArrayBuffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytesOf(bytes);
}

function nameOf(commonName: string): asn.Name {
  const value = new asn.AttributeValue({ utf8String: commonName.slice(0, COMMON_NAME_CHARACTERS_MAX) });
  const part = new asn.AttributeTypeAndValue({ type: COMMON_NAME, value });
  return new asn.Name([new asn.RelativeDistinguishedName([part])]);
}

/** RFC 5280, 4.2.1.2: the SHA-1 of the key. It is only an identifier, so SHA-1 is fine. */
function keyIdOf(publicKey: KeyObject): asn.KeyIdentifier {
  const { subjectPublicKey } = AsnConvert.parse(spkiOf(publicKey), asn.SubjectPublicKeyInfo);
  return new asn.KeyIdentifier(bytesOf(createHash('sha1').update(Buffer.from(subjectPublicKey)).digest()));
}

function spkiOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
}

/** Certificates have times in whole seconds. */
function lifeOf(nowMs: number, days: number): Life {
  const second = Math.floor(nowMs / 1000) * 1000;
  return { notBefore: new Date(second - SKEW_MS), notAfter: new Date(second + days * DAY_MS) };
}

function bytesOf(buffer: Buffer): ArrayBuffer {
  return Uint8Array.from(buffer).buffer;
}

function pemOfKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
