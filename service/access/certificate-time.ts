/** How long a certificate is still good. Whoever warns of it says the same: the doctor, `config check`, the log. */
import type { X509Certificate } from 'node:crypto';

export interface Expiry {
  readonly state: 'good' | 'soon' | 'expired' | 'early';
  /** To be put behind the name of the certificate. */
  readonly text: string;
}

const DAY_MS = 86_400_000;
/** From so many days before its end a certificate is warned of: time to issue another without haste. */
export const EXPIRY_WARNING_DAYS = 30;
/** Of one that lives shorter, as machines issue them, the last part of its life. */
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
