/**
 * The roles file: a YAML list like `access.roles`, in addition to it. It can change while the
 * daemon runs.
 *
 *     - { role: operator, principals: ["jwt:backend-*"] }
 */
import * as z from 'zod';
import { type RoleBinding, roleBinding } from '../config/role-binding.js';
import { parseYaml } from '../files/yaml-file.js';

/** Every call is compared with every pattern, so their number is limited. */
const BINDINGS_MAX = 1000;

const bindings = z
  .array(roleBinding, 'must be a list of { role, principals: [patterns] }')
  .max(BINDINGS_MAX, `must have at most ${BINDINGS_MAX} bindings; one pattern can match many principals`);

/** Parses the file. Throws an Error that names the position. */
export function parseRoles(text: string): readonly RoleBinding[] {
  return parseYaml(text, bindings, 'no roles');
}
