/** Who is calling, and may they: what the rest of the service knows of a caller. */
import type { Role } from './permissions.js';

export interface Caller {
  /** The authenticated name, or `anonymous` where authentication is off. */
  readonly principal: string;
  /** Whether the caller may see the sessions of every owner. */
  maySeeAll(): boolean;
  /** Whether sessions of this owner exist for the caller at all. */
  maySee(owner: string): boolean;
  /** Whether the caller may cancel, close and renew sessions of this owner. */
  mayChange(owner: string): boolean;
  /** Whether the call would be refused if it came now: its credential or its roles have been taken back. */
  isRevoked(): boolean;
}

/** A caller with the rights of these roles together, as they are whenever it is asked. */
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

/** The one caller there is where authentication is off: everybody owns everything. */
export function anonymous(isRevoked?: () => boolean): Caller {
  return callerWith('anonymous', () => everything, isRevoked);
}
