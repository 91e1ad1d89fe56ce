/** What is typed after a flag or a command, read and checked. The names of operands are also what the shells complete by. */
import { InvalidArgumentError } from 'commander';
import { DURATION_EXPECTED, parseDuration } from './text/duration.js';

/** The names of SessionState, as `--state` takes them. */
export const STATES = ['OPENING', 'OPEN', 'CANCELLING', 'CLOSING', 'CLOSED', 'FAILED', 'CANCELLED', 'LOST'] as const;

export type StateName = (typeof STATES)[number];

/** What a timer can measure is 24.8 days; more would be over at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError(DURATION_EXPECTED);
  if (ms > TIMER_MS_MAX) throw new InvalidArgumentError('Give at most 24d.');
  return ms;
}

/** `open,closing`, and again. */
export function states(text: string, earlier: readonly StateName[] = []): readonly StateName[] {
  const names = text.split(',').map((part) => {
    const name = STATES.find((state) => state === part.trim().toUpperCase());
    if (name === undefined) throw new InvalidArgumentError(`Give one of ${STATES.join(', ').toLowerCase()}.`);
    return name;
  });
  return [...earlier, ...names];
}
