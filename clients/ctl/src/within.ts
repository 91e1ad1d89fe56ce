/** A timeout for work that has none of its own. */
import { CliError } from './cli-error.js';
import { formatDuration } from './text/duration.js';

/**
 * Resolves to the result of the work, or rejects if it takes longer than `ms`. It does not stop the
 * work.
 */
export async function within<Value>(ms: number, work: Promise<Value>, what: string): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooLate(ms, what)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function tooLate(ms: number, what: string): CliError {
  return new CliError('timedOut', `${what} within ${formatDuration(ms)}; check the address, or try again.`);
}
