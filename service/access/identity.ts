/** Credentials of a caller, and the identity they prove. */
import type { Source } from '../config/role-binding.js';

/** The credentials of one call. */
export interface Credentials {
  /** The values of the header `authorization`. */
  readonly authorization: readonly string[];
  /** The client certificate of the connection; `undefined` if there is none. */
  readonly certificate: ClientCertificate | undefined;
}

export interface ClientCertificate {
  /** `undefined` if the certificate does not name a principal. */
  readonly principal: string | undefined;
  /** Calls without a trusted certificate are refused. */
  readonly isRequired: boolean;
  /**
   * Why the certificate is not trusted now; `undefined` if it is. Trust can end while the
   * connection is open.
   */
  problem(nowMs: number): string | undefined;
}

/**
 * An identity, or the reason why there is none. The reason is for the log only, because it would
 * help a caller that guesses.
 */
export type Identified = Identity | Unidentified;

export interface Identity {
  readonly ok: true;
  readonly source: Source;
  readonly principal: string;
  /** Whether the credential still proves this principal. It can expire or be revoked. */
  holds(nowMs: number): boolean;
}

export interface Unidentified {
  readonly ok: false;
  readonly why: string;
  /** The principal that the credential claims. */
  readonly principal?: string;
  /** This credential was not checked, because too many invalid ones came from the same network. */
  readonly isTooMany?: true;
}

export function unidentified(why: string, principal?: string): Unidentified {
  return principal === undefined ? { ok: false, why } : { ok: false, why, principal };
}

const PRINCIPAL = /^[^\p{C}\p{Zl}\p{Zp}]{1,255}$/u;

/** 1 to 255 visible characters, because a principal appears in logs, responses and quotas. */
export function isPrincipal(name: unknown): name is string {
  return typeof name === 'string' && PRINCIPAL.test(name);
}
