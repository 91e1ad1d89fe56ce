/**
 * The file of roles: a YAML list like `access.roles`, which it adds to. It can change while the daemon runs.
 *
 *     - { role: operator, principals: ["jwt:backend-*"] }
 */
import * as z from 'zod';
import { type RoleBinding, roleBinding } from '../config/role-binding.js';
import { parseYaml } from './yaml-file.js';

/** Every call is compared with every pattern. */
const BINDINGS_MAX = 1000;

const bindings = z
  .array(roleBinding, 'must be a list of { role, principals: [patterns] }')
  .max(BINDINGS_MAX, `must have ${BINDINGS_MAX} bindings at most; a pattern may stand for many principals`);

/** Reads the file's text. Throws an Error that names the place. */
export function parseRoles(text: string): readonly RoleBinding[] {
  return parseYaml(text, bindings, 'no roles');
}
