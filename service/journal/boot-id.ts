/** Identifies the present run of the machine, from its start to its end, without a native call. */
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

/** Linux has an id for each start of the machine. */
const LINUX_BOOT_ID = '/proc/sys/kernel/random/boot_id';
/**
 * Elsewhere the id is the time of the start, rounded to this many seconds. If somebody sets the
 * wall clock, the id changes; the only cost is a new epoch.
 */
const GRAIN_S = 60;

export function bootId(): string {
  if (process.platform === 'linux') return readFileSync(LINUX_BOOT_ID, 'utf8').trim();
  return `start-${Math.round((Date.now() / 1000 - uptime()) / GRAIN_S)}`;
}

/** Whether two ids can be of the same run of the machine. */
export function isSameBoot(a: string, b: string): boolean {
  if (a === b) return true;
  const [, one] = /^start-(\d+)$/.exec(a) ?? [];
  const [, other] = /^start-(\d+)$/.exec(b) ?? [];
  // Two readings of the same start can be rounded to neighbouring minutes.
  return one !== undefined && other !== undefined && Math.abs(Number(one) - Number(other)) <= 1;
}
