/** The limits of streams, and the intervals of their bookmarks and heartbeats. */

import type { Duration } from '../../proto/gen/google/protobuf/duration.js';
import { unwrap } from '../fault.js';
import { type GiveBack, once } from '../once.js';
import type { CallServices } from './call-services.js';
import * as check from './requests.js';
import type { WatchSettings } from './sources.js';

export interface WatchLimits {
  readonly batchEventsMax: number;
  readonly watcherQueueEventsMax: number;
  readonly watcherGraceMs: number;
  readonly bookmarkIntervalMs: number;
}

const INTERVAL_MIN_MS = 1000;
const INTERVAL_MAX_MS = 300_000;

export function bookmarkInterval(value: Duration | undefined, { bookmarkIntervalMs }: WatchLimits): number {
  return check.duration('bookmark_interval', value, INTERVAL_MIN_MS, INTERVAL_MAX_MS) ?? bookmarkIntervalMs;
}

/** Undefined for no heartbeats. */
export function heartbeatInterval(value: Duration | undefined): number | undefined {
  return check.duration('heartbeat_interval', value, INTERVAL_MIN_MS, INTERVAL_MAX_MS);
}

export function watchLimits(limits: WatchLimits, bookmarkIntervalMs: number): WatchSettings {
  return {
    batchEventsMax: limits.batchEventsMax,
    queueEventsMax: limits.watcherQueueEventsMax,
    bookmarkIntervalMs,
  };
}

/**
 * Takes a place for a watch with so many ids or addresses. Returns the function that gives it back.
 * Throws if there is no place.
 */
export function takeWatch({ watchers, watchedIds }: CallServices, principal: string, ids: number): GiveBack {
  const leave = unwrap(watchers.take(principal));
  const taken = watchedIds.take(principal, ids);
  if (!taken.ok) leave();
  const release = unwrap(taken);
  return once(() => {
    leave();
    release();
  });
}
