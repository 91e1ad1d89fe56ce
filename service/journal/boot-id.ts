/** What tells one life of the machine from another, without a native call. */
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

/** Linux names each start of the machine. */
const LINUX_BOOT_ID = '/proc/sys/kernel/random/boot_id';
/**
 * Elsewhere it is the time of the start, to this many seconds. A wall clock that was set since makes
 * it another one, which costs a new epoch and nothing else.
 */
const GRAIN_S = 60;

export function bootId(): string {
  if (process.platform === 'linux') return readFileSync(LINUX_BOOT_ID, 'utf8').trim();
  return `start-${Math.round((Date.now() / 1000 - uptime()) / GRAIN_S)}`;
}

/** Whether two ids can be of one life of the machine. */
export function isSameBoot(a: string, b: string): boolean {
  if (a === b) return true;
  const [, one] = /^start-(\d+)$/.exec(a) ?? [];
  const [, other] = /^start-(\d+)$/.exec(b) ?? [];
  // Two readings of one start can fall into neighbouring minutes.
  return one !== undefined && other !== undefined && Math.abs(Number(one) - Number(other)) <= 1;
}
