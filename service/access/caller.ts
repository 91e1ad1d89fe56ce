/** Who is calling, and may they: what the rest of the service knows of a caller. */
import type { Role } from './permissions.js';

export interface Caller {
  /** The authenticated name, or `anonymous` where authentication is off. */
  readonly principal: string;
  /** Whether sessions of this owner exist for the caller at all. */
  maySee(owner: string): boolean;
  /** Whether the caller may cancel, close and renew sessions of this owner. */
  mayChange(owner: string): boolean;
  /** Whether the credential has been taken back since the call began. */
  isRevoked(): boolean;
}

/** A caller with the rights of these roles together. */
export function callerWith(principal: string, roles: ReadonlySet<Role>, isRevoked = () => false): Caller {
  const isOwn = (owner: string) => roles.has('operator') && owner === principal;
  return {
    principal,
    maySee: (owner) => roles.has('admin') || roles.has('viewer') || isOwn(owner),
    mayChange: (owner) => roles.has('admin') || isOwn(owner),
    isRevoked,
  };
}

/** The one caller there is where authentication is off: everybody owns everything. */
export const anonymous = callerWith('anonymous', new Set(['admin']));
