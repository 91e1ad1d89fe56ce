/** Role bindings, as written in the configuration and in the roles file. */
import * as z from 'zod';

/** The roles, from the fewest rights to the most. */
export const ROLES = ['prober', 'viewer', 'operator', 'admin'] as const;

/** The kinds of credential. A pattern can be limited to one: `jwt:backend-*`. */
export const SOURCES = ['token', 'jwt', 'cert'] as const;
export type Source = (typeof SOURCES)[number];

/**
 * The source that a pattern such as `jwt:backend-*` is limited to; `undefined` if it matches all
 * sources.
 */
export function sourceOf(pattern: string): Source | undefined {
  return SOURCES.find((source) => pattern.startsWith(`${source}:`));
}

const pattern = z
  .string('must be a text')
  .min(1, 'must not be empty')
  .refine((text) => !SOURCES.some((source) => text === `${source}:`), 'must name a principal, such as jwt:*');

export const roleBinding = z.strictObject({
  role: z.enum(ROLES, `must be one of ${ROLES.join(', ')}`),
  principals: z.array(pattern, 'must be a list of patterns').min(1, 'must have at least one pattern'),
});

export interface RoleBinding {
  readonly role: (typeof ROLES)[number];
  readonly principals: readonly string[];
}
