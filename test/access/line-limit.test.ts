/**
 * How many lines somebody may have, how many keys are remembered, and what is told of those left
 * out.
 */
import test from 'ava';
import { LineLimits } from '../../service/access/line-limit.js';

/** Within one second, as every limit starts anew with the next. */
function withinOneSecond(t: { teardown(fn: () => void): void }): void {
  const { now } = performance;
  performance.now = () => 5000;
  t.teardown(() => {
    performance.now = now;
  });
}

test.serial('who was not heard of for a thousand others is forgotten, and nobody before', (t) => {
  withinOneSecond(t);
  const limits = new LineLimits();
  for (let n = 0; n < 21; n += 1) limits.take('loud');
  t.is(limits.take('loud'), undefined);
  for (let n = 1; n < 1000; n += 1) limits.take(`other-${n}`);
  t.is(limits.take('loud'), undefined, 'it is remembered');
  for (let n = 1; n <= 1000; n += 1) limits.take(`other-${n}`);
  t.deepEqual(limits.take('loud'), {}, 'it is forgotten');
});

test.serial('a line that the limit of all leaves out counts, with those that it would have told of', (t) => {
  const { now } = performance;
  let nowMs = 5000;
  performance.now = () => nowMs;
  t.teardown(() => {
    performance.now = now;
  });
  const limits = new LineLimits(25);
  for (let n = 0; n < 23; n += 1) limits.take('loud');
  nowMs = 6000;
  for (let n = 0; n < 25; n += 1) limits.take(`other-${n % 5}`);
  t.is(limits.take('loud'), undefined, 'it would have told of three');
  nowMs = 7000;
  t.deepEqual(limits.take('loud'), { unlogged: 4 });
});
