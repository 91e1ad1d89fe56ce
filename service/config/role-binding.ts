/** Who has which role, as it is written in the configuration and in the file of roles. */
import * as z from 'zod';

/** The roles, from the least to the most. */
export const ROLES = ['prober', 'viewer', 'operator', 'admin'] as const;

/** What can make a caller known. A pattern may name one: `jwt:backend-*`. */
export const SOURCES = ['token', 'jwt', 'cert'] as const;
export type Source = (typeof SOURCES)[number];

/** The source that a pattern such as `jwt:backend-*` is for; `undefined` where it is for all. */
export function sourceOf(pattern: string): Source | undefined {
  return SOURCES.find((source) => pattern.startsWith(`${source}:`));
}

const pattern = z
  .string('must be a text')
  .min(1, 'must not be empty')
  .refine((text) => !SOURCES.some((source) => text === `${source}:`), 'must name somebody, such as jwt:*');

export const roleBinding = z.strictObject({
  role: z.enum(ROLES, `must be one of ${ROLES.join(', ')}`),
  principals: z.array(pattern, 'must be a list of patterns').min(1, 'must have a pattern at least'),
});

export interface RoleBinding {
  readonly role: (typeof ROLES)[number];
  readonly principals: readonly string[];
}
