/** The clock that stands still while the process does. */
import test from 'ava';
import { AwakeClock } from '../service/awake-clock.js';

/** A clock over clocks that the test moves, and the sleeps that it has told. */
function make() {
  const at = { steadyMs: 1000, wallMs: 50_000 };
  const clock = new AwakeClock({ steadyMs: () => at.steadyMs, wallMs: () => at.wallMs });
  const slept: number[] = [];
  const close = clock.onAwake((ms) => slept.push(ms));
  const pass = (steadyMs: number, wallMs = steadyMs) => {
    at.steadyMs += steadyMs;
    at.wallMs += wallMs;
    return clock.nowMs();
  };
  return { clock, slept, close, pass };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('it runs with the steady clock while somebody looks at least every few seconds', async (t) => {
  const { slept, close, pass } = make();
  for (let seconds = 1; seconds <= 20; seconds += 1) t.is(pass(1000), 1000 + seconds * 1000);
  await turn();
  t.deepEqual(slept, []);
  close();
});

test('a sleep that the steady clock counts is taken out, and told once, by whoever looks first', async (t) => {
  const { slept, close, pass } = make();
  pass(500);
  t.is(pass(3_600_000), 2500, 'of a second nobody knows whether it was slept');
  t.is(pass(100), 2600);
  t.deepEqual(slept, [], 'not from within a reading');
  await turn();
  t.deepEqual(slept, [3_599_000]);
  close();
});

test('a sleep that only the wall clock counts is told, and takes nothing out', async (t) => {
  const { slept, close, pass } = make();
  t.is(pass(1000, 7_200_000), 2000);
  await turn();
  t.deepEqual(slept, [7_199_000]);
  close();
});

test('a wall clock that is set back is no sleep', async (t) => {
  const { slept, close, pass } = make();
  t.is(pass(1000, -7_200_000), 2000);
  await turn();
  t.deepEqual(slept, []);
  close();
});

test('it tells nobody who has left, and does not count what nobody listened to', async (t) => {
  const { clock, slept, close, pass } = make();
  close();
  t.is(pass(60_000), 61_000);
  await turn();
  t.deepEqual(slept, []);
  const again = clock.onAwake((ms) => slept.push(ms));
  pass(100);
  await turn();
  t.deepEqual(slept, [], 'what passed before is no sleep');
  again();
});
