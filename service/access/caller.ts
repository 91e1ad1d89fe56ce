/** The caller of an RPC, and its rights, as the rest of the service sees them. */
import type { Role } from './permissions.js';

export interface Caller {
  /** The authenticated name, or `anonymous` if authentication is off. */
  readonly principal: string;
  /** Whether the caller may see the sessions of every owner. */
  maySeeAll(): boolean;
  /** Whether the caller may see sessions of this owner. */
  maySee(owner: string): boolean;
  /** Whether the caller may cancel, close and renew sessions of this owner. */
  mayChange(owner: string): boolean;
  /**
   * Whether the call would be refused now, because its credential or its roles have expired or were
   * revoked.
   */
  isRevoked(): boolean;
}

/**
 * A caller with the rights of all these roles. Roles are read at each question, so changes apply.
 */
export function callerWith(principal: string, roles: () => ReadonlySet<Role>, isRevoked = () => false): Caller {
  const maySeeAll = () => roles().has('admin') || roles().has('viewer');
  const isOwn = (owner: string) => owner === principal && roles().has('operator');
  return {
    principal,
    maySeeAll,
    maySee: (owner) => maySeeAll() || isOwn(owner),
    mayChange: (owner) => roles().has('admin') || isOwn(owner),
    isRevoked,
  };
}

const everything: ReadonlySet<Role> = new Set(['admin']);

/** The caller of every call if authentication is off. It has all rights. */
export function anonymous(isRevoked?: () => boolean): Caller {
  return callerWith('anonymous', () => everything, isRevoked);
}
