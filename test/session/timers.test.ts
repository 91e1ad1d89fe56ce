import test from 'ava';
import { Timers } from '../../service/session/timers.js';

/** Resolves in the turn of the event loop after this one. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('a timer fires once, after its delay', async (t) => {
  const timers = new Timers();
  const startMs = performance.now();
  await new Promise<void>((resolve) => timers.set(20, resolve));
  // Timers count in whole milliseconds.
  t.true(performance.now() - startMs >= 19);
});

test('one that is taken back does not fire', async (t) => {
  const timers = new Timers();
  const takeBack = timers.set(1, () => t.fail());
  takeBack();
  await new Promise<void>((resolve) => timers.set(10, resolve));
  t.pass();
});

test('of many that are due together a few fire in each turn, in order, and one can still be taken back', async (t) => {
  const timers = new Timers();
  const fired: number[] = [];
  const takeBacks = Array.from({ length: 1000 }, (_, i) => timers.set(1, () => fired.push(i)));
  const perTurn: number[] = [];
  while (fired.length < 999) {
    const before = fired.length;
    await turn();
    perTurn.push(fired.length - before);
    if (before === 0 && fired.length > 0) takeBacks[999]?.();
  }
  t.true(Math.max(...perTurn) <= 50, `${perTurn}`);
  t.deepEqual(
    fired,
    Array.from({ length: 999 }, (_, i) => i),
  );
});

test('after a sleep a timer has left what it had, and does not fire at once', async (t) => {
  let sleptMs = 0;
  const timers = new Timers({ nowMs: () => performance.now() - sleptMs });
  const startMs = performance.now();
  const fired = new Promise<void>((resolve) => timers.set(40, resolve));
  sleptMs = 50;
  await fired;
  t.true(performance.now() - startMs >= 88, 'the 40 ms count without the sleep');
});

test('one that was armed anew after a sleep can still be taken back', async (t) => {
  let nowMs = 0;
  let asked = 0;
  const timers = new Timers({
    nowMs: () => {
      asked += 1;
      return nowMs;
    },
  });
  const takeBack = timers.set(20, () => t.fail());
  const before = asked;
  // It asks when its time is over, finds that none has passed, and is armed anew.
  while (asked === before) await turn();
  takeBack();
  nowMs = 1000;
  await new Promise<void>((resolve) => setTimeout(resolve, 60));
  t.pass();
});
