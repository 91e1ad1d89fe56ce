/**
 * The configuration of `wfdd`: every key once, with its type, unit, range, default, meaning and
 * reason.
 *
 * One zod schema is the source of everything about a key: checks, names of environment variables,
 * messages, the commented example, and the output of `wfdd config print`.
 *
 * Invariant: the service is configured by a `Config` alone, never by the environment, a file or a
 * flag; and a `Config` is frozen, complete and valid.
 *
 * load.ts finds the values. policy.ts checks keys against each other.
 */
import * as z from 'zod';
import {
  access,
  hostId,
  insecureNonLoopback,
  labels,
  listen,
  log,
  metrics,
  socketMode,
  tls,
  traces,
} from './schema/reach.js';
import { driver, events, journal, keepalive, limits, session, shutdown } from './schema/work.js';

export const configSchema = z.strictObject({
  hostId,
  labels,
  listen,
  socketMode,
  insecureNonLoopback,
  tls,
  access,
  driver,
  session,
  limits,
  events,
  journal,
  keepalive,
  shutdown,
  log,
  metrics,
  traces,
});

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** Every key is present. A key that is not set is `null`. */
export type Config = DeepReadonly<z.output<typeof configSchema>>;

type PathsOf<T> = {
  [K in keyof T & string]: T[K] extends string | number | boolean | null | readonly unknown[]
    ? K
    : `${K}.${PathsOf<T[K]>}`;
}[keyof T & string];

/** The path of a key, such as `session.openTimeoutMs`. */
export type KeyPath = PathsOf<Config>;

/**
 * A frozen Config with these values and defaults for the rest. Throws a ZodError. The daemon itself
 * uses `loadConfig`.
 */
export function makeConfig(values: z.input<typeof configSchema> = {}): Config {
  return deepFreeze(configSchema.parse(values));
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const child of Object.values(value)) deepFreeze(child);
    Object.freeze(value);
  }
  return value;
}
