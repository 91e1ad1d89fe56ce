/** Parses and checks the values of flags. */
import { InvalidArgumentError } from 'commander';
import { DURATION_EXPECTED, parseDuration } from './text/duration.js';

/** The names of SessionState. `--state` takes them in any case. */
export const STATES = ['OPENING', 'OPEN', 'CANCELLING', 'CLOSING', 'CLOSED', 'FAILED', 'CANCELLED', 'LOST'] as const;

export type StateName = (typeof STATES)[number];

/** 24.8 days. A longer timer would expire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError(DURATION_EXPECTED);
  if (ms > TIMER_MS_MAX) throw new InvalidArgumentError('The maximum is 24d.');
  return ms;
}

/** `open,closing`. The flag can be given several times. */
export function states(text: string, earlier: readonly StateName[] = []): readonly StateName[] {
  const names = text.split(',').map((part) => {
    const name = STATES.find((state) => state === part.trim().toUpperCase());
    if (name === undefined) throw new InvalidArgumentError(`The states are ${STATES.join(', ').toLowerCase()}.`);
    return name;
  });
  return [...earlier, ...names];
}
