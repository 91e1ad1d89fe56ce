import test from 'ava';
import fc from 'fast-check';
import { PrincipalRates } from '../../service/access/principal-rates.js';
import { randomly } from '../session/seed.js';

/** A rate on a clock that the test moves. */
function paced(perSecond: number) {
  const clock = { ms: 0 };
  const rate = new PrincipalRates('changes_per_second_per_principal', perSecond, () => clock.ms);
  const takeAll = (principal: string) => {
    let taken = 0;
    while (rate.take(principal).ok) taken += 1;
    return taken;
  };
  return { clock, rate, takeAll };
}

test('five seconds’ worth may be taken at once, then one each time that it is due', (t) => {
  const { clock, rate, takeAll } = paced(10);
  t.is(takeAll('alice'), 50);
  clock.ms = 99;
  t.is(takeAll('alice'), 0);
  clock.ms = 100;
  t.is(takeAll('alice'), 1);
  clock.ms = 1100;
  t.is(takeAll('alice'), 10);
  clock.ms = 1_000_000;
  t.is(takeAll('alice'), 50, 'no more than that is saved up');
  t.true(rate.take('bob').ok, 'each has a rate of its own');
});

test('who is refused is told the limit, and how long to wait: then it is let', (t) => {
  const { clock, rate, takeAll } = paced(4);
  takeAll('alice');
  clock.ms = 30;
  const refused = rate.take('alice');
  if (refused.ok) return t.fail();
  t.like(refused.fault, {
    reason: 'QUOTA_EXCEEDED',
    metadata: { subject: 'principal:alice', limit: 'changes_per_second_per_principal', limit_value: '4' },
    retryAfterMs: 220,
  });
  clock.ms += refused.fault.retryAfterMs ?? 0;
  t.true(rate.take('alice').ok);
});

test('whatever the rhythm, never more than the burst and the rate', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 400 })), fc.integer({ min: 1, max: 2000 }), (pauses, perSecond) => {
      const { clock, rate } = paced(perSecond);
      let taken = 0;
      for (const pause of pauses) {
        clock.ms += pause;
        for (let asked = 0; asked < 20; asked += 1) if (rate.take('alice').ok) taken += 1;
      }
      return taken <= Math.floor((clock.ms / 1000) * perSecond + 5 * perSecond + 1e-6);
    }),
    randomly(t, 300),
  );
  t.pass();
});

test('those who have their whole burst again are forgotten, the others not', (t) => {
  const { clock, rate, takeAll } = paced(1);
  takeAll('busy');
  for (let i = 0; i < 10_000; i += 1) {
    clock.ms = i / 4;
    rate.take(`principal-${i}`);
  }
  // Each of them has it again after a second, in which four thousand come.
  t.true(rate.size <= 8002, `${rate.size}`);
  t.is(takeAll('busy'), 2);
});
