/** What both kinds of watch have in common: the limits of a stream, and the interval of its bookmarks. */
import type { Duration } from './gen/google/protobuf/duration.js';
import * as check from './requests.js';
import type { WatchSettings } from './sources.js';

export interface WatchLimits {
  readonly batchEventsMax: number;
  readonly watcherQueueEventsMax: number;
  readonly watcherGraceMs: number;
  readonly bookmarkIntervalMs: number;
}

const BOOKMARK_MIN_MS = 1000;
const BOOKMARK_MAX_MS = 300_000;

export function bookmarkInterval(value: Duration | undefined, { bookmarkIntervalMs }: WatchLimits): number {
  return check.duration('bookmark_interval', value, BOOKMARK_MIN_MS, BOOKMARK_MAX_MS) ?? bookmarkIntervalMs;
}

export function watchLimits(limits: WatchLimits, bookmarkIntervalMs: number): WatchSettings {
  return {
    batchEventsMax: limits.batchEventsMax,
    queueEventsMax: limits.watcherQueueEventsMax,
    bookmarkIntervalMs,
  };
}
