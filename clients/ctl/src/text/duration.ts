/** Durations as people read and write them, such as `1h30m`. */

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const PARTS = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;
const WHOLE = /^(\d+(\.\d+)?(ms|s|m|h|d))+$/;

export const DURATION_EXPECTED = 'Give a number with a unit, such as 500ms, 30s, 5m or 1h30m.';

/**
 * Milliseconds, exact to the nanosecond, or undefined if the text is not a duration. Very short
 * ones are not an error here: the host checks the minimum.
 */
export function parseDuration(text: string): number | undefined {
  if (!WHOLE.test(text)) return undefined;
  let ms = 0;
  for (const { 1: amount, 2: unit } of text.matchAll(PARTS)) ms += Number(amount) * UNITS[unit as keyof typeof UNITS];
  return Math.round(ms * 1e6) / 1e6;
}

/**
 * Short: `0.41s`, `28s`, `2m5s`, `1h2m`, `3d4h`. A negative duration is `0s`; it occurs because the
 * clocks of two machines differ.
 */
export function formatDuration(ms: number): string {
  if (ms <= 0) return '0s';
  if (ms < 9995) return `${Number((ms / 1000).toFixed(2))}s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return twoUnits(seconds, 60, 'm', 1, 's');
  if (seconds < 86_400) return twoUnits(seconds, 3600, 'h', 60, 'm');
  return twoUnits(seconds, 86_400, 'd', 3600, 'h');
}

function twoUnits(seconds: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)}${largeName}${rest === 0 ? '' : `${rest}${smallName}`}`;
}

/** How old something is, in whole seconds. */
export function formatAge(ms: number): string {
  return formatDuration(Math.floor(ms / 1000) * 1000);
}

/** How long something will still be there, in seconds begun. */
export function formatRest(ms: number): string {
  return formatDuration(Math.ceil(ms / 1000) * 1000);
}

/** By the calendar and clock of this place: `2026-11-22 09:03:10`. */
export function formatMoment(time: Date): string {
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  return `${day} ${formatTime(time).slice(0, 8)}`;
}

/** The time of day here, to the millisecond: `09:03:10.075`. */
export function formatTime(time: Date | undefined): string {
  if (time === undefined) return '';
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
  return `${clock}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}

function two(part: number): string {
  return String(part).padStart(2, '0');
}
