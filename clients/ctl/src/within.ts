/** Bounds of time for what has none of its own. */
import { Failure } from './failure.js';
import { formatDuration } from './text/duration.js';

/** What the work comes to, if that is in time. The work itself is not stopped. */
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

export function tooLate(ms: number, what: string): Failure {
  return new Failure('timedOut', `${what} in ${formatDuration(ms)}; check the address, or try again.`);
}
