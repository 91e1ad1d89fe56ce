/**
 * How long a certificate is still valid. The doctor, `config check` and the log use the same rule
 * and words.
 */
import type { X509Certificate } from 'node:crypto';

export interface Expiry {
  readonly state: 'good' | 'soon' | 'expired' | 'early';
  /** Follows the name of the certificate in a sentence. */
  readonly text: string;
}

const DAY_MS = 86_400_000;
/** The doctor and the log warn this many days before a certificate expires (D-62). */
const EXPIRY_WARNING_DAYS = 30;
/** For short-lived certificates, the warning starts at the last third of the lifetime. */
const LAST_PART = 1 / 3;

export function expiryOf(
  { validFrom, validTo }: Pick<X509Certificate, 'validFrom' | 'validTo'>,
  nowMs: number,
): Expiry {
  const days = Math.floor((Date.parse(validTo) - nowMs) / DAY_MS);
  if (Date.parse(validTo) <= nowMs) return { state: 'expired', text: `expired ${validTo}` };
  if (Date.parse(validFrom) > nowMs) return { state: 'early', text: `is valid only from ${validFrom}` };
  const text = `expires ${validTo}, in ${days} ${days === 1 ? 'day' : 'days'}`;
  const lifeMs = Date.parse(validTo) - Date.parse(validFrom);
  const soonMs = Math.min(EXPIRY_WARNING_DAYS * DAY_MS, lifeMs * LAST_PART);
  return { state: Date.parse(validTo) - nowMs < soonMs ? 'soon' : 'good', text };
}
