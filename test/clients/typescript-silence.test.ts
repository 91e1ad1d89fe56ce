/** Silence of a stream, on a clock of its own. */
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { concat, defer, ignoreElements, NEVER, type Observable, of, timer, VirtualTimeScheduler } from 'rxjs';
import { GatewayError } from '../../clients/typescript/src/error.js';
import { failWhenSilent, type Silence } from '../../clients/typescript/src/silence.js';

/** What came of it within an hour, and when. */
function run(
  messages: (pause: (ms: number) => Observable<never>) => Observable<string>,
  options: Omit<Silence<string>, 'scheduler'>,
) {
  const scheduler = new VirtualTimeScheduler(undefined, 3_600_000);
  const pause = (ms: number) => defer(() => timer(ms, scheduler)).pipe(ignoreElements());
  const told: [atMs: number, what: string][] = [];
  let error: unknown;
  messages(pause)
    .pipe(failWhenSilent({ ...options, scheduler }))
    .subscribe({
      next: (message) => told.push([scheduler.now(), message]),
      error: (thrown: unknown) => {
        error = thrown;
        told.push([scheduler.now(), 'error']);
      },
      complete: () => told.push([scheduler.now(), 'end']),
    });
  scheduler.flush();
  return { told, error };
}

test('three intervals without a message are silence, before the first and after any', (t) => {
  const { told, error } = run(() => NEVER, { intervalMs: 10_000 });
  t.deepEqual(told, [[30_000, 'error']]);
  t.true(error instanceof GatewayError);
  t.like(error, {
    code: status.UNAVAILABLE,
    reason: undefined,
    message: 'UNAVAILABLE: The host has been silent for 30 s.',
  });
  const later = run((pause) => concat(pause(29_999), of('a'), pause(29_999), of('b'), NEVER), { intervalMs: 10_000 });
  t.deepEqual(later.told, [
    [29_999, 'a'],
    [59_998, 'b'],
    [89_998, 'error'],
  ]);
});

test('a stream that ends is not silent, and nothing ticks after it', (t) => {
  t.deepEqual(run((pause) => concat(of('a'), pause(5000)), { intervalMs: 10_000 }).told, [
    [0, 'a'],
    [5000, 'end'],
  ]);
});

test('where a message says that no other need come, silence says nothing', (t) => {
  const options = { intervalMs: 10_000, isFollowed: (message: string) => message !== 'old' };
  t.deepEqual(run(() => concat(of('old'), NEVER), options).told, [[0, 'old']]);
  t.deepEqual(run(() => concat(of('old', 'new'), NEVER), options).told.at(-1), [30_000, 'error']);
});

for (const [intervalMs, silentAfterMs] of [
  [undefined, 30_000],
  [Number.NaN, 30_000],
  [0, 3000],
  [-5, 3000],
  [Number.POSITIVE_INFINITY, 900_000],
] as const) {
  test(`an interval of ${intervalMs} ms, which the host refuses, is silence after ${silentAfterMs} ms`, (t) => {
    t.deepEqual(run(() => NEVER, { intervalMs }).told, [[silentAfterMs, 'error']]);
  });
}
