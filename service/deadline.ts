/**
 * Time limits for promises. A limit ends the waiting and not the work, which nobody can take back.
 */

/** The longest delay of a Node timer, about 24 days. A longer one would fire at once. */
export const TIMER_MS_MAX = 2 ** 31 - 1;

/** What `within` resolves to if the work was not done in time. */
export const LATE = Symbol('late');

/**
 * Resolves to what `work` resolves to, or to `LATE` after `ms` milliseconds. It rejects if `work`
 * rejects in time. The timer keeps the process alive while native code owes an answer.
 */
export async function within<T>(ms: number, work: Promise<T>): Promise<T | typeof LATE> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(() => resolve(LATE), Math.min(Math.max(ms, 0), TIMER_MS_MAX));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Whether `work` resolves within `ms` milliseconds. It never rejects: work that fails is not done.
 */
export async function isDoneWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  const isDone = work.then(
    () => true,
    () => false,
  );
  return (await within(ms, isDone)) === true;
}
