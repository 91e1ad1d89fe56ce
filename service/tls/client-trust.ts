/**
 * Whether a client certificate that TLS has accepted would still be accepted. The authorities may
 * have changed since (D-52), and the certificate or one of its authorities may be on the deny list.
 *
 * TLS verifies a certificate once, in the handshake, and connections stay open for days.
 *
 * Invariant: this check is never more lenient than TLS. It trusts no certificate that TLS did not.
 */
import type { X509Certificate } from 'node:crypto';

/** Longer chains are not trusted. */
const CHAIN_MAX = 10;

export interface Authorities {
  readonly certificates: readonly X509Certificate[];
  /** When they took effect, as `performance.now()`. */
  readonly sinceMs: number;
}

/** SHA-256 fingerprints, and serial numbers as `serial:...`, in upper-case hexadecimal. */
export type DenyList = ReadonlySet<string>;

/** Parses a deny list. Throws an Error that names the line. */
export function parseDenyList(text: string): DenyList {
  const denied = new Set<string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const entry = line.replace(/#.*/, '').trim();
    if (entry === '') continue;
    const [, kind = '', digits = ''] = /^(?:(serial:)|(?:sha256 fingerprint=))?([0-9a-f:]+)$/i.exec(entry) ?? [];
    const hex = digits.replaceAll(':', '').toUpperCase();
    const isSerial = kind !== '';
    if (isSerial ? !/^[0-9A-F]{1,64}$/.test(hex) : !/^[0-9A-F]{64}$/.test(hex)) {
      throw new Error(
        `Line ${index + 1} is neither a SHA-256 fingerprint (64 hex digits) nor "serial:" and a serial number.`,
      );
    }
    denied.add(isSerial ? serialEntry(hex) : hex);
  }
  return denied;
}

/** Whether the client's certificate, or one above it, is on the list. */
export function isDenied(chain: readonly X509Certificate[], denied: DenyList): boolean {
  return chain.some(
    ({ fingerprint256, serialNumber }) =>
      denied.has(fingerprint256.replaceAll(':', '')) || denied.has(serialEntry(serialNumber)),
  );
}

/**
 * Whether a chain (client certificate first) leads from issuer to issuer to a self-signed
 * certificate among these authorities.
 */
export function isAnchored(
  [leaf, ...shown]: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
  nowMs: number,
): boolean {
  const trusted = new Set(authorities.map(({ fingerprint256 }) => fingerprint256));
  const candidates = [...authorities, ...shown].filter((issuer) => issuer.ca && isInTime(issuer, nowMs));
  const seen = new Set<string>();
  let level = leaf !== undefined && isInTime(leaf, nowMs) ? [leaf] : [];
  for (let depth = 0; depth < CHAIN_MAX && level.length > 0; depth++) {
    if (level.some((each) => trusted.has(each.fingerprint256) && isIssuedBy(each, each))) return true;
    for (const { fingerprint256 } of level) seen.add(fingerprint256);
    level = level.flatMap((each) =>
      candidates.filter((issuer) => !seen.has(issuer.fingerprint256) && isIssuedBy(each, issuer)),
    );
  }
  return false;
}

function serialEntry(hex: string): string {
  return `serial:${hex.toUpperCase().replace(/^0+(?=.)/, '')}`;
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    return false;
  }
}

function isInTime({ validFrom, validTo }: X509Certificate, nowMs: number): boolean {
  return Date.parse(validFrom) <= nowMs && nowMs < Date.parse(validTo);
}
