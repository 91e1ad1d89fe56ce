/**
 * Which roles may call which RPC. RPCs that are not in the table are for admins only.
 *
 * `Caller.maySee` and `mayChange` decide which sessions a call can reach.
 */
import { type RoleBinding, type Source, sourceOf } from '../config/role-binding.js';

export type Role = RoleBinding['role'];

export interface Permission {
  readonly roles: readonly Role[];
  /** The RPC changes something, so each call writes an audit record. */
  readonly changes: boolean;
  /** Which rate limit counts the calls of a principal. */
  readonly rate?: 'changes' | 'watches';
  /**
   * A stream that shows more to callers that may see all sessions. It ends when they no longer may
   * (D-50).
   */
  readonly isView?: true;
}

const probe: Permission = { roles: ['prober', 'viewer', 'operator', 'admin'], changes: false };
const read: Permission = { roles: ['viewer', 'operator', 'admin'], changes: false };
const watch: Permission = { ...read, rate: 'watches' };
const operate: Permission = { roles: ['operator', 'admin'], changes: true, rate: 'changes' };
const administer: Permission = { roles: ['admin'], changes: true };

/** Keyed by the full name of the RPC: `package.Service/Method`. */
export const permissions: Readonly<Record<string, Permission>> = {
  'grpc.health.v1.Health/Check': probe,
  'grpc.health.v1.Health/List': probe,
  'grpc.health.v1.Health/Watch': probe,
  'grpc.reflection.v1.ServerReflection/ServerReflectionInfo': probe,
  'grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo': probe,

  'wifidirect.v1.HostService/GetHost': read,

  'wifidirect.v1.DeviceService/ListDevices': read,
  'wifidirect.v1.DeviceService/WatchDevices': watch,
  'wifidirect.v1.DeviceService/UpdateDeviceVisibility': operate,

  'wifidirect.v1.SessionService/GetSession': read,
  'wifidirect.v1.SessionService/ListSessions': read,
  'wifidirect.v1.SessionService/WatchSessions': { ...watch, isView: true },
  'wifidirect.v1.SessionService/OpenSession': operate,
  'wifidirect.v1.SessionService/CancelOpenSession': operate,
  'wifidirect.v1.SessionService/CloseSession': operate,
  'wifidirect.v1.SessionService/RenewSession': operate,
};

export function mayCall(roles: ReadonlySet<Role>, rpc: string): boolean {
  return permissionOf(rpc).roles.some((role) => roles.has(role));
}

export function isChange(rpc: string): boolean {
  return permissionOf(rpc).changes;
}

export function isView(rpc: string): boolean {
  return permissionOf(rpc).isView === true;
}

/** All roles that are bound to the principal with this kind of credential. */
export function rolesOf(
  { source, principal }: { readonly source: Source; readonly principal: string },
  bindings: readonly RoleBinding[],
): ReadonlySet<Role> {
  const isMeant = (pattern: string) => {
    const only = sourceOf(pattern);
    if (only === undefined) return matches(pattern, principal);
    return only === source && matches(pattern.slice(only.length + 1), principal);
  };
  return new Set(bindings.filter(({ principals }) => principals.some(isMeant)).map(({ role }) => role));
}

/**
 * Whether the whole text matches the pattern. `*` matches any characters, including none.
 * Everything else is literal.
 *
 * This is not a path glob: those stop at `/`, and braces and negation do not belong in an access
 * rule. It is not a regular expression either: each part is searched once, from left to right, so
 * no text makes it slow.
 */
export function matches(pattern: string, text: string): boolean {
  const [head = '', ...parts] = pattern.split('*');
  const tail = parts.pop();
  if (tail === undefined) return text === head;
  if (!text.startsWith(head)) return false;
  let position = head.length;
  for (const part of parts) {
    const found = text.indexOf(part, position);
    if (found < 0) return false;
    position = found + part.length;
  }
  return text.length - tail.length >= position && text.endsWith(tail);
}

export function permissionOf(rpc: string): Permission {
  return (Object.hasOwn(permissions, rpc) ? permissions[rpc] : undefined) ?? administer;
}
