import test from 'ava';
import { figure } from './figure.js';
import { percentile } from './statistics.js';

test('a ratio is the median of the ratios of the rounds, and an aim is held against it', (t) => {
  const rounds = (...values: number[]) => values.map((calls) => ({ calls }));
  const measured = { name: 'calls', unit: '/s', key: 'calls', aim: { of: 'ratio', atLeast: 0.85 } } as const;
  const compared = figure('unary', measured, rounds(90, 40, 95), rounds(100, 50, 100));
  t.like(compared, { gateway: { median: 90 }, against: { median: 100, what: 'bare server' }, ratio: 0.9, isMet: true });
  t.false(figure('unary', measured, rounds(80), rounds(100)).isMet);
});

test('a percentile is the smallest value that so many do not exceed', (t) => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  t.deepEqual(
    [50, 99, 100].map((percent) => percentile(hundred, percent)),
    [50, 99, 100],
  );
  t.is(percentile([7], 1), 7);
  t.is(percentile([], 50), Number.NaN);
});
