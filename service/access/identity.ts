/** Identity: what a caller shows, and whom that makes it. */
import type { Source } from '../config/role-binding.js';

/** What a caller shows with one call. */
export interface Credentials {
  /** The values of the header `authorization`. */
  readonly authorization: readonly string[];
  /** The client certificate of the connection; `undefined` where none was shown. */
  readonly certificate: ClientCertificate | undefined;
}

export interface ClientCertificate {
  /** `undefined` where the certificate names nobody. */
  readonly principal: string | undefined;
  /** The connection is of no use without a trusted certificate. */
  readonly isRequired: boolean;
  /** Why the certificate is not trusted now; `undefined` where it is. Trust may end while the connection stands. */
  problem(nowMs: number): string | undefined;
}

/** Somebody; or nobody, and why. The reason is for the log alone: told to the caller, it would help who guesses. */
export type Identified = Identity | Unidentified;

export interface Identity {
  readonly ok: true;
  readonly source: Source;
  readonly principal: string;
  /** Whether the credential still makes the caller this principal: it may expire, or be taken back. */
  holds(nowMs: number): boolean;
}

export interface Unidentified {
  readonly ok: false;
  readonly why: string;
  /** Who it would have been. */
  readonly principal?: string;
  /** Too many false credentials came from there; this one was not looked at. */
  readonly isTooMany?: true;
}

export function unidentified(why: string, principal?: string): Unidentified {
  return principal === undefined ? { ok: false, why } : { ok: false, why, principal };
}

const PRINCIPAL = /^[^\p{C}\p{Zl}\p{Zp}]{1,255}$/u;

/** 1 to 255 characters, none of them invisible: a principal stands in logs, answers and quotas. */
export function isPrincipal(name: unknown): name is string {
  return typeof name === 'string' && PRINCIPAL.test(name);
}
