/** Identity: what a caller shows, and whom that makes it. */

/** What a caller shows with one call. */
export interface Credentials {
  /** The values of the header `authorization`. */
  readonly authorization: readonly string[];
  /** The client certificate of the connection; `undefined` where there is none that TLS has found to be trusted. */
  readonly certificate: ClientCertificate | undefined;
  /** Why TLS did not trust the certificate that was shown. */
  readonly certificateProblem?: string | undefined;
}

export interface ClientCertificate {
  /** `undefined` where no part that may name the principal does. */
  readonly principal: string | undefined;
  /** Milliseconds since the Unix epoch. TLS looks at it only as a connection begins. */
  readonly expireTimeMs: number;
}

/** Somebody; or nobody, and why. The reason is for the log alone: told to the caller, it would help who guesses. */
export type Identified =
  | { readonly ok: true; readonly principal: string; readonly isRevoked?: () => boolean }
  | Unidentified;

export interface Unidentified {
  readonly ok: false;
  readonly why: string;
  /** Who it would have been. */
  readonly principal?: string;
}

export function unidentified(why: string, principal?: string): Unidentified {
  return principal === undefined ? { ok: false, why } : { ok: false, why, principal };
}

const PRINCIPAL = /^[^\p{C}]{1,255}$/u;

/** 1 to 255 characters, none of them invisible: a principal stands in logs, answers and quotas. */
export function isPrincipal(name: unknown): name is string {
  return typeof name === 'string' && PRINCIPAL.test(name);
}
