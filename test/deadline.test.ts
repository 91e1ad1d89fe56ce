import test from 'ava';
import { isDoneWithin, LATE, TIMER_MS_MAX, within } from '../service/deadline.js';

const never = new Promise<never>(() => {});
const failing = () => Promise.reject(new Error('no'));

test('work that is done in time gives its result, and work that fails in time its error', async (t) => {
  t.is(await within(60_000, Promise.resolve(1)), 1);
  t.is(await within(60_000, Promise.resolve(undefined)), undefined);
  await t.throwsAsync(within(60_000, failing()), { message: 'no' });
});

test('work that is not done in time is LATE, and a limit below 0 is over at once', async (t) => {
  t.is(await within(1, never), LATE);
  t.is(await within(-1, never), LATE);
});

test('a limit that no timer can keep is the longest that one can', async (t) => {
  const slow = new Promise<string>((resolve) => setTimeout(resolve, 5, 'done'));
  t.is(await within(TIMER_MS_MAX + 1, slow), 'done', 'Node would fire a longer timer at once');
});

test('the timer is cleared when the work is done, so it does not keep the process', async (t) => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  await within(60_000, Promise.resolve());
  await t.throwsAsync(within(60_000, failing()));
  t.true(timers() <= before);
});

test('isDoneWithin says whether the work succeeded in time, and never rejects', async (t) => {
  t.true(await isDoneWithin(60_000, Promise.resolve('anything')));
  t.false(await isDoneWithin(60_000, failing()));
  t.false(await isDoneWithin(1, never));
});
